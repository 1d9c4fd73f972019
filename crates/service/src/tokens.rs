//! Personal access tokens: what can be asked and changed.
//!
//! Each change is in a file of its own; what they share is here: whose tokens a request is about,
//! what a caller may touch of them, and what the audit log says of a token. Two things bound what
//! somebody does with tokens. Nobody touches or makes one that allows more than they may, or that
//! lives longer. And whoever makes a token for somebody else gets a secret that acts as them, so
//! they must be able to hand out every role that the owner holds.

mod issue;
mod owner;
mod remove;
mod rotate;
mod update;

use std::collections::BTreeMap;

use keystile_domain::{
    Action, CeilingBreach, Identifier, Listing, PageRequest, Permission, PermissionSet, Provider,
    Reason, Secret, Target, TargetKind, Timestamp, Token, TokenFilter, TokenId, TokenSort, User,
    Version,
};
use keystile_storage::{Conn, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use self::owner::{Access, Owner};
use crate::change::{Scope, expect_version};
use crate::rotation::SecretRotation;
use crate::usage::last_used_at;
use crate::{Caller, Keystile, ServiceError};

pub use issue::{AskedEnd, TokenDraft};
pub use owner::TokenOwner;
pub use update::TokenChange;

/// A token, with what a face shows of its provider and its use.
#[derive(Clone, Debug)]
pub struct ShownToken {
    /// The token.
    pub token: Token,
    /// The identifier of its provider.
    pub provider: Identifier,
    /// When it was let in last; what happened in the last seconds may be missing.
    pub last_used_at: Option<Timestamp>,
}

/// A token with its secret: what making or rotating it gives, once.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub shown: ShownToken,
    /// Its secret.
    pub secret: Secret,
}

impl Keystile {
    /// The tokens of one owner that match; whatever owner the filter names is overruled.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NoAccount`] if the caller has no tokens of its own;
    /// [`ServiceError::NotFound`] if there is no such owner; [`ServiceError::Lacking`] without the
    /// power to see theirs.
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        filter: TokenFilter,
        page: &PageRequest<TokenSort>,
    ) -> Result<Listing<ShownToken>, ServiceError> {
        let mut conn = self.store.read().await?;
        let owner =
            Owner::find(&mut conn, (caller.credential(), caller.notes()), owner, Access::Read)
                .await?;
        let filter = TokenFilter { owner: Some(owner.user.id), ..filter };
        let tokens = conn.list_tokens(&filter, page, self.clock.now()).await?;
        let providers = conn.list_providers().await?;
        let ids: Vec<_> = tokens.items.iter().map(|token| token.id.as_uuid()).collect();
        let used = last_used_at(&mut conn, &ids).await?;
        let items = tokens.items.into_iter().map(|token| shown(token, &providers, &used));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Listing { items, total: tokens.total, next: tokens.next })
    }

    /// One token of an owner.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if the owner has none of this id; otherwise as for listing them.
    pub async fn find_token(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
    ) -> Result<ShownToken, ServiceError> {
        let mut conn = self.store.read().await?;
        let owner =
            Owner::find(&mut conn, (caller.credential(), caller.notes()), owner, Access::Read)
                .await?;
        let token = owner.token(&mut conn, id).await?;
        show(&mut conn, token).await
    }

    /// How the rotation of a token stands; nothing if it was never rotated.
    ///
    /// # Errors
    ///
    /// As for [finding](Self::find_token) the token.
    pub async fn find_token_rotation(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
    ) -> Result<Option<SecretRotation>, ServiceError> {
        let unwritten = self.unwritten_old_secret_uses(id.as_uuid()).await;
        let mut conn = self.store.read().await?;
        let owner =
            Owner::find(&mut conn, (caller.credential(), caller.notes()), owner, Access::Read)
                .await?;
        let token = owner.token(&mut conn, id).await?;
        let rotation = SecretRotation::find(&mut conn, id.into(), token.expiry).await?;
        Ok(rotation.map(|rotation| rotation.with(unwritten)))
    }
}

impl Scope {
    /// Whose tokens a change is about, if the caller may change any of theirs.
    async fn token_owner(&mut self, asked: TokenOwner) -> Result<Owner, ServiceError> {
        let caller = self.caller.clone().ok_or(ServiceError::Unauthenticated)?;
        Owner::find(&mut self.tx, (&caller, self.rights.notes()), asked, Access::Write).await
    }

    /// A token that is about to be changed, and that the caller may touch.
    async fn token_in_reach(
        &mut self,
        owner: &Owner,
        id: TokenId,
        expected: Option<Version>,
    ) -> Result<Token, ServiceError> {
        let token = owner.token(&mut self.tx, id).await?;
        expect_version(expected, token.version)?;
        self.rights.reach(&owner.rights_of(&token).permissions)?;
        Ok(token)
    }

    /// Whether the caller may make what is narrowed to `scopes`: whoever is narrowed themselves
    /// makes nothing wider for themselves, not even where it is worth no more at the moment.
    fn cover_scopes(
        &self,
        owner: &Owner,
        scopes: Option<&PermissionSet>,
    ) -> Result<(), ServiceError> {
        let held = self.caller.as_ref().and_then(|caller| caller.scopes.as_ref());
        let Some(held) = held.filter(|_| owner.is_caller) else { return Ok(()) };
        let everything = [Permission::everything()].into_iter().collect();
        match scopes.unwrap_or(&everything).iter().find(|scope| !held.covers(scope)) {
            None => Ok(()),
            Some(beyond) => Err(CeilingBreach::Power(beyond.clone()).into()),
        }
    }

    fn record_token(
        &mut self,
        action: Action,
        owner: &User,
        before: Option<&Token>,
        after: Option<&Token>,
        reason: Option<Reason>,
    ) -> Result<(), ServiceError> {
        let Some(token) = after.or(before) else { return Ok(()) };
        let state = |token: Option<&Token>| token.map(|token| snapshot(owner, token));
        self.record(action, target(token), (state(before), state(after)), reason)
    }
}

async fn show(conn: &mut Conn, token: Token) -> Result<ShownToken, ServiceError> {
    let providers = conn.list_providers().await?;
    let used = last_used_at(conn, &[token.id.as_uuid()]).await?;
    shown(token, &providers, &used)
}

fn shown(
    token: Token,
    providers: &[Provider],
    used: &BTreeMap<Uuid, Timestamp>,
) -> Result<ShownToken, ServiceError> {
    let provider = providers.iter().find(|provider| provider.id == token.provider);
    // A provider with tokens cannot be deleted, so there is one.
    let provider = provider.ok_or(StoreError::Corrupt("tokens.provider_id"))?;
    let last_used_at = used.get(&token.id.as_uuid()).copied();
    Ok(ShownToken { token, provider: provider.identifier.clone(), last_used_at })
}

/// The token, as the audit log names it.
fn target(token: &Token) -> Target {
    Target { kind: TargetKind::Token, id: token.id.to_string(), name: token.name.to_string() }
}

/// What the audit log says of a token.
fn snapshot(owner: &User, token: &Token) -> Value {
    json!({
        "owner": {"id": token.owner.to_string(), "username": owner.username.as_str()},
        "name": token.name.as_str(),
        "description": token.description.as_ref().map(|text| text.as_str()),
        "key_prefix": token.key_prefix,
        "scopes": token.scopes.as_ref().map(texts),
        "expires_at": token.expiry.at().map(|at| at.to_string()),
    })
}

fn texts(scopes: &PermissionSet) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

//! Changing a token: everything but its secret.

use keystile_domain::{Action, Description, Expiry, Name, PermissionSet, Token, TokenId, Version};
use keystile_storage::StoreError;

use super::issue::hold_scopes;
use super::owner::Owner;
use super::{ShownToken, TokenOwner, show};
use crate::change::{Changed, Options, Scope};
use crate::secrets::key_settings;
use crate::{Caller, Conflict, Keystile, ServiceError};

/// What shall be different about a token; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct TokenChange {
    /// Its name.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Option<Description>>,
    /// When it ends; what has ended stays ended.
    pub expiry: Option<Expiry>,
    /// What it is narrowed to.
    pub scopes: Option<Option<PermissionSet>>,
}

impl Keystile {
    /// Changes a token. A change that changes nothing writes no event and keeps the version.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] or [`ServiceError::Outlives`] if the token before or after is
    /// beyond the caller; [`ServiceError::OldSecret`] if it is changed with its own old secret;
    /// [`ServiceError::Conflict`] if it has ended and shall not have; [`ServiceError::Outdated`] if
    /// it does not have the `expected` version; otherwise as for making one.
    pub async fn update_token(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
        expected: Option<Version>,
        change: TokenChange,
        options: Options<ShownToken>,
    ) -> Result<Changed<ShownToken>, ServiceError> {
        let own = caller.credential().id;
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let before = scope.token_in_reach(&owner, id, expected).await?;
                scope.cover_scopes(&owner, before.scopes.as_ref())?;
                if id.as_uuid() == own {
                    scope.refuse_old_secret()?;
                }
                let mut after = changed(scope, &owner, &before, change).await?;
                if after == before {
                    return show(&mut scope.tx, before).await;
                }
                after.version = before.version.next();
                after.updated_at = scope.now;
                scope.tx.update_token(&after).await?;
                let (old, new) = (Some(&before), Some(&after));
                scope.record_token(Action::TokenUpdated, &owner.user, old, new, None)?;
                show(&mut scope.tx, after).await
            })
        })
        .await
    }
}

/// The token as it will be, if every rule allows.
async fn changed(
    scope: &mut Scope,
    owner: &Owner,
    before: &Token,
    change: TokenChange,
) -> Result<Token, ServiceError> {
    let mut after = before.clone();
    if let Some(expiry) = change.expiry.filter(|expiry| *expiry != before.expiry) {
        after.expiry = moved_end(scope, before, expiry).await?;
    }
    if let Some(scopes) = change.scopes.filter(|scopes| *scopes != before.scopes) {
        scope.cover_scopes(owner, scopes.as_ref())?;
        hold_scopes(owner, scopes.as_ref())?;
        after.scopes = scopes;
        scope.rights.reach(&owner.rights_of(&after).permissions)?;
        if after.expiry > scope.caller_end {
            return Err(ServiceError::Outlives);
        }
    }
    after.name = change.name.unwrap_or(after.name);
    after.description = change.description.unwrap_or(after.description);
    Ok(after)
}

async fn moved_end(
    scope: &mut Scope,
    token: &Token,
    expiry: Expiry,
) -> Result<Expiry, ServiceError> {
    if token.expiry.is_over(scope.now) {
        return Err(Conflict::TokenEnded.into());
    }
    // A provider with tokens cannot be deleted, so there is one.
    let provider = scope.tx.find_provider(token.provider).await?;
    let provider = provider.ok_or(StoreError::Corrupt("tokens.provider_id"))?;
    let lifetime = key_settings(&provider)?.lifetime();
    let settled = lifetime.settle(Some(expiry), scope.caller_end, scope.now);
    settled.map_err(|rule| ServiceError::broken("/expires_at", rule))
}

//! Making a token.

use std::time::Duration;

use keystile_domain::{
    Action, Description, Expiry, ExpiryError, Name, PermissionSet, ProviderKind, Rights, Timestamp,
    Token, TokenId, Version,
};
use keystile_storage::NewSecret;

use super::owner::Owner;
use super::{IssuedToken, ShownToken, TokenOwner};
use crate::change::{Changed, Options, Scope};
use crate::secrets::{Mint, key_settings};
use crate::{Caller, Conflict, Keystile, ProviderName, ServiceError, random};

/// A token that somebody asks for.
#[derive(Clone, Debug)]
pub struct TokenDraft {
    /// Its name; `None`: that of its day.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Description>,
    /// The provider whose rules it shall follow; `None`: the default one.
    pub provider: Option<ProviderName>,
    /// When it shall end; `None`: as the provider says.
    pub end: Option<AskedEnd>,
    /// What it shall be narrowed to; `None`: everything that its owner may.
    pub scopes: Option<PermissionSet>,
}

/// The ways to say when a token shall end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedEnd {
    /// `expires_at`
    At(Expiry),
    /// `expires_in_days`
    InDays(u32),
    /// `expires_in_minutes`
    InMinutes(u32),
}

impl Keystile {
    /// Makes a token.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if it is more than the caller may make or hand out;
    /// [`ServiceError::NotForOthers`] if it is for another person and the provider does not allow
    /// that; [`ServiceError::Broken`] for an unknown provider, an end beyond the rules or a scope
    /// that the owner does not hold; [`ServiceError::Conflict`] if the owner is switched off;
    /// [`ServiceError::NoAccount`], [`ServiceError::NotFound`] and [`ServiceError::Lacking`] as for
    /// listing tokens.
    pub async fn create_token(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        draft: TokenDraft,
        options: Options<IssuedToken>,
    ) -> Result<Changed<IssuedToken>, ServiceError> {
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let issued = issue(scope, &owner, draft).await?;
                let token = &issued.shown.token;
                scope.record_token(Action::TokenCreated, &owner.user, None, Some(token), None)?;
                Ok(issued)
            })
        })
        .await
    }
}

impl AskedEnd {
    fn at(self, now: Timestamp) -> Expiry {
        let minutes = |minutes| Expiry::At(now.after(Duration::from_secs(60 * minutes)));
        match self {
            Self::At(expiry) => expiry,
            Self::InDays(days) => minutes(MINUTES_A_DAY * u64::from(days)),
            Self::InMinutes(span) => minutes(span.into()),
        }
    }

    fn broken(this: Option<Self>, rule: ExpiryError) -> ServiceError {
        let pointer = match this {
            Some(Self::InDays(_)) => "/expires_in_days",
            Some(Self::InMinutes(_)) => "/expires_in_minutes",
            Some(Self::At(_)) | None => "/expires_at",
        };
        ServiceError::broken(pointer, rule)
    }
}

async fn issue(
    scope: &mut Scope,
    owner: &Owner,
    draft: TokenDraft,
) -> Result<IssuedToken, ServiceError> {
    if !owner.user.enabled {
        return Err(Conflict::OwnerDisabled.into());
    }
    let mut mint = Mint::default();
    let kind = ProviderKind::PersonalAccessToken;
    let provider = mint.provider(scope, kind, draft.provider).await?;
    let settings = key_settings(&provider)?;
    owner.hand_out(scope, settings)?;
    scope.cover_scopes(owner, draft.scopes.as_ref())?;
    hold_scopes(owner, draft.scopes.as_ref())?;
    let end = draft.end.map(|end| end.at(scope.now));
    let settled = settings.lifetime().settle(end, scope.caller_end, scope.now);
    let expiry = settled.map_err(|rule| AskedEnd::broken(draft.end, rule))?;
    let secret = mint.draw(scope, &settings.format).await?;
    let token = Token {
        id: random::id(TokenId::new, scope.now)?,
        owner: owner.user.id,
        name: draft.name.map_or_else(|| name_of(scope.now), Ok)?,
        description: draft.description,
        provider: provider.id,
        key_prefix: settings.format.display_prefix(&secret),
        scopes: draft.scopes,
        expiry,
        created_by: scope.creator(),
        created_at: scope.now,
        updated_at: scope.now,
        version: Version::FIRST,
    };
    let digest = scope.keys.digest(&secret.fingerprint());
    scope.tx.insert_token(&token, NewSecret::new(digest, Some(&settings.format))).await?;
    let shown = ShownToken { token, provider: provider.identifier, last_used_at: None };
    Ok(IssuedToken { shown, secret })
}

/// A scope that the owner does not hold does no harm, but whoever asks for it counts on it.
pub(super) fn hold_scopes(
    owner: &Owner,
    scopes: Option<&PermissionSet>,
) -> Result<(), ServiceError> {
    let held = Rights::of(&owner.roles).permissions;
    let mut scopes = scopes.into_iter().flat_map(PermissionSet::iter);
    match scopes.find(|scope| !held.covers(scope)) {
        None => Ok(()),
        Some(beyond) => {
            let rule = format_args!("the owner does not hold {beyond}");
            Err(ServiceError::broken("/scopes", rule))
        }
    }
}

/// A name for a token whose maker gives none.
fn name_of(now: Timestamp) -> Result<Name, ServiceError> {
    let now = now.to_string();
    let day = now.split('T').next().unwrap_or_default();
    format!("Token of {day}").parse().map_err(|rule| ServiceError::broken("/name", rule))
}

const MINUTES_A_DAY: u64 = 24 * 60;

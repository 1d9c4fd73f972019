//! Rotating a token: a new secret under the same id.

use keystile_domain::{Action, RotationOverlap, Token, TokenId, Version};
use keystile_storage::{NewSecret, StoreError};
use serde_json::Value;

use super::{IssuedToken, TokenOwner, show, snapshot, target};
use crate::change::{Changed, Options};
use crate::secrets::{Mint, key_settings};
use crate::{Caller, Conflict, Keystile, ServiceError};

impl Keystile {
    /// Gives a token a new secret; the old one works for the time of `overlap`. Rotating again ends
    /// the older one.
    ///
    /// Nothing else about the token changes, its end least of all. Because the answer is a working
    /// secret, whoever rotates a token must be allowed to make it.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] or [`ServiceError::Outlives`] if the token is beyond the caller;
    /// [`ServiceError::OldSecret`] if it is rotated with its own old secret;
    /// [`ServiceError::NotForOthers`] if it is another person's and the provider does not allow
    /// that; [`ServiceError::Conflict`] if it has ended or its owner is switched off;
    /// [`ServiceError::Outdated`] if it does not have the `expected` version;
    /// [`ServiceError::NoAccount`], [`ServiceError::NotFound`] and [`ServiceError::Lacking`] as for
    /// listing tokens.
    pub async fn rotate_token(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
        expected: Option<Version>,
        overlap: RotationOverlap,
        options: Options<IssuedToken>,
    ) -> Result<Changed<IssuedToken>, ServiceError> {
        let own = caller.credential().id;
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let before = scope.token_in_reach(&owner, id, expected).await?;
                scope.cover_scopes(&owner, before.scopes.as_ref())?;
                if id.as_uuid() == own {
                    scope.refuse_old_secret()?;
                }
                // A provider with tokens cannot be deleted, so there is one.
                let provider = scope.tx.find_provider(before.provider).await?;
                let provider = provider.ok_or(StoreError::Corrupt("tokens.provider_id"))?;
                let settings = key_settings(&provider)?;
                owner.hand_out(scope, settings)?;
                if before.expiry.is_over(scope.now) {
                    return Err(Conflict::TokenEnded.into());
                }
                if !owner.user.enabled {
                    return Err(Conflict::OwnerDisabled.into());
                }
                if before.expiry > scope.caller_end {
                    return Err(ServiceError::Outlives);
                }
                let secret = Mint::default().draw(scope, &settings.format).await?;
                let after = Token {
                    key_prefix: settings.format.display_prefix(&secret),
                    version: before.version.next(),
                    updated_at: scope.now,
                    ..before.clone()
                };
                let digest = scope.keys.digest(&secret.fingerprint());
                let old_end = overlap.end(scope.now);
                scope.tx.update_token(&after).await?;
                let stored = NewSecret::new(digest, Some(&settings.format));
                scope.tx.replace_secret(&after, stored, old_end, scope.now).await?;
                let mut state = snapshot(&owner.user, &after);
                if let Value::Object(members) = &mut state {
                    let old_end = Value::from(old_end.to_string());
                    members.insert("old_secret_expires_at".to_owned(), old_end);
                }
                let states = (Some(snapshot(&owner.user, &before)), Some(state));
                scope.record(Action::TokenRotated, target(&after), states, None)?;
                let shown = show(&mut scope.tx, after).await?;
                Ok(IssuedToken { shown, secret })
            })
        })
        .await
    }
}

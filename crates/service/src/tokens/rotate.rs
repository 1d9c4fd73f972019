//! Rotating a token: a new secret under the same id, and what becomes of the old one.

use keystile_domain::{Action, KeySettings, Provider, RotationOverlap, Token, TokenId, Version};
use keystile_storage::{NewSecret, StoreError};

use super::owner::Owner;
use super::{IssuedToken, TokenOwner, show, snapshot, target};
use crate::change::{Changed, Options, Scope};
use crate::rotation::{SecretRotation, with_old_end};
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
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let before = scope.token_in_reach(&owner, id, expected).await?;
                let provider = scope.token_provider(&before).await?;
                let settings = key_settings(&provider)?;
                scope.may_prolong(&owner, &before, settings)?;
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
                let (old, new) = (snapshot(&owner.user, &before), snapshot(&owner.user, &after));
                let states = (Some(old), Some(with_old_end(new, old_end)));
                scope.record(Action::TokenRotated, target(&after), states, None)?;
                let shown = show(&mut scope.tx, after).await?;
                Ok(IssuedToken { shown, secret })
            })
        })
        .await
    }

    /// Ends the old secret of a rotated token now. It takes no more than deleting the token does.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if no old secret works; [`ServiceError::Ceiling`] if the token is
    /// beyond the caller; [`ServiceError::NoAccount`], [`ServiceError::NotFound`] and
    /// [`ServiceError::Lacking`] as for listing tokens.
    pub async fn finish_token_rotation(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
        options: Options<SecretRotation>,
    ) -> Result<Changed<SecretRotation>, ServiceError> {
        let unwritten = self.unwritten_old_secret_uses(id.as_uuid()).await;
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let token = scope.token_in_reach(&owner, id, None).await?;
                let state = snapshot(&owner.user, &token);
                let event = (Action::TokenRotationFinished, target(&token), state);
                let moved = scope.move_old_end((id.into(), token.expiry), scope.now, event).await?;
                Ok(moved.with(unwritten))
            })
        })
        .await
    }

    /// Lets the old secret of a rotated token work until `overlap` from now, and never longer than
    /// the token.
    ///
    /// A secret lives longer, so whoever extends a rotation must be allowed to make the token.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if no old secret works: one that has ended stays ended;
    /// otherwise as for rotating.
    pub async fn extend_token_rotation(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
        overlap: RotationOverlap,
        options: Options<SecretRotation>,
    ) -> Result<Changed<SecretRotation>, ServiceError> {
        let unwritten = self.unwritten_old_secret_uses(id.as_uuid()).await;
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let token = scope.token_in_reach(&owner, id, None).await?;
                let provider = scope.token_provider(&token).await?;
                scope.may_prolong(&owner, &token, key_settings(&provider)?)?;
                let ends_at = overlap.end(scope.now);
                let state = snapshot(&owner.user, &token);
                let event = (Action::TokenRotationExtended, target(&token), state);
                let moved = scope.move_old_end((id.into(), token.expiry), ends_at, event).await?;
                Ok(moved.with(unwritten))
            })
        })
        .await
    }
}

impl Scope {
    /// The provider of a token. One with tokens cannot be deleted, so there is one.
    async fn token_provider(&mut self, token: &Token) -> Result<Provider, ServiceError> {
        let provider = self.tx.find_provider(token.provider).await?;
        Ok(provider.ok_or(StoreError::Corrupt("tokens.provider_id"))?)
    }

    /// Refuses whoever could not make this token, as it is: a secret of it is to be new, or to live
    /// longer.
    fn may_prolong(
        &self,
        owner: &Owner,
        token: &Token,
        settings: &KeySettings,
    ) -> Result<(), ServiceError> {
        self.cover_scopes(owner, token.scopes.as_ref())?;
        if self.caller.as_ref().is_some_and(|caller| caller.id == token.id.as_uuid()) {
            self.refuse_old_secret()?;
        }
        owner.hand_out(self, settings)?;
        if token.expiry.is_over(self.now) {
            return Err(Conflict::TokenEnded.into());
        }
        if !owner.user.enabled {
            return Err(Conflict::OwnerDisabled.into());
        }
        if token.expiry > self.caller_end {
            return Err(ServiceError::Outlives);
        }
        Ok(())
    }
}

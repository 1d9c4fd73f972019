//! Rotating a key: a new secret under the same id, and what becomes of the old one.

use keystile_domain::{
    Action, ApiKey, ApiKeyId, CredentialKind, Power, Role, RotationOverlap, Timestamp, Version,
};
use keystile_storage::NewSecret;

use super::{IssuedApiKey, show, snapshot, target};
use crate::change::{Changed, Options, Scope};
use crate::rotation::{SecretRotation, with_old_end};
use crate::secrets::{Mint, key_settings};
use crate::{Caller, Keystile, ServiceError};

impl Keystile {
    /// Gives a key a new secret; the old one works for the time of `overlap`. Rotating again ends
    /// the older one.
    ///
    /// Nothing else about the key changes: a disabled key stays disabled, and its end stays where
    /// it is. Because the answer is a working secret, the caller must be able to hand out every
    /// role of the key that it does not hold itself.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if the key is beyond the caller, and [`ServiceError::Outlives`] if
    /// it ends later; [`ServiceError::Outdated`] if it does not have the `expected` version;
    /// [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without `keystile.api_keys.write`.
    pub async fn rotate_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        expected: Option<Version>,
        overlap: RotationOverlap,
        options: Options<IssuedApiKey>,
    ) -> Result<Changed<IssuedApiKey>, ServiceError> {
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move {
                let (before, roles) = scope.api_key_in_reach(id, expected).await?;
                may_renew(scope, &before, &roles)?;
                let provider = scope.provider_of(&before).await?;
                let format = &key_settings(&provider)?.format;
                let secret = Mint::default().draw(scope, format).await?;
                let after = ApiKey {
                    key_prefix: format.display_prefix(&secret),
                    version: before.version.next(),
                    updated_at: scope.now,
                    ..before.clone()
                };
                let digest = scope.keys.digest(&secret.fingerprint());
                let old_end = overlap.end(scope.now);
                scope.tx.update_api_key(&after).await?;
                let stored = NewSecret::new(digest, Some(format));
                scope.tx.replace_secret(&after, stored, old_end, scope.now).await?;
                let (old, new) = (snapshot(&before), with_old_end(snapshot(&after), old_end));
                let target = target(&after);
                scope.record(Action::ApiKeyRotated, target, (Some(old), Some(new)), None)?;
                let shown = show(&mut scope.tx, &scope.quotas, after, scope.now).await?;
                Ok(IssuedApiKey { shown, secret: Some(secret) })
            })
        })
        .await
    }

    /// Ends the old secret of a rotated key now.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if no old secret works; otherwise as for rotating.
    pub async fn finish_rotation(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        options: Options<SecretRotation>,
    ) -> Result<Changed<SecretRotation>, ServiceError> {
        let action = Action::ApiKeyRotationFinished;
        self.move_old_end_of_key(caller, id, action, options, |scope, _, _| Ok(scope.now)).await
    }

    /// Lets the old secret of a rotated key work until `overlap` from now.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if no old secret works: one that has ended stays ended;
    /// otherwise as for rotating.
    pub async fn extend_rotation(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        overlap: RotationOverlap,
        options: Options<SecretRotation>,
    ) -> Result<Changed<SecretRotation>, ServiceError> {
        let action = Action::ApiKeyRotationExtended;
        self.move_old_end_of_key(caller, id, action, options, move |scope, key, roles| {
            may_renew(scope, key, roles)?;
            Ok(overlap.end(scope.now))
        })
        .await
    }

    async fn move_old_end_of_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        action: Action,
        options: Options<SecretRotation>,
        end: impl FnOnce(&Scope, &ApiKey, &[Role]) -> Result<Timestamp, ServiceError> + Send + 'static,
    ) -> Result<Changed<SecretRotation>, ServiceError> {
        let unwritten = self.unwritten_old_secret_uses(id.as_uuid()).await;
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move {
                let (key, roles) = scope.api_key_in_reach(id, None).await?;
                let ends_at = end(scope, &key, &roles)?;
                let event = (action, target(&key), snapshot(&key));
                let moved = scope.move_old_end((id.into(), key.expiry), ends_at, event).await?;
                Ok(moved.with(unwritten))
            })
        })
        .await
    }
}

/// Refuses whoever may not make what a key's secret lets in, new or for longer.
fn may_renew(scope: &Scope, key: &ApiKey, roles: &[Role]) -> Result<(), ServiceError> {
    scope.refuse_old_secret()?;
    // What was traded for a key is not the key: it may be narrower, and ends earlier.
    let is_itself = scope.caller.as_ref().is_some_and(|caller| {
        caller.kind == CredentialKind::ApiKey && caller.id == key.id.as_uuid()
    });
    if !is_itself {
        roles.iter().try_for_each(|role| scope.rights.reach_role(role))?;
    }
    if key.expiry > scope.caller_end { Err(ServiceError::Outlives) } else { Ok(()) }
}

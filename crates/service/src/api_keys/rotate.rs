//! Rotating a key: a new secret under the same id, and what becomes of the old one.

use keystile_domain::{
    Action, ApiKey, ApiKeyId, CredentialKind, OldSecret, Power, RotationOverlap, Timestamp, Version,
};
use keystile_storage::NewSecret;
use keystile_storage::{Conn, StoreError};
use serde_json::Value;

use super::{IssuedApiKey, show, snapshot, target};
use crate::change::{Changed, Options, Scope};
use crate::secrets::{Mint, key_settings};
use crate::usage::OldSecretUse;
use crate::{Caller, Conflict, Keystile, ServiceError};

/// How the rotation of a key stands.
#[derive(Clone, Debug)]
pub struct KeyRotation {
    /// The secret that it had before.
    pub old: OldSecret,
    /// Who showed that one since, the latest first; of many the latest.
    pub uses: Vec<OldSecretUse>,
}

impl KeyRotation {
    pub(super) async fn of(
        conn: &mut Conn,
        id: ApiKeyId,
        old: OldSecret,
    ) -> Result<Self, StoreError> {
        Ok(Self { old, uses: conn.list_old_secret_uses(id.as_uuid(), MOST_CLIENTS).await? })
    }
}

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
                // What was traded for a key is not the key: it may be narrower, and ends earlier.
                let is_itself = scope.caller.as_ref().is_some_and(|caller| {
                    caller.kind == CredentialKind::ApiKey && caller.id == before.id.as_uuid()
                });
                scope.refuse_old_secret()?;
                if !is_itself {
                    roles.iter().try_for_each(|role| scope.rights.reach_role(role))?;
                }
                if before.expiry > scope.caller_end {
                    return Err(ServiceError::Outlives);
                }
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
                let (old, new) = (snapshot(&before), with_old_end(&after, old_end));
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
        options: Options<KeyRotation>,
    ) -> Result<Changed<KeyRotation>, ServiceError> {
        let action = Action::ApiKeyRotationFinished;
        self.move_old_end(caller, id, action, options, |scope| Ok(scope.now)).await
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
        options: Options<KeyRotation>,
    ) -> Result<Changed<KeyRotation>, ServiceError> {
        let action = Action::ApiKeyRotationExtended;
        let own = caller.credential().id;
        self.move_old_end(caller, id, action, options, move |scope| {
            if id.as_uuid() == own {
                scope.refuse_old_secret()?;
            }
            Ok(overlap.end(scope.now))
        })
        .await
    }

    async fn move_old_end(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        action: Action,
        options: Options<KeyRotation>,
        end: impl FnOnce(&Scope) -> Result<Timestamp, ServiceError> + Send + 'static,
    ) -> Result<Changed<KeyRotation>, ServiceError> {
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move {
                let (key, _) = scope.api_key_in_reach(id, None).await?;
                let old = scope.tx.find_old_secret(id).await?;
                let Some(old) = old.filter(|old| old.ends_at > scope.now) else {
                    return Err(Conflict::NoRotation.into());
                };
                let ends_at = end(scope)?;
                scope.tx.update_old_secret_end(id, ends_at).await?;
                let states = [old.ends_at, ends_at].map(|end| Some(with_old_end(&key, end)));
                scope.record(action, target(&key), states.into(), None)?;
                Ok(KeyRotation::of(&mut scope.tx, id, OldSecret { ends_at }).await?)
            })
        })
        .await
    }
}

/// What the audit log says of a key whose old secret still counts.
fn with_old_end(key: &ApiKey, old_end: Timestamp) -> Value {
    let mut state = snapshot(key);
    if let Value::Object(members) = &mut state {
        members.insert("old_secret_expires_at".to_owned(), Value::from(old_end.to_string()));
    }
    state
}

/// How many clients are shown.
const MOST_CLIENTS: u8 = 100;

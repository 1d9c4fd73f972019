//! Deleting keys, for ever.

use keystile_domain::{Action, ApiKeyId, ExternalId, Power, Reason, Rights, Version};
use keystile_storage::Except;

use super::{ShownApiKey, is_live, show};
use crate::change::{Changed, Options, Scope};
use crate::{Caller, Keystile, ServiceError};

impl Keystile {
    /// Deletes a key for ever; a tombstone stays.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if the key is beyond the caller; [`ServiceError::Conflict`] if
    /// nobody would be left who may do everything; [`ServiceError::Outdated`] if it does not have
    /// the `expected` version; [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without
    /// `keystile.api_keys.write`.
    pub async fn remove_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        expected: Option<Version>,
        reason: Option<Reason>,
        options: Options<ShownApiKey>,
    ) -> Result<Changed<ShownApiKey>, ServiceError> {
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move { remove(scope, id, expected, reason.as_ref()).await })
        })
        .await
    }

    /// Deletes every key with the external id, all of them or none.
    ///
    /// # Errors
    ///
    /// As for one key; the first key that may not be deleted spares all.
    pub async fn remove_api_keys_by_external_id(
        &self,
        caller: &Caller,
        external_id: ExternalId,
        reason: Option<Reason>,
        options: Options<Vec<ShownApiKey>>,
    ) -> Result<Changed<Vec<ShownApiKey>>, ServiceError> {
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move {
                let mut removed = Vec::new();
                for key in scope.tx.list_api_keys_by_external_id(&external_id).await? {
                    removed.push(remove(scope, key.id, None, reason.as_ref()).await?);
                }
                Ok(removed)
            })
        })
        .await
    }
}

/// Deletes a key that the caller may touch, whatever power they have.
pub(crate) async fn remove(
    scope: &mut Scope,
    id: ApiKeyId,
    expected: Option<Version>,
    reason: Option<&Reason>,
) -> Result<ShownApiKey, ServiceError> {
    let (key, roles) = scope.api_key_in_reach(id, expected).await?;
    if is_live(&key, scope.now) {
        scope
            .spare_last_administrator(
                &Rights::of(&roles),
                &Except { api_keys: &[id], ..Except::default() },
            )
            .await?;
    }
    let tombstone = scope.tombstone(reason);
    scope.tx.remove_api_key(&key, &tombstone).await?;
    scope.record_api_key(Action::ApiKeyDeleted, Some(&key), None, reason.cloned())?;
    show(&mut scope.tx, &scope.quotas, key, scope.now).await
}

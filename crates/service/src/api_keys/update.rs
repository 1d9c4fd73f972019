//! Changing a key: everything but its secret.

use std::collections::BTreeSet;

use keystile_domain::{
    Action, AllowedIps, ApiKey, ApiKeyId, Description, Expiry, ExternalId, Name, Power, RateLimits,
    Rights, RoleId, Version,
};
use keystile_storage::Except;
use serde_json::{Map, Value};

use super::{ShownApiKey, is_live, settle_expiry, show};
use crate::change::{Changed, Options, Scope};
use crate::limits::QuotaDraft;
use crate::{Caller, Keystile, ServiceError};

/// What shall be different about a key; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyChange {
    /// Its name.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Option<Description>>,
    /// The roles that it holds.
    pub roles: Option<BTreeSet<RoleId>>,
    /// When it ends.
    pub expiry: Option<Expiry>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
    /// Where it may be used from.
    pub allowed_ips: Option<AllowedIps>,
    /// How often it may be used in a time.
    pub rate_limits: Option<RateLimits>,
    /// How often it may be used at all.
    pub quota: Option<Option<QuotaDraft>>,
    /// What another system calls it.
    pub external_id: Option<Option<ExternalId>>,
    /// What the customer keeps beside it: a merge patch, or `None` for nothing at all.
    pub metadata: Option<Option<Map<String, Value>>>,
}

impl Keystile {
    /// Changes a key. A change that changes nothing writes no event and keeps the version.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if the key before or after is beyond the caller;
    /// [`ServiceError::Conflict`] if nobody would be left who may do everything;
    /// [`ServiceError::Outdated`] if it does not have the `expected` version;
    /// [`ServiceError::Broken`] for an unknown role or an end beyond the rules;
    /// [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without `keystile.api_keys.write`.
    pub async fn update_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        expected: Option<Version>,
        change: ApiKeyChange,
        options: Options<ShownApiKey>,
    ) -> Result<Changed<ShownApiKey>, ServiceError> {
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move {
                let quota = change.quota.flatten();
                let (before, roles) = scope.api_key_in_reach(id, expected).await?;
                let rights_before = Rights::of(&roles);
                let mut after = changed(scope, &before, change).await?;
                if after == before {
                    return show(&mut scope.tx, &scope.quotas, before, scope.now).await;
                }
                if is_live(&before, scope.now) {
                    spare_last_administrator(scope, (&before, &rights_before), &after).await?;
                }
                after.version = before.version.next();
                after.updated_at = scope.now;
                scope.tx.update_api_key(&after).await?;
                if let (Some(draft), Some(settled)) = (quota, after.quota)
                    && before.quota.map(|quota| quota.since) != Some(settled.since)
                {
                    scope.tx.put_quota_uses(&[(after.id, draft.begin(settled))]).await?;
                }
                scope.record_api_key(action(&before, &after), Some(&before), Some(&after), None)?;
                show(&mut scope.tx, &scope.quotas, after, scope.now).await
            })
        })
        .await
    }
}

/// The key as it will be, if every rule allows.
async fn changed(
    scope: &mut Scope,
    before: &ApiKey,
    change: ApiKeyChange,
) -> Result<ApiKey, ServiceError> {
    let mut after = before.clone();
    if let Some(roles) = change.roles {
        for role in scope.roles_named(&roles).await? {
            if !before.roles.contains(&role.id) {
                scope.rights.reach_role(&role)?;
            }
        }
        after.roles = roles;
    }
    if let Some(expiry) = change.expiry.filter(|expiry| *expiry != before.expiry) {
        let provider = scope.provider_of(before).await?;
        after.expiry = settle_expiry(scope, &provider, Some(expiry))?;
    }
    if let Some(patch) = change.metadata {
        after.metadata = match patch {
            None => Default::default(),
            Some(patch) => before
                .metadata
                .merged(patch)
                .map_err(|error| ServiceError::broken("/metadata", error))?,
        };
    }
    after.name = change.name.unwrap_or(after.name);
    after.description = change.description.unwrap_or(after.description);
    after.enabled = change.enabled.unwrap_or(after.enabled);
    after.rate_limits = change.rate_limits.unwrap_or(after.rate_limits);
    if let Some(draft) = change.quota {
        after.quota = draft.map(|draft| draft.settle(before.quota, scope.now));
    }
    after.allowed_ips = change.allowed_ips.unwrap_or(after.allowed_ips);
    after.external_id = change.external_id.unwrap_or(after.external_id);
    Ok(after)
}

/// The last administrator stays one: live, for as long as before, and with a role that allows
/// everything.
async fn spare_last_administrator(
    scope: &mut Scope,
    (before, rights_before): (&ApiKey, &Rights),
    after: &ApiKey,
) -> Result<(), ServiceError> {
    let rights_after = Rights::of(&scope.tx.list_roles_by_id(&after.roles).await?);
    let lives_on = is_live(after, scope.now) && after.expiry >= before.expiry;
    if lives_on && rights_after.are_unlimited() {
        return Ok(());
    }
    scope
        .spare_last_administrator(
            rights_before,
            &Except { api_keys: &[after.id], ..Except::default() },
        )
        .await
}

fn action(before: &ApiKey, after: &ApiKey) -> Action {
    match (before.enabled, after.enabled) {
        (true, false) => Action::ApiKeyDisabled,
        (false, true) => Action::ApiKeyEnabled,
        _ => Action::ApiKeyUpdated,
    }
}

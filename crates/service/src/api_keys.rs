//! API keys: what can be asked and changed.
//!
//! Each change is in a file of its own; what they share is here: looking a key up, the ceiling,
//! and what the audit log says of a key.

mod batch;
mod import;
mod issue;
mod issuer;
mod remove;
mod rotate;
mod update;

use keystile_domain::{
    Action, ApiKey, ApiKeyFilter, ApiKeyId, ApiKeySort, Expiry, ExpiryError, Identifier, Listing,
    PageRequest, Power, Provider, ProviderId, Reason, Rights, Role, Secret, Target, TargetKind,
    Timestamp, Version,
};
use keystile_storage::{Conn, StoreError};
use serde_json::{Value, json};

use crate::change::{Scope, expect_version};
use crate::limits::{self, Quotas};
use crate::rotation::SecretRotation;
use crate::secrets::{find_provider, key_settings};
use crate::usage::last_used_at;
use crate::{Caller, Keystile, ProviderName, ServiceError};

pub use batch::BatchOutcome;
pub use import::{ApiKeyImport, ImportedSecret};
pub use issue::ApiKeyDraft;
pub(crate) use remove::remove as remove_api_key;
pub use update::ApiKeyChange;

/// A key, with what a face shows of its provider and its use.
#[derive(Clone, Debug)]
pub struct ShownApiKey {
    /// The key.
    pub api_key: ApiKey,
    /// The identifier of its provider.
    pub provider: Identifier,
    /// When it was let in last; what happened in the last seconds may be missing.
    pub last_used_at: Option<Timestamp>,
    /// How much is left of its quota, if it has one. What other nodes hold ready counts as used.
    pub remaining: Option<i64>,
    /// Whether it was imported by its hash and its secret was never shown since.
    pub unseen_import: bool,
}

/// A key with its secret: what making or rotating it gives, once.
#[derive(Debug)]
pub struct IssuedApiKey {
    /// The key.
    pub shown: ShownApiKey,
    /// Its secret; `None`: its holder has it already.
    pub secret: Option<Secret>,
}

impl Keystile {
    /// The keys that match.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.api_keys.read`.
    pub async fn list_api_keys(
        &self,
        caller: &Caller,
        filter: &ApiKeyFilter,
        page: &PageRequest<ApiKeySort>,
    ) -> Result<Listing<ShownApiKey>, ServiceError> {
        caller.require(Power::ApiKeysRead)?;
        let mut conn = self.store.read().await?;
        let keys = conn.list_api_keys(filter, page, self.clock.now()).await?;
        let items = show_all(&mut conn, &self.quotas, keys.items, self.clock.now()).await?;
        Ok(Listing { items, total: keys.total, next: keys.next })
    }

    /// One key.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is none of this id; [`ServiceError::Lacking`] without
    /// `keystile.api_keys.read`.
    pub async fn find_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
    ) -> Result<ShownApiKey, ServiceError> {
        caller.require(Power::ApiKeysRead)?;
        let mut conn = self.store.read().await?;
        let api_key = conn.find_api_key(id).await?.ok_or(ServiceError::NotFound)?;
        show(&mut conn, &self.quotas, api_key, self.clock.now()).await
    }

    /// The id of the provider that a list filter names; nothing if there is none.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot say.
    pub async fn find_provider_id(
        &self,
        name: &ProviderName,
    ) -> Result<Option<ProviderId>, ServiceError> {
        let mut conn = self.store.read().await?;
        Ok(find_provider(&mut conn, name).await?.map(|provider| provider.id))
    }

    /// How the rotation of a key stands.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is no such key; [`ServiceError::Lacking`] without
    /// `keystile.api_keys.read`.
    pub async fn find_rotation(
        &self,
        caller: &Caller,
        id: ApiKeyId,
    ) -> Result<Option<SecretRotation>, ServiceError> {
        caller.require(Power::ApiKeysRead)?;
        let unwritten = self.unwritten_old_secret_uses(id.as_uuid()).await;
        let mut conn = self.store.read().await?;
        let key = conn.find_api_key(id).await?.ok_or(ServiceError::NotFound)?;
        let rotation = SecretRotation::find(&mut conn, id.into(), key.expiry).await?;
        Ok(rotation.map(|rotation| rotation.with(unwritten)))
    }
}

impl Scope {
    /// A key that is about to be changed, and that the caller may touch.
    async fn api_key_in_reach(
        &mut self,
        id: ApiKeyId,
        expected: Option<Version>,
    ) -> Result<(ApiKey, Vec<Role>), ServiceError> {
        let key = self.tx.find_api_key(id).await?.ok_or(ServiceError::NotFound)?;
        expect_version(expected, key.version)?;
        let roles = self.tx.list_roles_by_id(&key.roles).await?;
        self.rights.reach(&Rights::of(&roles).permissions)?;
        Ok((key, roles))
    }

    /// The provider of a key. One with keys cannot be deleted, so there is one.
    async fn provider_of(&mut self, key: &ApiKey) -> Result<Provider, ServiceError> {
        let provider = self.tx.find_provider(key.provider).await?;
        Ok(provider.ok_or(StoreError::Corrupt("api_keys.provider_id"))?)
    }

    pub(crate) fn record_api_key(
        &mut self,
        action: Action,
        before: Option<&ApiKey>,
        after: Option<&ApiKey>,
        reason: Option<Reason>,
    ) -> Result<(), ServiceError> {
        let Some(key) = after.or(before) else { return Ok(()) };
        self.record(action, target(key), (before.map(snapshot), after.map(snapshot)), reason)
    }
}

/// One key, as the database and this node's memory have it now.
async fn show(
    conn: &mut Conn,
    quotas: &Quotas,
    key: ApiKey,
    now: Timestamp,
) -> Result<ShownApiKey, ServiceError> {
    let shown = show_all(conn, quotas, vec![key], now).await?.pop();
    Ok(shown.ok_or(StoreError::NotFound)?)
}

pub(crate) async fn show_all(
    conn: &mut Conn,
    quotas: &Quotas,
    keys: Vec<ApiKey>,
    now: Timestamp,
) -> Result<Vec<ShownApiKey>, ServiceError> {
    let providers = conn.list_providers().await?;
    let ids: Vec<_> = keys.iter().map(|key| key.id.as_uuid()).collect();
    let last_used = last_used_at(conn, &ids).await?;
    let limited: Vec<_> = keys.iter().filter(|key| key.quota.is_some()).map(|key| key.id).collect();
    let uses = conn.find_quota_uses(&limited).await?;
    let unseen = conn.list_unseen_imports(&ids).await?;
    let show = |api_key: ApiKey| {
        let provider = providers.iter().find(|provider| provider.id == api_key.provider);
        // A provider with keys cannot be deleted, so there is one.
        let provider = provider.ok_or(StoreError::Corrupt("api_keys.provider_id"))?;
        let last_used_at = last_used.get(&api_key.id.as_uuid()).copied();
        let usage = api_key.quota.zip(uses.get(&api_key.id));
        let remaining =
            usage.map(|(quota, usage)| quotas.remaining(api_key.id, quota, *usage, now));
        let unseen_import = unseen.contains(&api_key.id.as_uuid());
        let provider = provider.identifier.clone();
        Ok(ShownApiKey { api_key, provider, last_used_at, remaining, unseen_import })
    };
    keys.into_iter().map(show).collect()
}

fn broken_expiry(error: ExpiryError) -> ServiceError {
    ServiceError::broken("/expires_at", error)
}

/// The key, as the audit log names it.
fn target(key: &ApiKey) -> Target {
    Target { kind: TargetKind::ApiKey, id: key.id.to_string(), name: key.name.to_string() }
}

/// What the audit log says of a key.
fn snapshot(key: &ApiKey) -> Value {
    json!({
        "name": key.name.as_str(),
        "description": key.description.as_ref().map(|text| text.as_str()),
        "key_prefix": key.key_prefix,
        "role_ids": key.roles.iter().map(|id| id.0).collect::<Vec<_>>(),
        "expires_at": time(key.expiry.at()),
        "enabled": key.enabled,
        "allowed_ips": key.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rate_limits": limits::snapshot(&key.rate_limits),
        "quota": key.quota.map(limits::quota_snapshot),
        "external_id": key.external_id.as_ref().map(|id| id.as_str()),
        "metadata": key.metadata.as_map(),
    })
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// Whether somebody may use the key at the moment `now`, as far as the key itself goes.
fn is_live(key: &ApiKey, now: Timestamp) -> bool {
    key.enabled && !key.expiry.is_over(now)
}

/// The end that a key gets, by its provider's rules and the caller's own end.
fn settle_expiry(
    scope: &Scope,
    provider: &Provider,
    asked: Option<Expiry>,
) -> Result<Expiry, ServiceError> {
    let settings = key_settings(provider)?;
    settings.lifetime().settle(asked, scope.caller_end, scope.now).map_err(broken_expiry)
}

//! Keys as they are shown.

use keystile_api::api_keys::{ApiKey as View, DeletedApiKeys, IssuedApiKey as IssuedView};
use keystile_service::api_keys::{IssuedApiKey, ShownApiKey};

use crate::answer::Answer;
use crate::limits::{quota, rate_limit_views};
use crate::me::principal_view;

pub(crate) fn api_key(shown: &ShownApiKey) -> View {
    let key = &shown.api_key;
    View {
        id: key.id.as_uuid(),
        name: key.name.to_string(),
        description: key.description.as_ref().map(ToString::to_string),
        provider: shown.provider.to_string(),
        key_prefix: key.key_prefix.clone(),
        role_ids: key.roles.iter().map(|id| id.0).collect(),
        expires_at: key.expiry.at().map(|at| at.to_string()),
        last_used_at: shown.last_used_at.map(|at| at.to_string()),
        unseen_import: shown.unseen_import,
        enabled: key.enabled,
        allowed_ips: key.allowed_ips.iter().map(ToString::to_string).collect(),
        rate_limits: rate_limit_views(&key.rate_limits),
        quota: key.quota.map(|it| quota(it, shown.remaining.unwrap_or_default())),
        external_id: key.external_id.as_ref().map(ToString::to_string),
        metadata: key.metadata.as_map().clone(),
        created_by: key.created_by.as_ref().map(|by| principal_view(by).into_owned()),
        created_at: key.created_at.to_string(),
        updated_at: key.updated_at.to_string(),
    }
}

/// The one view that has a secret in it.
pub(super) fn issued(issued: &IssuedApiKey) -> IssuedView {
    let key = issued.secret.as_ref().map(|secret| secret.expose().to_owned());
    IssuedView { api_key: api_key(&issued.shown), key }
}

/// The same view of a key that was not made: without the secret.
pub(super) fn withheld(issued: &IssuedApiKey) -> IssuedView {
    IssuedView { api_key: api_key(&issued.shown), key: None }
}

pub(super) fn created(key: &IssuedApiKey) -> Answer {
    let shown = &key.shown.api_key;
    Answer::created(format!("/api/v1/api-keys/{}", shown.id), &issued(key)).version(shown.version)
}

pub(super) fn rotated(key: &IssuedApiKey) -> Answer {
    Answer::ok(&issued(key)).version(key.shown.api_key.version)
}

pub(super) fn shown(key: &ShownApiKey) -> Answer {
    Answer::ok(&api_key(key)).version(key.api_key.version)
}

pub(super) fn deleted(keys: &[ShownApiKey]) -> Answer {
    Answer::ok(&DeletedApiKeys { data: keys.iter().map(api_key).collect() })
}

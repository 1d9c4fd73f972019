//! From the members of a request to what the use cases take.

use keystile_api::api_keys::{ApiKeyPatch, NewApiKey};
use keystile_api::patch::Patch;
use keystile_domain::{
    AllowedIps, Description, Expiry, ExternalId, IdError, Metadata, Name, Network, NetworkError,
    ProviderId, RoleId, Timestamp, TimestampError,
};
use keystile_service::api_keys::{ApiKeyChange, ApiKeyDraft};
use keystile_service::{ProviderName, ServiceError};

use super::import::import;
use crate::fields::Fields;
use crate::limits::{new_quota, rate_limits, replaced_rate_limits};

/// A key that is asked for.
pub(super) fn draft(new: NewApiKey) -> Result<ApiKeyDraft, ServiceError> {
    let mut fields = Fields::default();
    let name = fields.read("/name", Name::try_from(new.name));
    let description = fields.optional("/description", new.description, Description::try_from);
    let roles = fields.list("/role_ids", new.role_ids, RoleId::try_from);
    let expiry = match new.expires_at {
        Patch::Absent => None,
        Patch::Null => Some(Expiry::Never),
        Patch::Value(text) => fields.read("/expires_at", expiry(text)),
    };
    let provider = fields.optional("/provider", new.provider, provider_name);
    let networks = fields.list("/allowed_ips", new.allowed_ips, network);
    let allowed_ips = fields.read("/allowed_ips", AllowedIps::try_from(networks));
    let external_id = fields.optional("/external_id", new.external_id, ExternalId::try_from);
    let metadata = fields.read("/metadata", Metadata::try_from(new.metadata));
    let rate_limits = rate_limits(&mut fields, new.rate_limits);
    let quota = new.quota.and_then(|quota| new_quota(&mut fields, quota));
    let import = import(&mut fields, new.key, new.hash, new.key_prefix);
    let parts = name.zip(allowed_ips).zip(metadata).zip(rate_limits);
    fields.finish(parts.map(|(((name, allowed_ips), metadata), rate_limits)| ApiKeyDraft {
        name,
        description,
        roles: roles.into_iter().collect(),
        expiry,
        provider,
        enabled: new.enabled.unwrap_or(true),
        allowed_ips,
        rate_limits,
        quota,
        external_id,
        metadata,
        import,
    }))
}

/// What is to be different about a key.
pub(super) fn change(patch: ApiKeyPatch) -> Result<ApiKeyChange, ServiceError> {
    let mut fields = Fields::default();
    let name = fields.replaceable("/name", patch.name, Name::try_from);
    let description = fields.clearable("/description", patch.description, Description::try_from);
    let roles = fields.replaced_list("/role_ids", patch.role_ids, RoleId::try_from);
    let end = fields.clearable("/expires_at", patch.expires_at, expiry);
    let enabled = fields.replaceable("/enabled", patch.enabled, Ok::<_, IdError>);
    let networks = fields.replaced_list("/allowed_ips", patch.allowed_ips, network);
    let allowed_ips = fields.optional("/allowed_ips", networks, AllowedIps::try_from);
    let external_id = fields.clearable("/external_id", patch.external_id, ExternalId::try_from);
    let metadata = fields.clearable("/metadata", patch.metadata, Ok::<_, IdError>);
    let rate_limits = replaced_rate_limits(&mut fields, patch.rate_limits);
    let quota = match patch.quota {
        Patch::Absent => None,
        Patch::Null => Some(None),
        Patch::Value(quota) => new_quota(&mut fields, quota).map(Some),
    };
    fields.finish(Some(ApiKeyChange {
        name,
        description,
        roles: roles.map(|roles| roles.into_iter().collect()),
        expiry: end.map(|end| end.unwrap_or(Expiry::Never)),
        enabled,
        allowed_ips,
        rate_limits,
        quota,
        external_id,
        metadata,
    }))
}

/// A provider by its id, if the text is one, else by its identifier.
pub(crate) fn provider_name(text: String) -> Result<ProviderName, keystile_domain::TextError> {
    match text.parse::<ProviderId>() {
        Ok(id) => Ok(ProviderName::Id(id)),
        Err(_) => text.parse().map(ProviderName::Identifier),
    }
}

fn expiry(text: String) -> Result<Expiry, TimestampError> {
    text.parse::<Timestamp>().map(Expiry::At)
}

fn network(text: String) -> Result<Network, NetworkError> {
    text.parse()
}

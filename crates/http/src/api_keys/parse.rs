//! From the members of a request to what the use cases take.

use keystile_api::api_keys::{ApiKeyPatch, NewApiKey};
use keystile_api::patch::Patch;
use keystile_domain::{
    AllowedIps, Description, Expiry, ExternalId, IdError, Metadata, Name, Network, NetworkError,
    ProviderId, RoleId, Timestamp, TimestampError,
};
use keystile_service::api_keys::{ApiKeyChange, ApiKeyDraft};
use keystile_service::{ProviderName, ServiceError};

use crate::fields::Fields;

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
    let later = [("/rate_limits", new.rate_limits), ("/quota", new.quota), ("/hash", new.hash)];
    for (pointer, value) in later {
        if value.is_some() {
            fields.refuse(pointer, NOT_YET);
        }
    }
    let parts = name.zip(allowed_ips).zip(metadata);
    fields.finish(parts.map(|((name, allowed_ips), metadata)| ApiKeyDraft {
        name,
        description,
        roles: roles.into_iter().collect(),
        expiry,
        provider,
        enabled: new.enabled.unwrap_or(true),
        allowed_ips,
        external_id,
        metadata,
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
    for (pointer, limit) in [("/rate_limits", patch.rate_limits), ("/quota", patch.quota)] {
        if !limit.is_absent() {
            fields.refuse(pointer, NOT_YET);
        }
    }
    fields.finish(Some(ApiKeyChange {
        name,
        description,
        roles: roles.map(|roles| roles.into_iter().collect()),
        expiry: end.map(|end| end.unwrap_or(Expiry::Never)),
        enabled,
        allowed_ips,
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

const NOT_YET: &str = "is not available yet";

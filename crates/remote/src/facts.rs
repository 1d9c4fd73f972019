//! From what a server says of a credential to what can be judged.
//!
//! What no decision depends on is not sent, and stands here as its default.

use std::fmt::Debug;
use std::sync::Arc;

use keystile_api::lookups::{CredentialFacts, PlaceFacts, ProviderFacts, RoleFacts};
use keystile_api::verify::Deletion;
use keystile_domain::{
    AllowedIps, Credential, CredentialKind, Encoding, EndpointRule, Expiry, HeaderName, KeyLength,
    KeySettings, LimitCount, LimitWindow, Limits, Metadata, Network, Permission, PermissionSet,
    Principal, PrincipalKind, Provider, ProviderKind, ProviderSettings, QueryName, Quota,
    QuotaLimit, RateLimit, Refill, Rights, Role, RoleId, SecretFormat, Seq, Timestamp, Tombstone,
    Version,
};

use crate::ServerError;

/// The credential of these facts.
pub(crate) fn credential(facts: CredentialFacts<'_>) -> Result<Credential, ServerError> {
    let shown = facts.credential;
    let kind: CredentialKind = known(shown.kind.parse())?;
    let principal = principal(&facts.principal)?;
    let roles = facts.roles.iter().map(role).collect::<Result<Vec<_>, _>>()?;
    let scopes = shown.scopes.as_deref().map(permissions).transpose()?;
    let networks = facts.allowed_ips.iter().map(|text| known(text.parse::<Network>()));
    let holder = if principal.kind == PrincipalKind::ApiKey { shown.id } else { principal.id };
    Ok(Credential {
        id: shown.id,
        kind,
        name: known(shown.name.parse())?,
        key_prefix: shown.key_prefix.into_owned(),
        enabled: facts.enabled,
        expiry: expiry(shown.expires_at.as_deref())?,
        secret_expiry: expiry(facts.secret_expires_at.as_deref())?,
        allowed_ips: known(AllowedIps::try_from(networks.collect::<Result<Vec<_>, _>>()?))?,
        limits: Limits {
            holder,
            rates: known(rates(&facts.rate_limits).and_then(|rates| known(rates.try_into())))?,
            quota: facts.has_quota.then(counted_elsewhere).transpose()?,
        },
        external_id: shown.external_id.map(|id| known(id.parse())).transpose()?,
        metadata: known(Metadata::try_from(shown.metadata.into_owned()))?,
        principal,
        owner_enabled: facts.owner_enabled,
        signed_in: false,
        provider: Arc::new(provider(facts.provider, kind)?),
        rights: Rights::of(&roles).within(scopes.as_ref()).into(),
        roles: roles.into(),
        scopes,
    })
}

/// What is left of a deleted credential.
pub(crate) fn tombstone(deleted: Deletion, position: i64) -> Result<Tombstone, ServerError> {
    Ok(Tombstone {
        id: deleted.id,
        kind: CredentialKind::ApiKey,
        name: known(deleted.name.parse())?,
        key_prefix: deleted.key_prefix,
        deleted_at: known(deleted.deleted_at.parse())?,
        deleted_by: deleted.deleted_by.as_ref().map(principal).transpose()?,
        reason: deleted.reason.map(|reason| known(reason.parse())).transpose()?,
        seq: Seq(position),
    })
}

fn principal(shown: &keystile_api::me::Principal<'_>) -> Result<Principal, ServerError> {
    let kind = known(shown.kind.parse())?;
    Ok(Principal { kind, id: shown.id, name: known(shown.name.parse())? })
}

fn provider(facts: ProviderFacts, kind: CredentialKind) -> Result<Provider, ServerError> {
    let is_token = kind == CredentialKind::PersonalAccessToken;
    Ok(Provider {
        id: facts.id.into(),
        identifier: known(facts.identifier.parse())?,
        name: known(facts.name.parse())?,
        kind: if is_token { ProviderKind::PersonalAccessToken } else { ProviderKind::ApiKey },
        priority: 0,
        enabled: facts.enabled,
        is_default: false,
        allow_insecure_http: facts.allow_insecure_http,
        settings: ProviderSettings::Keys(places(facts.places.as_ref())?),
        version: Version::FIRST,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    })
}

/// A provider that is not for keys has no place for one; where JWTs may stand is no setting.
fn places(facts: Option<&PlaceFacts>) -> Result<KeySettings, ServerError> {
    let header = facts.map(|places| known(places.header_name.parse())).transpose()?;
    let parameter = facts.and_then(|places| places.query_parameter_name.as_ref());
    let parameter = parameter.map(|name| known(name.parse())).transpose()?;
    Ok(KeySettings {
        format: SecretFormat {
            prefix: known("".parse())?,
            encoding: Encoding::default(),
            key_length: KeyLength::default(),
        },
        default_expiry_minutes: None,
        max_expiry_minutes: None,
        header_name: header.unwrap_or_else(HeaderName::default),
        accept_bearer: facts.is_some_and(|places| places.accept_bearer),
        allow_query_string: parameter.is_some(),
        query_parameter_name: parameter.unwrap_or_else(QueryName::default),
        admin_may_create: false,
    })
}

fn role(facts: &RoleFacts) -> Result<Role, ServerError> {
    let endpoints = facts.endpoints.iter();
    let endpoints = endpoints.map(|rule| known(EndpointRule::new(&rule.methods, &rule.path)));
    Ok(Role {
        id: known(RoleId::try_from(facts.id))?,
        name: known(facts.name.parse())?,
        description: None,
        permissions: permissions(&facts.permissions)?,
        endpoints: endpoints.collect::<Result<_, _>>()?,
        may_grant: [].into(),
        built_in: false,
        version: Version::FIRST,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    })
}

fn rates(limits: &[keystile_api::limits::RateLimit]) -> Result<Vec<RateLimit>, ServerError> {
    let read = |limit: &keystile_api::limits::RateLimit| {
        Ok(RateLimit {
            name: known(limit.name.parse())?,
            limit: known(LimitCount::try_from(limit.limit))?,
            window: known(LimitWindow::try_from(limit.window_seconds))?,
        })
    };
    limits.iter().map(read).collect()
}

/// A quota of which only the server knows how much there is.
fn counted_elsewhere() -> Result<Quota, ServerError> {
    let limit = known(QuotaLimit::try_from(0))?;
    Ok(Quota { limit, refill: Refill::None, since: Timestamp::from_millis(0) })
}

fn permissions(texts: &[impl AsRef<str>]) -> Result<PermissionSet, ServerError> {
    texts.iter().map(|text| known(text.as_ref().parse::<Permission>())).collect()
}

fn expiry(text: Option<&str>) -> Result<Expiry, ServerError> {
    text.map_or(Ok(Expiry::Never), |text| Ok(Expiry::At(known(text.parse())?)))
}

/// A server of another version may say what cannot be read here. It is not guessed at.
fn known<T, E: Debug>(read: Result<T, E>) -> Result<T, ServerError> {
    read.or(Err(ServerError::Unreadable("it has a member of an unknown kind")))
}

//! API keys as administrators see them: everything but the secret.

use std::collections::BTreeSet;

use crate::{
    AllowedIps, ApiKeyId, Description, Expiry, ExternalId, Metadata, Name, NamePattern, Principal,
    ProviderId, Quota, RateLimits, RoleId, Timestamp, Version,
};

/// A credential with roles of its own; it belongs to the organisation and survives its creator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct ApiKey {
    /// Its name for programs.
    pub id: ApiKeyId,
    /// Its name for people; several keys may share one.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// The provider whose rules it follows; never changes.
    pub provider: ProviderId,
    /// The beginning of its present secret, for people to recognise it.
    pub key_prefix: String,
    /// The roles that it holds; without any it authenticates and may do nothing.
    pub roles: BTreeSet<RoleId>,
    /// When it ends.
    pub expiry: Expiry,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Where it may be used from.
    pub allowed_ips: AllowedIps,
    /// How often it may be used in a time.
    pub rate_limits: RateLimits,
    /// How often it may be used at all.
    pub quota: Option<Quota>,
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// What the customer keeps beside it.
    pub metadata: Metadata,
    /// Who made it; `None`: Keystile itself, on its first start.
    pub created_by: Option<Principal>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// Which keys a list shows; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct ApiKeyFilter {
    /// Those whose name matches.
    pub name: Option<NamePattern>,
    /// Those that are switched on, or off.
    pub enabled: Option<bool>,
    /// Those that have ended at the moment of the question, or have not.
    pub expired: Option<bool>,
    /// Those that end before this moment (keys without an end never do).
    pub expires_before: Option<Timestamp>,
    /// Those that have an end, or have none.
    pub ends: Option<bool>,
    /// Those that were made before this moment.
    pub created_before: Option<Timestamp>,
    /// Those that were ever let in, or never.
    pub used: Option<bool>,
    /// Those that were not let in from this moment on. One that never was counts from when it was
    /// made.
    pub unused_since: Option<Timestamp>,
    /// Those of which it is known what they needed, or all others.
    pub exercised: Option<bool>,
    /// Those that hold the role.
    pub role: Option<RoleId>,
    /// Those of the provider.
    pub provider: Option<ProviderId>,
    /// Those with exactly this external id.
    pub external_id: Option<ExternalId>,
    /// Those that were imported by a hash and whose secret nobody has shown yet, or all others.
    pub unseen_import: Option<bool>,
}

/// What a list of keys can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiKeySort {
    /// By the time they were made.
    CreatedAt,
    /// By the time they end; those without an end come last.
    ExpiresAt,
    /// By name, without case.
    Name,
}

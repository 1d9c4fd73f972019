//! A key as its table has it: apart from the queries, which never look inside.

use diesel::prelude::*;
use keystile_domain::{
    AllowedIps, ApiKey, ApiKeySort, Mark, MarkKey, Metadata, Network, Timestamp, Version,
};
use serde_json::{Map, Value};

use crate::StoreError;
use crate::bulk::bulk;
use crate::columns::{
    PrincipalColumns, from_expiry, from_json, parse, parse_optional, roles_of, to_expiry, to_json,
};
use crate::limits::{from_quota, from_rate_limits, to_quota, to_rate_limits};
use crate::schema::api_keys;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct ApiKeyRow {
    id: String,
    provider_id: String,
    created_by_kind: Option<String>,
    created_by_id: Option<String>,
    created_by_name: Option<String>,
    created_at: i64,
    #[diesel(embed)]
    changes: ApiKeyChanges,
}

/// The columns that may change.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct ApiKeyChanges {
    name: String,
    name_folded: String,
    description: Option<String>,
    key_prefix: String,
    expires_at: i64,
    enabled: bool,
    allowed_ips: String,
    rate_limits: String,
    quota: Option<String>,
    external_id: Option<String>,
    metadata: String,
    version: i64,
    updated_at: i64,
}

bulk!(ApiKeyRow, api_keys, {
    id: id,
    provider_id: provider_id,
    created_by_kind: created_by_kind,
    created_by_id: created_by_id,
    created_by_name: created_by_name,
    created_at: created_at,
    name: changes.name,
    name_folded: changes.name_folded,
    description: changes.description,
    key_prefix: changes.key_prefix,
    expires_at: changes.expires_at,
    enabled: changes.enabled,
    allowed_ips: changes.allowed_ips,
    rate_limits: changes.rate_limits,
    quota: changes.quota,
    external_id: changes.external_id,
    metadata: changes.metadata,
    version: changes.version,
    updated_at: changes.updated_at,
});

impl ApiKeyRow {
    pub(super) fn new(key: &ApiKey) -> Result<Self, StoreError> {
        let created_by = PrincipalColumns::new(key.created_by.as_ref());
        let allowed_ips: Vec<String> = key.allowed_ips.iter().map(ToString::to_string).collect();
        Ok(Self {
            id: key.id.to_string(),
            provider_id: key.provider.to_string(),
            created_by_kind: created_by.kind,
            created_by_id: created_by.id,
            created_by_name: created_by.name,
            created_at: key.created_at.as_millis(),
            changes: ApiKeyChanges {
                name: key.name.as_str().to_owned(),
                name_folded: key.name.folded(),
                description: key.description.as_ref().map(|text| text.as_str().to_owned()),
                key_prefix: key.key_prefix.clone(),
                expires_at: from_expiry(key.expiry),
                enabled: key.enabled,
                allowed_ips: to_json(&allowed_ips, ALLOWED_IPS)?,
                rate_limits: from_rate_limits(&key.rate_limits, RATE_LIMITS)?,
                quota: key.quota.map(|quota| from_quota(quota, QUOTA)).transpose()?,
                external_id: key.external_id.as_ref().map(|text| text.as_str().to_owned()),
                metadata: to_json(key.metadata.as_map(), METADATA)?,
                version: key.version.0,
                updated_at: key.updated_at.as_millis(),
            },
        })
    }

    /// Reads the row, with the roles that are its own among those of several keys.
    pub(crate) fn read(&self, roles: &[(String, i64)]) -> Result<ApiKey, StoreError> {
        let changes = &self.changes;
        let created_by = PrincipalColumns {
            kind: self.created_by_kind.clone(),
            id: self.created_by_id.clone(),
            name: self.created_by_name.clone(),
        };
        let external_id = changes.external_id.as_deref();
        Ok(ApiKey {
            id: parse(&self.id, "api_keys.id")?,
            name: parse(&changes.name, "api_keys.name")?,
            description: parse_optional(changes.description.as_deref(), "api_keys.description")?,
            provider: parse(&self.provider_id, "api_keys.provider_id")?,
            key_prefix: changes.key_prefix.clone(),
            roles: roles_of(&self.id, roles),
            expiry: to_expiry(changes.expires_at),
            enabled: changes.enabled,
            allowed_ips: read_allowed_ips(&changes.allowed_ips)?,
            rate_limits: to_rate_limits(&changes.rate_limits, RATE_LIMITS)?,
            quota: changes.quota.as_deref().map(|quota| to_quota(quota, QUOTA)).transpose()?,
            external_id: parse_optional(external_id, "api_keys.external_id")?,
            metadata: read_metadata(&changes.metadata)?,
            created_by: created_by.read("api_keys.created_by")?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(changes.updated_at),
            version: Version(changes.version),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn changes(self) -> ApiKeyChanges {
        self.changes
    }

    pub(super) fn mark(&self, sort: ApiKeySort) -> Mark {
        let key = match sort {
            ApiKeySort::ExpiresAt => MarkKey::Number(self.changes.expires_at),
            ApiKeySort::Name => MarkKey::Text(self.changes.name_folded.clone()),
            _ => MarkKey::Number(self.created_at),
        };
        Mark { key, id: self.id.clone() }
    }
}

fn read_allowed_ips(text: &str) -> Result<AllowedIps, StoreError> {
    let texts: Vec<String> = from_json(text, ALLOWED_IPS)?;
    let networks: Result<Vec<Network>, _> =
        texts.iter().map(|text| parse(text, ALLOWED_IPS)).collect();
    AllowedIps::try_from(networks?).ok().ok_or(StoreError::Corrupt(ALLOWED_IPS))
}

fn read_metadata(text: &str) -> Result<Metadata, StoreError> {
    let map: Map<String, Value> = from_json(text, METADATA)?;
    Metadata::try_from(map).ok().ok_or(StoreError::Corrupt(METADATA))
}

const ALLOWED_IPS: &str = "api_keys.allowed_ips";
const METADATA: &str = "api_keys.metadata";
const QUOTA: &str = "api_keys.quota";
const RATE_LIMITS: &str = "api_keys.rate_limits";

//! API keys on the wire.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::imports::KeyHash;
use crate::limits::{NewQuota, Quota, RateLimit};
use crate::me::Principal;
use crate::patch::Patch;
use crate::problem::FieldError;

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
    "name": "CI pipeline",
    "description": null,
    "provider": "api-keys",
    "key_prefix": "ks_0aB3xY",
    "role_ids": [4],
    "expires_at": "2027-01-31T12:00:00Z",
    "last_used_at": "2026-11-22T09:14:05.25Z",
    "unseen_import": false,
    "enabled": true,
    "allowed_ips": ["10.0.0.0/8"],
    "rate_limits": [{"name": "default", "limit": 100, "window_seconds": 60}],
    "quota": null,
    "external_id": null,
    "metadata": {"team": "billing"},
    "created_by": null,
    "created_at": "2026-11-22T09:00:00Z",
    "updated_at": "2026-11-22T09:00:00Z"
})))]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The identifier of its provider.
    pub provider: String,
    /// The beginning of its secret.
    pub key_prefix: String,
    /// The roles that it holds.
    pub role_ids: Vec<i64>,
    /// When it ends; `null`: never.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// When it was let in last; `null`: never. It takes a few seconds until a use is seen here.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_used_at: Option<String>,
    /// Whether it was imported by its hash, and nobody has shown the key since.
    pub unseen_import: bool,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Where it may be used from; empty: from everywhere.
    pub allowed_ips: Vec<String>,
    /// How often it may be used in a time; a use must be within each of these.
    pub rate_limits: Vec<RateLimit>,
    /// How often it may be used at all; `null`: as often as anybody likes.
    pub quota: Option<Quota>,
    /// What another system calls it.
    pub external_id: Option<String>,
    /// What its owner keeps beside it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
    /// Who made it; `null`: Keystile itself.
    pub created_by: Option<Principal<'static>>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When it was changed last.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_at: String,
}

/// A key with its secret: the one answer that has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedApiKey {
    /// The key without its secret.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The secret, shown once; left out of a dry run, and where it was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(example = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH")
    )]
    pub key: Option<String>,
}

/// A key to be made.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "name": "CI pipeline",
    "role_ids": [4],
    "expires_at": "2099-01-31T12:00:00Z"
})))]
pub struct NewApiKey {
    /// Its name: one line of 1 to 200 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
    /// What it is for: up to 2,000 characters.
    pub description: Option<String>,
    /// The roles that it holds; without any it authenticates and may do nothing.
    #[serde(default)]
    pub role_ids: Vec<i64>,
    /// When it ends (RFC 3339). Left out: as the provider says; `null`: never.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Patch<String>,
    /// Identifier or id of the provider whose rules it follows; left out: the default one.
    pub provider: Option<String>,
    /// Whether it is switched on; it is, unless `false`.
    pub enabled: Option<bool>,
    /// Where it may be used from: addresses and ranges in CIDR notation, up to 100.
    #[serde(default)]
    pub allowed_ips: Vec<String>,
    /// How often it may be used in a time: up to 10 limits, of which a use must be within each.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 10))]
    pub rate_limits: Vec<RateLimit>,
    /// How often it may be used at all.
    pub quota: Option<NewQuota>,
    /// The key itself, if its holder has it already: 1 to 512 characters of visible ASCII. Left
    /// out: a new one is drawn.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub key: Option<String>,
    /// The hash that another store kept of the key, if nobody but its holder has the key itself.
    pub hash: Option<KeyHash>,
    /// What is shown of a key that is imported by its hash: up to 32 characters that it begins
    /// with. Left out: the prefix of the hash.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 32))]
    pub key_prefix: Option<String>,
    /// What another system calls it: one line of 1 to 200 characters.
    pub external_id: Option<String>,
    /// What you keep beside it: up to 50 members, 5 levels, 4,096 bytes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
}

/// A change of a key (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"enabled": false})))]
pub struct ApiKeyPatch {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub name: Patch<String>,
    /// Its new description; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
    /// The roles that it holds from now on; `null` is none.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<i64>>))]
    pub role_ids: Patch<Vec<i64>>,
    /// When it ends from now on; `null`: never.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Patch<String>,
    /// Whether it is switched on.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub enabled: Patch<bool>,
    /// Where it may be used from, from now on; `null`: from everywhere.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub allowed_ips: Patch<Vec<String>>,
    /// How often it may be used in a time from now on; `null`: as often as anybody likes. A limit
    /// that is changed begins anew.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<RateLimit>>))]
    pub rate_limits: Patch<Vec<RateLimit>>,
    /// How often it may be used at all from now on; `null`: as often as anybody likes.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<NewQuota>))]
    pub quota: Patch<NewQuota>,
    /// What another system calls it; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub external_id: Patch<String>,
    /// Members to set; those that are `null` are removed. `null` removes all.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Patch<Map<String, Value>>,
}

/// How to rotate a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"overlap_seconds": 86400})))]
pub struct RotateApiKey {
    /// How long the old secret still works: 0 (the default) to 2,592,000 seconds.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(default = 0, minimum = 0, maximum = 2_592_000))]
    pub overlap_seconds: i64,
}

/// Keys that were deleted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletedApiKeys {
    /// The keys as they were.
    pub data: Vec<ApiKey>,
}

/// Many keys to be made in one transaction.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"api_keys": [{"name": "one"}]})))]
pub struct NewApiKeys {
    /// The keys: 1 to 10,000.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10_000))]
    pub api_keys: Vec<NewApiKey>,
}

/// The answer to each key of a batch, in the order of the request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedApiKeys {
    /// One answer for each key that was asked for.
    pub data: Vec<BatchAnswer>,
    /// How many were made.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub created: i64,
    /// How many were refused.
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub refused: i64,
}

/// What became of one key of a batch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum BatchAnswer {
    /// It was made.
    Created(Box<IssuedApiKey>),
    /// It was refused; the others were made all the same.
    Refused(RefusedApiKey),
}

/// A key that was not made, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedApiKey {
    /// The status that it would have had alone.
    #[cfg_attr(feature = "openapi", schema(example = 422))]
    pub status: u16,
    /// What went wrong, for programs.
    #[cfg_attr(feature = "openapi", schema(example = "invalid_request"))]
    pub code: String,
    /// What went wrong, for people.
    #[cfg_attr(feature = "openapi", schema(example = "The request breaks a rule."))]
    pub detail: String,
    /// Each member that breaks a rule, with its pointer into the whole batch.
    pub errors: Vec<FieldError>,
}

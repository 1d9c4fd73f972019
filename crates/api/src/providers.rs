//! Providers on the wire: the members that all of them have, and beside them, flat, the settings of
//! one kind.

#[macro_use]
mod settings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::patch::Patch;

with_settings! {
/// The settings alone, of whatever kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {}
}

with_settings! {
/// One configured way to authenticate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
    "name": "Partner keys",
    "identifier": "partner-keys",
    "kind": "api_key",
    "priority": 0,
    "enabled": true,
    "default": false,
    "allow_insecure_http": false,
    "created_at": "2026-11-22T09:00:00Z",
    "updated_at": "2026-11-22T09:00:00Z",
    "prefix": "acme_",
    "key_length": 32,
    "encoding": "base62",
    "default_expiry_minutes": 129_600,
    "max_expiry_minutes": null,
    "header_name": "x-api-key",
    "accept_bearer": true,
    "allow_query_string": false,
    "query_parameter_name": "apiKey"
})))]
pub struct Provider {
    /// Its id.
    pub id: Uuid,
    /// Its name for people.
    pub name: String,
    /// Its name in requests: made from the first name, and never changed.
    pub identifier: String,
    /// `api_key`, `personal_access_token`, `oidc` or `password`; never changes, and says which of
    /// the settings there are.
    pub kind: String,
    /// Its place on the sign-in page, and among the providers of one issuer: low numbers first.
    pub priority: i32,
    /// Switched off, it refuses all its credentials at once.
    pub enabled: bool,
    /// Whether it is used where a create names none; one of each kind at most.
    pub default: bool,
    /// Whether its credentials may travel over plain HTTP.
    pub allow_insecure_http: bool,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When it was changed last.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_at: String,
    /// `oidc`: whether there is a client secret, which is never shown.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub client_secret_set: Patch<bool>,
}
}

with_settings! {
/// A provider to be made. Settings that are left out have their defaults.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "name": "Partner keys",
    "kind": "api_key",
    "prefix": "acme_",
    "default_expiry_minutes": 129_600
})))]
pub struct NewProvider {
    /// Its name: one line of 1 to 200 characters. Its identifier is made from it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
    /// `api_key`, `personal_access_token`, `oidc` or `password`.
    pub kind: String,
    /// Its place on the sign-in page, and among the providers of one issuer; 0 unless given.
    pub priority: Option<i32>,
    /// Whether it is switched on; it is, unless `false`.
    pub enabled: Option<bool>,
    /// Whether it takes the place of the default provider of its kind.
    pub default: Option<bool>,
    /// Whether its credentials may travel over plain HTTP.
    pub allow_insecure_http: Option<bool>,
    /// `oidc`: the secret that goes with `client_id`, never shown again.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub client_secret: Patch<String>,
}
}

with_settings! {
/// A change of a provider (RFC 7396): what is left out stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"priority": 10})))]
pub struct ProviderPatch {
    /// Its new name; its identifier stays.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub name: Patch<String>,
    /// Its new place.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i32>))]
    pub priority: Patch<i32>,
    /// Whether it is switched on.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub enabled: Patch<bool>,
    /// `true` takes the place of the default provider of its kind.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub default: Patch<bool>,
    /// Whether its credentials may travel over plain HTTP.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub allow_insecure_http: Patch<bool>,
    /// `oidc`: the secret that goes with `client_id`; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub client_secret: Patch<String>,
}
}

/// What a machine's token may be traded for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "claims": {"repository": "acme/billing", "ref": "refs/heads/*"},
    "role_ids": [5],
    "max_minutes": 10
})))]
pub struct TrustRule {
    /// What the token must say, each claim with a pattern in which `*` stands for any run of
    /// characters; at least one.
    pub claims: BTreeMap<String, String>,
    /// The roles that it is worth.
    pub role_ids: Vec<i64>,
    /// How long the access token lives at most: 1 to 15 minutes.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 15))]
    pub max_minutes: i64,
}

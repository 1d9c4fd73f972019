//! Roles on the wire.

use serde::{Deserialize, Serialize};

use crate::patch::Patch;

/// A named access profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "id": 5,
    "name": "billing reader",
    "description": "Reads invoices.",
    "permissions": ["invoices.read"],
    "endpoints": [{"methods": ["GET"], "path": "/billing/v1/**"}],
    "may_grant": [],
    "built_in": false,
    "created_at": "2026-11-22T09:00:00Z",
    "updated_at": "2026-11-22T09:00:00Z"
})))]
pub struct Role {
    /// Its id: 1 to 4 are built in.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it allows.
    pub permissions: Vec<String>,
    /// Which endpoints it opens at a gateway.
    pub endpoints: Vec<EndpointRule>,
    /// The roles that its holders may hand out.
    pub may_grant: Vec<i64>,
    /// Whether it came with Keystile and cannot be changed.
    pub built_in: bool,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When it was changed last.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_at: String,
}

/// Endpoints that a role opens at a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndpointRule {
    /// Methods in capitals, or `*` alone for every one; `GET` includes `HEAD`.
    #[cfg_attr(feature = "openapi", schema(example = json!(["GET"])))]
    pub methods: Vec<String>,
    /// A path in which `*` is one segment and `**` at the end any rest.
    #[cfg_attr(feature = "openapi", schema(example = "/billing/v1/**"))]
    pub path: String,
}

/// A role to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "name": "billing reader",
    "permissions": ["invoices.read"],
    "endpoints": [{"methods": ["GET"], "path": "/billing/v1/**"}]
})))]
pub struct NewRole {
    /// Its name: 1 to 200 characters; no two roles share one, whatever the case.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
    /// What it is for: up to 2,000 characters.
    pub description: Option<String>,
    /// What it allows: up to 200 permissions.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Which endpoints it opens: up to 200 rules.
    #[serde(default)]
    pub endpoints: Vec<EndpointRule>,
    /// The roles that its holders may hand out: up to 200 ids.
    #[serde(default)]
    pub may_grant: Vec<i64>,
}

/// A change of a role (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"permissions": ["invoices.*"]})))]
pub struct RolePatch {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub name: Patch<String>,
    /// Its new description; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
    /// What it allows from now on; `null` is nothing.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub permissions: Patch<Vec<String>>,
    /// Which endpoints it opens from now on; `null` is none.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<EndpointRule>>))]
    pub endpoints: Patch<Vec<EndpointRule>>,
    /// What its holders may hand out from now on; `null` is nothing.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<i64>>))]
    pub may_grant: Patch<Vec<i64>>,
}

//! Insights on the wire: which keys deserve somebody's attention.

use serde::{Deserialize, Serialize};

use crate::api_keys::ApiKey;
use crate::roles::EndpointRule;

/// Which keys deserve somebody's attention. All of them are switched on and have not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Insights {
    /// Keys that were never let in.
    pub never_used: KeyInsight,
    /// Keys that were let in once, and not for a long time.
    pub unused: KeyInsight,
    /// Keys that end soon.
    pub expiring: KeyInsight,
    /// Keys that have no end.
    pub without_expiry: KeyInsight,
    /// Keys that may do more than they were ever needed for.
    pub over_granted: GrantInsight,
}

/// Keys that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyInsight {
    /// How many there are.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub total: i64,
    /// The first ten: the oldest, of those that end the first to end.
    pub data: Vec<ApiKey>,
    /// Where all of them are listed.
    #[cfg_attr(feature = "openapi", schema(example = "/api/v1/api-keys?expires=false"))]
    pub list: String,
}

/// Keys that may do more than they were ever needed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantInsight {
    /// How many there are; `null`: too many to compare them all in one answer.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub total: Option<i64>,
    /// The first ten: the oldest.
    pub data: Vec<OverGrantedKey>,
    /// Where all of them are listed.
    #[cfg_attr(feature = "openapi", schema(example = "/api/v1/insights/over-granted"))]
    pub list: String,
}

/// A key that may do more than it was ever needed for, and what would have been enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverGrantedKey {
    /// The key.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The permissions, as its roles have them, of which no part was needed.
    #[cfg_attr(feature = "openapi", schema(example = json!(["invoices.write"])))]
    pub unexercised_permissions: Vec<String>,
    /// The endpoint rules, as its roles have them, of which no part was needed.
    pub unexercised_endpoints: Vec<EndpointRule>,
    /// The smallest grant that would have been enough: permissions.
    #[cfg_attr(feature = "openapi", schema(example = json!(["invoices.read"])))]
    pub sufficient_permissions: Vec<String>,
    /// The smallest grant that would have been enough: endpoint rules.
    pub sufficient_endpoints: Vec<EndpointRule>,
    /// The roles without which its others would still have been enough.
    #[cfg_attr(feature = "openapi", schema(example = json!([7])))]
    pub spare_role_ids: Vec<i64>,
    /// Whether it was also let in without being asked for a permission or an endpoint, or traded for
    /// a JWT: then it may be needed for more than anybody told Keystile.
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub may_need_more: bool,
}

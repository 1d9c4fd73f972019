//! Who a request acts as.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who a request acts as, what it may do, and the credential it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Who.
    pub principal: Principal,
    /// What it came with.
    pub credential: Credential,
    /// The roles that it holds.
    pub roles: Vec<RoleName>,
    /// What they allow together.
    #[cfg_attr(feature = "openapi", schema(example = json!(["keystile.keys.verify"])))]
    pub permissions: Vec<String>,
}

/// Somebody who acts: a user, a service account, or a key that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Principal {
    /// `api_key` or `user`.
    #[cfg_attr(feature = "openapi", schema(example = "api_key"))]
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub name: String,
}

/// A credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credential {
    /// Its id.
    pub id: Uuid,
    /// Which kind it is: `api_key`.
    #[cfg_attr(feature = "openapi", schema(example = "api_key"))]
    pub kind: String,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub name: String,
    /// The beginning of its secret.
    #[cfg_attr(feature = "openapi", schema(example = "ks_0aB3xY"))]
    pub key_prefix: String,
    /// When it ends; `null`: never.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// What another system calls it.
    pub external_id: Option<String>,
    /// What its owner keeps beside it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// A role, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleName {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(example = 4))]
    pub id: i64,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "verifier"))]
    pub name: String,
}

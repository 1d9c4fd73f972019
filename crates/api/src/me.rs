//! Who a request acts as: bodies that may borrow their texts, for a server that answers with them all
//! the time. Whoever reads one has it as `'static`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who a request acts as, what it may do, and the credential it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me<'a> {
    /// Who.
    pub principal: Principal<'a>,
    /// What it came with.
    pub credential: Credential<'a>,
    /// The roles that it holds in full: none if its credential is narrowed.
    pub roles: Vec<RoleName<'a>>,
    /// What they allow together.
    #[cfg_attr(feature = "openapi", schema(example = json!(["keystile.keys.verify"])))]
    pub permissions: Vec<Cow<'a, str>>,
}

/// Somebody who acts: a user, a service account, or a key that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Principal<'a> {
    /// `api_key`, `service_account`, `user`, or `workload`: a machine that another issuer vouches for.
    #[cfg_attr(feature = "openapi", schema(example = "api_key"))]
    pub kind: Cow<'a, str>,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub name: Cow<'a, str>,
}

/// A credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credential<'a> {
    /// Its id.
    pub id: Uuid,
    /// Which kind it is: `access_token`, `api_key` or `personal_access_token`.
    #[cfg_attr(feature = "openapi", schema(example = "api_key"))]
    pub kind: Cow<'a, str>,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub name: Cow<'a, str>,
    /// The beginning of its secret.
    #[cfg_attr(feature = "openapi", schema(example = "ks_0aB3xY"))]
    pub key_prefix: Cow<'a, str>,
    /// When what was shown ends; `null`: never. The old secret of a rotated key or token ends before
    /// the key or token does.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// What it is narrowed to; left out: everything that its principal may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(["invoices.read"])))]
    pub scopes: Option<Vec<Cow<'a, str>>>,
    /// What another system calls it, or whom it acts as.
    pub external_id: Option<Cow<'a, str>>,
    /// What its owner keeps beside it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Cow<'a, serde_json::Map<String, serde_json::Value>>,
}

/// A role, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleName<'a> {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(example = 4))]
    pub id: i64,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "verifier"))]
    pub name: Cow<'a, str>,
}

impl Principal<'_> {
    /// With texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Principal<'static> {
        let Self { kind, id, name } = self;
        Principal { kind: kind.into_owned().into(), id, name: name.into_owned().into() }
    }
}

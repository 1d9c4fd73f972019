//! Looking a credential up, on the wire: everything that a verifier needs to judge it by itself.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::RateLimit;
use crate::me::{Credential, Principal};
use crate::roles::EndpointRule;
use crate::verify::Deletion;

/// A question what is known of a credential. It has exactly one of its members.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
})))]
pub struct LookupRequest {
    /// SHA-256 of the whole key or token, in hexadecimal digits. Of a JWT: `not_found`, or
    /// `secret_required`, unless the server has verified it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The credential itself: a JWT, or a key that was imported and never seen since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// What is known of a credential. Nothing of it was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lookup<'a> {
    /// `found`, `deleted`, `not_found`, `malformed`, `expired` (a JWT, by its own word), or
    /// `secret_required`: it may be an imported key, which only the credential itself can show.
    #[cfg_attr(feature = "openapi", schema(example = "found"))]
    pub code: String,
    /// The place in the feed up to which every change is in this answer.
    #[cfg_attr(feature = "openapi", schema(example = 42))]
    pub position: i64,
    /// What is known, if it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<CredentialFacts<'a>>,
    /// What is left of it, if it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

/// Everything that a decision about a credential depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialFacts<'a> {
    /// The credential.
    pub credential: Credential<'a>,
    /// What the feed calls it when it is revoked by itself, beside the id of the credential; left
    /// out: it is no JWT, or one of an OpenID provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// Whom it acts as.
    pub principal: Principal<'a>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether its owner is switched on; left out: it stands for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_enabled: Option<bool>,
    /// When the secret ends that was asked about, if that is an old one; `null`: with the credential.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub secret_expires_at: Option<String>,
    /// Where it may be used from; empty: from anywhere.
    #[cfg_attr(feature = "openapi", schema(example = json!(["192.0.2.0/24"])))]
    pub allowed_ips: Vec<String>,
    /// The limits in time that it shares with everything that acts as the same principal.
    pub rate_limits: Vec<RateLimit>,
    /// Whether its uses are limited in number.
    pub has_quota: bool,
    /// The provider whose rules it follows.
    pub provider: ProviderFacts,
    /// The roles that it holds, or its owner, whatever it is narrowed to.
    pub roles: Vec<RoleFacts>,
}

/// What decisions depend on of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderFacts {
    /// Its id.
    pub id: Uuid,
    /// Its name in requests.
    #[cfg_attr(feature = "openapi", schema(example = "api-keys"))]
    pub identifier: String,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "API keys"))]
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether its credentials may travel over plain HTTP.
    pub allow_insecure_http: bool,
    /// Where its keys may stand; left out: it is not for keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<PlaceFacts>,
}

/// Where in a request keys may stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceFacts {
    /// The header.
    #[cfg_attr(feature = "openapi", schema(example = "x-api-key"))]
    pub header_name: String,
    /// Whether `Authorization: Bearer` will do.
    pub accept_bearer: bool,
    /// The query parameter; `null`: none.
    #[cfg_attr(feature = "openapi", schema(example = json!(null)))]
    pub query_parameter_name: Option<String>,
}

/// What decisions depend on of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleFacts {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(example = 5))]
    pub id: i64,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "billing reader"))]
    pub name: String,
    /// What it allows.
    #[cfg_attr(feature = "openapi", schema(example = json!(["invoices.read"])))]
    pub permissions: Vec<String>,
    /// Which endpoints it opens.
    pub endpoints: Vec<EndpointRule>,
}

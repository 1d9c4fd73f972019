//! Checking a credential, on the wire.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::RateLimitState;
use crate::me::{Credential, Principal, RoleName};

/// A question about a credential.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "credential": "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH",
    "permissions": ["invoices.read"]
})))]
pub struct VerifyRequest {
    /// The credential itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// In place of the credential, the SHA-256 of a whole key or token, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What it must be allowed: a list of permissions, of which it needs every one, or an
    /// expression such as `"invoices.read and (a.b or c.d)"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
    /// The endpoint that it must open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<AskedEndpoint>,
    /// Where it rode: `header`, `bearer` or `query`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "header"))]
    pub source: Option<String>,
    /// How it travelled: `secure` or `insecure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "secure"))]
    pub transport: Option<String>,
    /// Where the request came from. A key with `allowed_ips` is refused without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "192.0.2.7"))]
    pub ip: Option<String>,
    /// What the check takes of each limit: 0 to 1,000,000, or 1 if left out. It takes all or
    /// nothing; 0 only asks, and is within every limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000))]
    pub cost: Option<i64>,
    /// Whether to list every rule with its outcome.
    #[serde(default)]
    pub explain: bool,
    /// Whether a refusal is answered with its own status instead of 200.
    #[serde(default)]
    pub strict: bool,
}

/// Permissions that are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Permissions {
    /// All of these.
    All(Vec<String>),
    /// An expression with `and`, `or` and parentheses.
    Expression(String),
}

/// An endpoint that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskedEndpoint {
    /// The method, in capitals.
    #[cfg_attr(feature = "openapi", schema(example = "GET"))]
    pub method: String,
    /// The path, as the client sent it.
    #[cfg_attr(feature = "openapi", schema(example = "/billing/v1/invoices"))]
    pub path: String,
}

/// The answer about a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "valid": true,
    "code": "valid",
    "credential": {
        "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
        "kind": "api_key",
        "name": "CI pipeline",
        "key_prefix": "ks_0aB3xY",
        "expires_at": null,
        "external_id": null,
        "metadata": {"team": "billing"}
    },
    "principal": {
        "kind": "api_key",
        "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
        "name": "CI pipeline"
    },
    "roles": [{"id": 5, "name": "billing reader"}],
    "permissions": ["invoices.read"],
    "rate_limits": [{
        "name": "default",
        "limit": 100,
        "window_seconds": 60,
        "remaining": 99,
        "reset_seconds": 1
    }]
})))]
pub struct Verdict<'a> {
    /// Whether it may.
    pub valid: bool,
    /// `valid`, or the first reason why not: `malformed`, `not_found`, `deleted`, `disabled`,
    /// `expired`, `provider_disabled`, `owner_disabled`, `source_not_allowed`, `insecure_transport`,
    /// `ip_not_allowed`, `insufficient_permissions`, `endpoint_not_allowed`, `quota_exceeded`,
    /// `rate_limited`; asked by fingerprint also `secret_required`: it may be an imported key, which
    /// only the credential itself can show.
    #[cfg_attr(feature = "openapi", schema(example = "valid"))]
    pub code: Cow<'a, str>,
    /// The place in the feed up to which every change is in this answer, if it was asked by
    /// fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The credential, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential<'a>>,
    /// Whom it acts as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal<'a>>,
    /// The roles that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleName<'a>>>,
    /// What they allow together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Cow<'a, str>>>,
    /// How its limits in time stand after this check, if no rule refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<Vec<RateLimitState>>,
    /// What is left of it, if it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// Every rule with its outcome, if that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// What is left of a deleted credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deletion {
    /// The id that it had.
    pub id: uuid::Uuid,
    /// The name that it had.
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub name: String,
    /// The beginning of its secret.
    #[cfg_attr(feature = "openapi", schema(example = "ks_0aB3xY"))]
    pub key_prefix: String,
    /// When it was deleted.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub deleted_at: String,
    /// Who deleted it.
    pub deleted_by: Option<Principal<'static>>,
    /// Why, if they said so.
    pub reason: Option<String>,
}

/// Why a check went as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// Every rule, in the order in which they are asked.
    pub rules: Vec<RuleOutcome>,
    /// The smallest grant that would have passed the rules about permissions and endpoints; `null`
    /// where no grant would help.
    pub missing: Option<MissingGrant>,
}

/// How one rule went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleOutcome {
    /// The rule.
    #[cfg_attr(feature = "openapi", schema(example = "not_expired"))]
    pub rule: String,
    /// `pass`, `fail`, or `skip` where its input was not given.
    #[cfg_attr(feature = "openapi", schema(example = "pass"))]
    pub outcome: String,
}

/// What a credential lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingGrant {
    /// The permissions that it lacks.
    #[cfg_attr(feature = "openapi", schema(example = json!(["invoices.read"])))]
    pub permissions: Vec<String>,
    /// The endpoint that no role of it opens.
    pub endpoint: Option<AskedEndpoint>,
}

/// Many questions at once.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"checks": [{
    "credential": "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH",
    "endpoint": {"method": "GET", "path": "/billing/v1/invoices"}
}]})))]
pub struct VerifyBatch {
    /// The questions: 1 to 1,000.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1_000))]
    pub checks: Vec<VerifyRequest>,
}

/// The answers, in the order of the questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdicts<'a> {
    /// One answer for each question.
    pub data: Vec<Verdict<'a>>,
}

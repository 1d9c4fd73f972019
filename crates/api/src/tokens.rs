//! Personal access tokens on the wire.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::me::Principal;
use crate::patch::Patch;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
    "name": "CI pipeline",
    "description": null,
    "owner_id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e11",
    "provider": "personal-access-tokens",
    "key_prefix": "ks_pat_0aB3xY",
    "scopes": ["invoices.read"],
    "expires_at": "2027-02-20T09:00:00Z",
    "last_used_at": null,
    "created_by": null,
    "created_at": "2026-11-22T09:00:00Z",
    "updated_at": "2026-11-22T09:00:00Z"
})))]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The user or service account that it acts as.
    pub owner_id: Uuid,
    /// The identifier of its provider.
    pub provider: String,
    /// The beginning of its secret.
    pub key_prefix: String,
    /// What it is narrowed to; `null`: everything that its owner may.
    pub scopes: Option<Vec<String>>,
    /// When it ends; `null`: never.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// When it was let in last; `null`: never. It takes a few seconds until a use is seen here.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_used_at: Option<String>,
    /// Who made it.
    pub created_by: Option<Principal<'static>>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When it was changed last.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_at: String,
}

/// A token with its secret: the one answer that has it. A dry run leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedToken {
    /// The token without its secret.
    #[serde(flatten)]
    pub shown: Token,
    /// The secret, shown once; left out of a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(example = "ks_pat_0123456789abcdefghijABCDEFGHIJ0123456789xyz3buPic")
    )]
    pub token: Option<String>,
}

/// A token to be made. At most one member says when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "name": "CI pipeline",
    "expires_in_days": 90
})))]
pub struct NewToken {
    /// Its name: one line of 1 to 200 characters; left out: "Token of" and the day.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: Option<String>,
    /// What it is for: up to 2,000 characters.
    pub description: Option<String>,
    /// Identifier or id of the provider whose rules it follows; left out: the default one.
    pub provider: Option<String>,
    /// In how many days it ends: 1 to 365.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 365))]
    pub expires_in_days: Option<i64>,
    /// In how many minutes it ends.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub expires_in_minutes: Option<i64>,
    /// When it ends (RFC 3339); `null`: never, if the provider allows that. With none of the three:
    /// as the provider says.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Patch<String>,
    /// The permissions that it is narrowed to: up to 200, each within what its owner holds now.
    /// Left out or `null`: everything that its owner may; `[]`: nothing. A token that is narrowed
    /// opens no endpoints.
    pub scopes: Option<Vec<String>>,
}

/// A change of a token (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"name": "CI pipeline, main branch"})))]
pub struct TokenPatch {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub name: Patch<String>,
    /// Its new description; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub description: Patch<String>,
    /// When it ends from now on; `null`: never, if the provider allows that. What has ended stays
    /// ended.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Patch<String>,
    /// What it is narrowed to from now on; `null`: everything that its owner may.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub scopes: Patch<Vec<String>>,
}

/// How to rotate a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"overlap_seconds": 86400})))]
pub struct RotateToken {
    /// How long the old secret still works: 0 (the default) to 2,592,000 seconds, and never longer
    /// than the token.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(default = 0, minimum = 0, maximum = 2_592_000))]
    pub overlap_seconds: i64,
}

/// A token that stands in the way of deleting its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveToken {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub name: String,
    /// The beginning of its secret.
    #[cfg_attr(feature = "openapi", schema(example = "ks_pat_0aB3xY"))]
    pub key_prefix: String,
    /// When it ends; `null`: never.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: Option<String>,
}

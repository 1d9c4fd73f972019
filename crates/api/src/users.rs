//! Users and service accounts on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::limits::RateLimit;
use crate::patch::Patch;

/// A person or a service account, without what they sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
    "username": "ann",
    "display_name": "Ann Smith",
    "email": "ann@example.com",
    "enabled": true,
    "is_service_account": false,
    "role_ids": [3],
    "rate_limits": [],
    "external_id": null,
    "metadata": {"team": "billing"},
    "created_at": "2026-11-22T09:00:00Z",
    "updated_at": "2026-11-22T09:00:00Z"
})))]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// The name that they sign in with.
    pub username: String,
    /// Their name for people.
    pub display_name: Option<String>,
    /// Where they read mail.
    pub email: Option<String>,
    /// Whether they are switched on: if not, none of their tokens and sessions works.
    pub enabled: bool,
    /// Whether this is a program, which never signs in.
    pub is_service_account: bool,
    /// The roles that they hold.
    pub role_ids: Vec<i64>,
    /// How often they may do anything in a time: all that acts as them shares these.
    pub rate_limits: Vec<RateLimit>,
    /// What another system calls them.
    pub external_id: Option<String>,
    /// What you keep beside them.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
    /// When they were made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When they were changed last.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_at: String,
}

/// A user to be made.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "username": "deploy-bot",
    "is_service_account": true,
    "role_ids": [4]
})))]
pub struct NewUser {
    /// The name to sign in with: one line of 1 to 100 characters. No two users have names that look
    /// the same: neither case nor the width or composition of letters counts.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub username: String,
    /// Their name for people: one line of 1 to 200 characters.
    pub display_name: Option<String>,
    /// Where they read mail. Nothing is sent there, and nobody is recognised by it.
    pub email: Option<String>,
    /// What they sign in with. Without one they come by another provider; a service account has
    /// none.
    #[cfg_attr(feature = "openapi", schema(write_only, max_length = 1_024))]
    pub password: Option<String>,
    /// Whether this is a program, which never signs in and uses tokens alone. It cannot be changed
    /// later.
    #[serde(default)]
    pub is_service_account: bool,
    /// Whether they are switched on; they are, unless `false`.
    pub enabled: Option<bool>,
    /// The roles that they hold; without any they may do nothing.
    #[serde(default)]
    pub role_ids: Vec<i64>,
    /// How often they may do anything in a time: up to 10 limits, which all that acts as them shares.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 10))]
    pub rate_limits: Vec<RateLimit>,
    /// What another system calls them: one line of 1 to 200 characters.
    pub external_id: Option<String>,
    /// What you keep beside them: up to 50 members, 5 levels, 4,096 bytes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Map<String, Value>,
}

/// A change of a user (RFC 7396): what is left out stays.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"enabled": false})))]
pub struct UserPatch {
    /// The new name to sign in with.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub username: Patch<String>,
    /// Their new name for people; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub display_name: Patch<String>,
    /// Where they read mail now; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub email: Patch<String>,
    /// What they sign in with from now on, which ends all their sessions; `null`: nothing. One's
    /// own is changed at `/me/password`.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub password: Patch<String>,
    /// Whether this is a program: nobody becomes one, or a person, so this is always refused.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub is_service_account: Patch<bool>,
    /// Whether they are switched on. Switched off, none of their tokens and sessions works, at once.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub enabled: Patch<bool>,
    /// The roles that they hold from now on; `null` is none.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<i64>>))]
    pub role_ids: Patch<Vec<i64>>,
    /// How often they may do anything in a time from now on; `null`: as often as anybody likes.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<RateLimit>>))]
    pub rate_limits: Patch<Vec<RateLimit>>,
    /// What another system calls them; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub external_id: Patch<String>,
    /// Members to set; those that are `null` are removed. `null` removes all.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Patch<Map<String, Value>>,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("username", &self.username).finish_non_exhaustive()
    }
}

impl fmt::Debug for UserPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPatch").finish_non_exhaustive()
    }
}

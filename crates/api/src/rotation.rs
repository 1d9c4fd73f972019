//! What becomes of an old secret, on the wire: the same for API keys and for tokens.

use serde::{Deserialize, Serialize};

/// How the rotation of a key or token stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rotation {
    /// When the old secret ends, or ended; `null`: there is none.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub old_secret_expires_at: Option<String>,
    /// Who has shown the old secret since it was the old one, let in or not: the hundred clients
    /// that did so last, the latest first. What other nodes have seen in the last seconds may be
    /// missing.
    pub uses: Vec<OldSecretUse>,
}

/// How often a client has shown an old secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "address": "10.1.2.3",
    "user_agent": "curl/8.5.0",
    "count": 12,
    "last_at": "2026-11-22T09:14:05.25Z"
})))]
pub struct OldSecretUse {
    /// Where it is; `null`: nobody said.
    pub address: Option<String>,
    /// What it calls itself, in up to 200 characters; `null`: nothing.
    pub user_agent: Option<String>,
    /// How often. Of a client that showed the secret before it too, just before a rotation, that may
    /// be counted here.
    pub count: i64,
    /// When last.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_at: String,
}

/// How long the old secret of a rotated key or token shall work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"overlap_seconds": 86400})))]
pub struct ExtendRotation {
    /// Counted from now: 1 to 2,592,000 seconds, and never longer than the key or token.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_592_000))]
    pub overlap_seconds: i64,
}

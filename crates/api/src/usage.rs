//! How a credential is used, on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How a credential is used. What was checked in the last seconds may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "credential_id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
    "last_used_at": "2026-11-22T09:14:05.25Z",
    "last_address": "10.1.2.3",
    "last_user_agent": "curl/8.5.0",
    "data": [{"at": "2026-11-22T00:00:00Z", "allowed": 1200, "refused": {"ip_not_allowed": 3}}]
})))]
pub struct Usage {
    /// The credential.
    pub credential_id: Uuid,
    /// When it was let in last; `null`: never. A check that refused it is no use of it.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_used_at: Option<String>,
    /// From where that was; `null`: nobody said.
    pub last_address: Option<String>,
    /// What the client called itself then, in up to 200 characters; `null`: nothing.
    pub last_user_agent: Option<String>,
    /// The hours or days with a check in them, the oldest first.
    pub data: Vec<UsagePeriod>,
}

/// The checks of one hour or day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsagePeriod {
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(format = DateTime, example = "2026-11-22T00:00:00Z"))]
    pub at: String,
    /// How many checks let the credential in.
    #[cfg_attr(feature = "openapi", schema(example = 1200))]
    pub allowed: i64,
    /// How many did not, by the code that `/verify` gives.
    #[cfg_attr(feature = "openapi", schema(example = json!({"ip_not_allowed": 3})))]
    pub refused: BTreeMap<String, i64>,
}

//! The audit log on the wire.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::me::Principal;

/// One administrative change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "seq": 42,
    "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e11",
    "at": "2026-11-22T09:00:00Z",
    "actor": {
        "kind": "api_key",
        "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e12",
        "name": "First administrator"
    },
    "credential": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e12",
    "action": "api_key.created",
    "target": {
        "kind": "api_key",
        "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
        "name": "CI pipeline"
    },
    "before": null,
    "after": {"name": "CI pipeline", "role_ids": [4], "enabled": true},
    "reason": null,
    "address": "192.0.2.7",
    "request_id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e13"
})))]
pub struct AuditEvent {
    /// Its place in the log, counted from 1 without gaps.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub at: String,
    /// Who did it; `null`: Keystile itself.
    pub actor: Option<Principal<'static>>,
    /// The id of the credential that they showed.
    pub credential: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: AuditTarget,
    /// The target before; `null` where there was none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub before: Option<serde_json::Value>,
    /// The target after; `null` where there is none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub after: Option<serde_json::Value>,
    /// Why, if they said so.
    pub reason: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// The request that did it.
    pub request_id: Option<String>,
}

/// What a change was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditTarget {
    /// Which kind of thing.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at that time.
    pub name: String,
}

/// What a walk along the sealed log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "valid": true,
    "checked": 42,
    "head": {
        "seq": 42,
        "hash": "1f0c4f6b9e2a7d3c5b8e1a4d7f0c3b6e9a2d5f8b1c4e7a0d3f6b9c2e5a8d1f4b"
    },
    "broken": null
})))]
pub struct ChainReport {
    /// Whether every event is what was written, and none is missing.
    pub valid: bool,
    /// How many events were read.
    pub checked: i64,
    /// The newest event. Keep it elsewhere: a log that was cut short still has a valid chain, and
    /// only this tells.
    pub head: ChainHead,
    /// The first event that is wrong.
    pub broken: Option<ChainBreak>,
}

/// The end of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainHead {
    /// The place of the newest event.
    pub seq: i64,
    /// Its seal, in hexadecimal.
    pub hash: String,
}

/// Where the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainBreak {
    /// The place of the event.
    pub seq: i64,
    /// What is wrong with it.
    pub detail: String,
}

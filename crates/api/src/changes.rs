//! The feed of changes on the wire: what was changed, for whoever remembers something of it.

use serde::{Deserialize, Serialize};

/// One change. It tells which thing was changed, and neither from what nor to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "seq": 42,
    "action": "api_key.disabled",
    "target_kind": "api_key",
    "target_id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
    "mark": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
})))]
pub struct Change {
    /// Its place in the feed: the same as in the audit log, without gaps.
    pub seq: i64,
    /// What was done. New words may be added: take one that you do not know for a change of
    /// everything.
    pub action: String,
    /// The kind of thing that it was done to.
    pub target_kind: String,
    /// The id of that thing.
    pub target_id: String,
    /// Tells this change from any other that might stand at this place after a restore.
    pub mark: String,
}

/// Changes in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changes {
    /// The changes, in order: at most 500.
    pub data: Vec<Change>,
    /// Where the feed ends at this moment.
    #[cfg_attr(feature = "openapi", schema(example = 42))]
    pub position: i64,
}

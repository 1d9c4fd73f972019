//! Whether the server lives, and whether it can answer.

use serde::{Deserialize, Serialize};

/// The state of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"status": "ready"})))]
pub struct Health {
    /// `alive` or `ready`: what was asked.
    pub status: String,
    /// What it does without at the moment. `redis`: each server counts limits for itself.
    /// `asynchronous_standby`: a standby that takes over may lack changes that were answered.
    /// `durability`: the primary may lose them in a crash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(example = json!(["redis"])))]
    pub degraded: Vec<String>,
}

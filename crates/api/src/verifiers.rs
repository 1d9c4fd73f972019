//! Who may believe what they remember, and when a change is in force with all of them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Everybody who follows the log of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verifiers {
    /// The nodes of the cluster, those that have just died included.
    pub data: Vec<VerifierNode>,
    /// The place of the last change in the log.
    pub head: i64,
    /// How long a verifier that is cut off believes what it remembers, in milliseconds.
    #[cfg_attr(feature = "openapi", schema(example = 2000))]
    pub lease_millis: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifierNode {
    /// Its name, new at every start.
    pub id: Uuid,
    /// Where it listens.
    #[cfg_attr(feature = "openapi", schema(example = "http://10.0.0.7:8080"))]
    pub address: String,
    /// Its version.
    #[cfg_attr(feature = "openapi", schema(example = "0.1.0"))]
    pub version: String,
    /// When it started.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub started_at: String,
    /// Up to where it has followed the log.
    pub position: i64,
    /// Up to where changes are in force with it and with everybody who follows it.
    pub settled: i64,
    /// How long it may still believe what it remembers if it is cut off now, in milliseconds: at most,
    /// by the clock of the node that answers. 0: it holds no lease, and asks the database.
    #[cfg_attr(feature = "openapi", schema(example = 1870))]
    pub lease_left_millis: u64,
    /// How many embedded verifiers follow it.
    pub followers: i64,
    /// How many of those have chosen to go on after their lease.
    pub unproven: i64,
}

/// That a change is in force everywhere: what `wait=cluster` adds to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revocation {
    /// Since when, by the clock of the server that answers.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub effective_at: String,
    /// How many verifiers have said that it is in force with them.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub acknowledged: i64,
    /// How many have not said so. Their leases are over: they ask before they believe anything.
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub lease_expired: i64,
    /// How many have chosen to go on after their lease: of these nobody knows.
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub unproven: i64,
}

/// The answer to a change that has nothing else to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InForce {
    /// Where and since when it is in force.
    pub revocation: Revocation,
}

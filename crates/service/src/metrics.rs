//! How the server does, in numbers: what is counted on the way of every check, and what the parts
//! can tell when they are asked.
//!
//! Nothing here names anybody. Whoever shows the numbers gives them their names.

mod checks;

use std::time::Duration;

use keystile_auth::Recalled;
use keystile_domain::Seq;
use keystile_storage::PoolStatus;

pub use checks::{CheckCount, Way};
pub(crate) use checks::{Checks, UNAVAILABLE};

use crate::Keystile;
use crate::passwords::Hashing;
use crate::usage::UsageBacklog;

/// How the server does, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Gauges {
    /// How often credentials were checked, in every way and with every outcome that there was.
    pub checks: Vec<CheckCount>,
    /// The connections to the database.
    pub pool: PoolStatus,
    /// How many changes wait for their turn to be written with their events.
    pub changes_waiting: usize,
    /// What was counted of uses and is not written yet.
    pub usage: UsageBacklog,
    /// Passwords that are being hashed.
    pub hashing: Hashing,
    /// Whether limits should be counted across nodes and are not.
    pub limits_are_degraded: bool,
    /// What is remembered of credentials.
    pub memory: Recalled,
    /// Up to where this node has followed the log of changes.
    pub position: Seq,
    /// How long ago its last complete look at the feed began; `None`: there was none, or it counts
    /// no more.
    pub feed_lag: Option<Duration>,
    /// How long it may believe what it remembers.
    pub lease_left: Duration,
    /// Whether it is registered, and so may let anybody in.
    pub is_registered: bool,
}

impl Keystile {
    /// How the server does. It asks nobody but itself, so that it answers in an outage too.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges {
            checks: self.checks.counts(),
            pool: self.store.pool_status(),
            changes_waiting: self.store.changes_waiting(),
            usage: self.usage.backlog(),
            hashing: self.hasher.hashing(),
            limits_are_degraded: self.limits_are_degraded(),
            memory: self.verifier.recalled() + self.tokens.recalled(),
            position: self.position(),
            feed_lag: self.feed_lag(),
            lease_left: self.lease_left(),
            is_registered: self.is_registered(),
        }
    }
}

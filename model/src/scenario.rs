//! What the model is run with: small worlds, each with what one part of the protocol is about.

use crate::primary::{Change, Seq};
use crate::waiter::Asks;

/// A small world, and what may happen in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is about.
    pub name: &'static str,
    /// How many nodes there are.
    pub nodes: usize,
    /// Whether the last of them has yet to start.
    pub cold: bool,
    /// Whether the first node has a follower.
    pub follower: bool,
    /// What had happened before.
    pub history: &'static [Change],
    /// What others may write.
    pub writes: &'static [Change],
    /// The last place in the feed.
    pub changes: Seq,
    /// What the waiter asks for.
    pub asks: Asks,
    /// Whether reads are in flight for a while; without, nothing is read after the start.
    pub flights: bool,
    /// How many events a look answers with.
    pub limit: Seq,
    /// Whether there is a synchronous standby.
    pub standby: bool,
    /// Whether there is a replica that nodes may read.
    pub replica: bool,
    /// Whether rows are deleted.
    pub reaper: bool,
    /// What the world may do.
    pub budget: Budget,
}

/// What the world may do, how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// A clock loses a tick against all others.
    pub drifts: u8,
    /// A process dies and another one starts.
    pub crashes: u8,
    /// The standby takes over.
    pub failovers: u8,
    /// A backup is restored.
    pub restores: u8,
}

const NOTHING: Budget = Budget { drifts: 0, crashes: 0, failovers: 0, restores: 0 };
const ONE_DRIFT: Budget = Budget { drifts: 1, ..NOTHING };
const ONE_FAILOVER: Budget = Budget { failovers: 1, ..NOTHING };
const ONE_RESTORE: Budget = Budget { restores: 1, ..NOTHING };

/// A node that revokes and answers at once. The others are this one with something more.
pub const PLAIN: Scenario = Scenario {
    name: "an answer at once",
    nodes: 1,
    cold: false,
    follower: false,
    history: &[],
    writes: &[],
    changes: 1,
    asks: Asks::Plain,
    flights: true,
    limit: Seq::MAX / 2,
    standby: false,
    replica: false,
    reaper: false,
    budget: NOTHING,
};

pub const MEMORY: Scenario = Scenario {
    name: "one node",
    writes: &[Change::Other],
    changes: 2,
    asks: Asks::Revoke,
    budget: ONE_DRIFT,
    ..PLAIN
};

pub const LATER_VERSION: Scenario = Scenario {
    name: "an event of a later version",
    writes: &[Change::Strange],
    asks: Asks::Repeat,
    ..PLAIN
};

pub const SHORT_LOOKS: Scenario =
    Scenario { name: "short looks", flights: false, limit: 1, changes: 3, ..MEMORY };

pub const TWO_NODES: Scenario =
    Scenario { name: "two nodes", nodes: 2, flights: false, budget: NOTHING, ..MEMORY };

pub const START: Scenario = Scenario {
    name: "a second start",
    nodes: 2,
    cold: true,
    flights: false,
    asks: Asks::Revoke,
    ..PLAIN
};

pub const REAPER: Scenario = Scenario {
    name: "a crash and a reaper",
    flights: false,
    asks: Asks::Revoke,
    reaper: true,
    budget: Budget { crashes: 1, ..ONE_DRIFT },
    ..PLAIN
};

pub const REPLICA: Scenario =
    Scenario { name: "a replica", asks: Asks::Revoke, replica: true, ..PLAIN };

pub const FAILOVER: Scenario = Scenario {
    name: "a failover",
    writes: &[Change::Other],
    asks: Asks::Revoke,
    standby: true,
    budget: ONE_FAILOVER,
    ..PLAIN
};

pub const REPEATED: Scenario = Scenario {
    name: "a repeated change",
    writes: &[Change::Revoke],
    asks: Asks::Repeat,
    standby: true,
    budget: ONE_FAILOVER,
    ..PLAIN
};

/// Others enable what was revoked, and the failover loses that.
pub const TAKEN_BACK: Scenario = Scenario {
    name: "a failover that takes back",
    history: &[Change::Revoke],
    writes: &[Change::Enable],
    changes: 2,
    ..REPEATED
};

pub const RESTORE: Scenario =
    Scenario { name: "a restore", standby: false, changes: 3, budget: ONE_RESTORE, ..TAKEN_BACK };

pub const STUCK_REPLICA: Scenario =
    Scenario { name: "a replica and a restore", replica: true, changes: 2, ..RESTORE };

pub const FOLLOWER: Scenario = Scenario {
    name: "a follower",
    follower: true,
    flights: false,
    asks: Asks::Revoke,
    budget: ONE_DRIFT,
    ..PLAIN
};

pub const LEAVING: Scenario = Scenario {
    name: "a follower and a crash",
    budget: Budget { crashes: 1, ..NOTHING },
    ..FOLLOWER
};

impl Scenario {
    /// Those of the test suite.
    pub const SUITE: [Self; 15] = [
        PLAIN,
        MEMORY,
        LATER_VERSION,
        SHORT_LOOKS,
        TWO_NODES,
        START,
        REAPER,
        REPLICA,
        FAILOVER,
        REPEATED,
        TAKEN_BACK,
        RESTORE,
        STUCK_REPLICA,
        FOLLOWER,
        LEAVING,
    ];

    /// Larger ones, of millions of worlds.
    pub const DEEP: [Self; 9] = [
        Self { name: "one node, more changes", changes: 3, ..MEMORY },
        Self { name: "two nodes, one slow", budget: ONE_DRIFT, ..TWO_NODES },
        Self { name: "a failover, more changes", changes: 2, ..FAILOVER },
        Self { name: "a failover and a reaper", reaper: true, flights: false, ..FAILOVER },
        Self {
            name: "a failover, one slow",
            budget: Budget { drifts: 1, ..ONE_FAILOVER },
            ..FAILOVER
        },
        Self { name: "a replica and a failover", replica: true, ..TAKEN_BACK },
        Self {
            name: "a follower, more changes",
            writes: &[Change::Other],
            changes: 2,
            budget: NOTHING,
            ..FOLLOWER
        },
        Self { name: "a follower and a restore", follower: true, changes: 2, ..RESTORE },
        Self { name: "two nodes and a reaper", nodes: 2, budget: NOTHING, ..REAPER },
    ];
}

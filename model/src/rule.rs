//! The rules that can be left out, one at a time: what is left of the protocol shows what each of
//! them is for.

use crate::scenario::{
    FAILOVER, FOLLOWER, LATER_VERSION, LEAVING, MEMORY, PLAIN, REAPER, REPEATED, REPLICA, RESTORE,
    SHORT_LOOKS, START, STUCK_REPLICA, Scenario, TAKEN_BACK,
};

/// A rule of the protocol, or one sentence of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The place in the feed is taken under a lock that lasts until the commit.
    GaplessFeed,
    /// Nothing is answered before the standby has the change too.
    DurableCommit,
    /// The node that wrote raises its own floor before it answers.
    OwnFloor,
    /// The node that wrote advances its position only by the feed.
    PositionByFeed,
    /// One length of leases for all nodes.
    OneLease,
    /// A start never touches rows of older incarnations.
    OwnRowOnly,
    /// A look whose row is gone extends nothing.
    LookNeedsRow,
    /// A node reads its clock before it looks, and counts the lease from there.
    AskedBefore,
    /// An answer that was cut by a limit extends nothing.
    WholeAnswer,
    /// A node whose event the primary does not have forgets everything.
    ForkForgets,
    /// A node that sees another generation forgets what it read under the old one.
    GenerationForgets,
    /// An event that a node cannot interpret empties its memory.
    UnknownEmpties,
    /// A decision reads the clock itself.
    ClockNow,
    /// With the lease over, a decision reads the primary in a read of its own.
    ReadAlone,
    /// An entry is good only at or above its floor.
    Floors,
    /// The position of an entry is the node's when the read began.
    PositionAtBegin,
    /// A decision joins a read in flight only at or above the floor.
    JoinByFloor,
    /// The answer of a replica counts only at or above the node's position.
    ReplicaNotBehind,
    /// The answer of a replica counts only in the node's generation.
    ReplicaOfGeneration,
    /// The waiter's clock starts after the commit was acknowledged.
    ClockAfterCommit,
    /// Leases are given a margin for clocks that do not run alike.
    Margin,
    /// Every row that is present counts, lapsed or not.
    EveryRow,
    /// Rows count only once the generation has been seen for a lease and its margin.
    GenerationSeen,
    /// A reaper deletes only the row whose beat it saw twice.
    UnchangedBeat,
    /// A node that ends takes its row away only if no follower of it has a lease.
    LastToLeave,
    /// A repeated change waits as the first one does.
    RepeatWaits,
    /// A repeated change waits only for what the standby has too.
    RepeatIsDurable,
    /// A node reports no more than what its followers have acknowledged.
    FollowersCount,
    /// A follower gets what is left of the node's own lease.
    TimeLeft,
    /// A follower trusts once it has applied up to the position of the answer.
    AppliedFirst,
    /// The node notes the follower before it answers.
    NotedFirst,
    /// A push extends no lease.
    PushExtendsNothing,
    /// A node whose own lease is over gives none.
    OwnLeaseToGive,
    /// Every follower has a lease id of its own.
    LeaseIds,
    /// A restore begins a new generation with an event of its own.
    RestoreIsNew,
}

impl Rule {
    /// All of them, in the order of the protocol.
    pub const ALL: [Self; 35] = [
        Self::GaplessFeed,
        Self::DurableCommit,
        Self::OwnFloor,
        Self::PositionByFeed,
        Self::OneLease,
        Self::OwnRowOnly,
        Self::LookNeedsRow,
        Self::AskedBefore,
        Self::WholeAnswer,
        Self::ForkForgets,
        Self::GenerationForgets,
        Self::UnknownEmpties,
        Self::ClockNow,
        Self::ReadAlone,
        Self::Floors,
        Self::PositionAtBegin,
        Self::JoinByFloor,
        Self::ReplicaNotBehind,
        Self::ReplicaOfGeneration,
        Self::ClockAfterCommit,
        Self::Margin,
        Self::EveryRow,
        Self::GenerationSeen,
        Self::UnchangedBeat,
        Self::LastToLeave,
        Self::RepeatWaits,
        Self::RepeatIsDurable,
        Self::FollowersCount,
        Self::TimeLeft,
        Self::AppliedFirst,
        Self::NotedFirst,
        Self::PushExtendsNothing,
        Self::OwnLeaseToGive,
        Self::LeaseIds,
        Self::RestoreIsNew,
    ];

    /// The number of the rule that it is a sentence of.
    pub fn number(self) -> u8 {
        self.left_out().0
    }

    /// What happens when it is left out.
    pub fn without(self) -> &'static str {
        self.left_out().1
    }

    /// The small world in which that breaks the promise.
    pub fn scenario(self) -> Scenario {
        self.left_out().2
    }

    fn left_out(self) -> (u8, &'static str, Scenario) {
        match self {
            Self::GaplessFeed => {
                (1, "two changes commit in another order than that of their places", MEMORY)
            }
            Self::DurableCommit => (2, "the answer does not wait for the standby", FAILOVER),
            Self::OwnFloor => (3, "the node that wrote answers and goes on as before", PLAIN),
            Self::PositionByFeed => {
                (3, "the node that wrote is where it wrote, whatever it has seen", MEMORY)
            }
            Self::OneLease => (4, "one node has a longer lease than the waiter believes", MEMORY),
            Self::OwnRowOnly => (4, "a start deletes the row of the process before it", START),
            Self::LookNeedsRow => {
                (5, "a look extends the lease of a node whose row is gone", REAPER)
            }
            Self::AskedBefore => (6, "the lease counts from the answer of a look", MEMORY),
            Self::WholeAnswer => {
                (6, "a look that was cut by a limit extends the lease", SHORT_LOOKS)
            }
            Self::ForkForgets => (7, "nothing tells a node that its history has forked", FAILOVER),
            Self::GenerationForgets => {
                (7, "only the loss of its own event tells a node so", TAKEN_BACK)
            }
            Self::UnknownEmpties => (8, "an event of a later version is skipped", LATER_VERSION),
            Self::ClockNow => (9, "a timer says whether the lease is over", MEMORY),
            Self::ReadAlone => {
                (9, "with the lease over, a decision joins a read in flight", MEMORY)
            }
            Self::Floors => (10, "an entry is good as long as the lease", MEMORY),
            Self::PositionAtBegin => {
                (11, "an entry has the position at which its read ended", MEMORY)
            }
            Self::JoinByFloor => (12, "a decision joins any read in flight", MEMORY),
            Self::ReplicaNotBehind => {
                (12, "a replica's answer is used wherever the replica is", REPLICA)
            }
            Self::ReplicaOfGeneration => {
                (12, "a replica of another generation is asked", STUCK_REPLICA)
            }
            Self::ClockAfterCommit => {
                (13, "the waiter's clock starts with the transaction", MEMORY)
            }
            Self::Margin => (13, "the waiter waits for one lease exactly", MEMORY),
            Self::EveryRow => {
                (14, "the waiter skips rows that the database's clock calls lapsed", MEMORY)
            }
            Self::GenerationSeen => {
                (14, "the rows of a new primary are believed at once", TAKEN_BACK)
            }
            Self::UnchangedBeat => {
                (15, "the reaper deletes what had lapsed when it looked", REAPER)
            }
            Self::LastToLeave => {
                (15, "a node ends and takes its row away from under its followers", LEAVING)
            }
            Self::RepeatWaits => (
                15,
                "a repeated change is answered at once, as nothing is left to do",
                LATER_VERSION,
            ),
            Self::RepeatIsDurable => {
                (15, "a repeated change waits for what it read, durable or not", REPEATED)
            }
            Self::FollowersCount => (16, "a node reports its own position", FOLLOWER),
            Self::TimeLeft => (17, "a follower gets a whole lease", FOLLOWER),
            Self::AppliedFirst => (17, "a follower trusts as soon as it is answered", FOLLOWER),
            Self::NotedFirst => (17, "a follower is answered before it is noted", FOLLOWER),
            Self::PushExtendsNothing => (17, "a push extends the lease of a follower", FOLLOWER),
            Self::OwnLeaseToGive => (18, "a node whose lease is over gives leases", FOLLOWER),
            Self::LeaseIds => (19, "two followers share a lease id", FOLLOWER),
            Self::RestoreIsNew => (22, "a restore leaves no trace", RESTORE),
        }
    }
}

//! What this node knows of changes by others, and others of this node: how a revocation comes to be
//! in force everywhere.
//!
//! - `follow` looks at the feed, again and again: it raises floors, renews the lease, and tells how
//!   far this node is.
//! - `join` registers the node, which must count on the same lease as all others.
//! - `passed` holds the last events, and names what is missing when the database has another
//!   history.
//! - `reaper` removes nodes that have died.
//! - `wait` answers when a change is in force everywhere.

mod follow;
mod join;
mod news;
mod passed;
mod reaper;
mod wait;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystile_auth::Trust;
use keystile_domain::{Power, Seq, Timestamp};
pub use keystile_storage::Node;
use keystile_storage::{NodeDraft, StoreError};
use uuid::Uuid;

pub use self::follow::Following;
pub use self::join::JoinError;
pub(crate) use self::news::{News, effects};
use self::passed::Passed;
use self::reaper::Beats;
pub use self::wait::{Revocation, outwait_leases};

use crate::{Caller, Keystile, ServiceError};

/// How long nodes may believe what they remember after the primary has gone: 0 to 60 seconds, the
/// same for all of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease(Duration);

/// The lease is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most 60 seconds")]
pub struct LeaseError;

/// This node among the others.
pub(crate) struct Cluster {
    lease: Lease,
    address: String,
    started_at: Timestamp,
    /// The name under which it is registered; another one after it was taken for dead.
    incarnation: Mutex<Uuid>,
    /// Whether it is registered. Until then it lets nobody in: nobody would wait for it.
    is_registered: AtomicBool,
    /// Up to where neither this node nor anybody who follows it decides by what was before.
    settled: AtomicI64,
    /// What this node changes itself.
    pub(crate) news: News,
    /// What this node has applied last.
    passed: Mutex<Passed>,
    /// Which of the others live.
    beats: Mutex<Beats>,
    /// Which server the primary is, and since when that is known.
    generation: Mutex<Option<(String, Duration)>>,
}

impl Lease {
    /// How long it is.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }

    /// How long it takes until every lease that was given before now is over, whatever the clocks
    /// of others do, as long as they run at rates within a hundredth.
    #[must_use]
    pub fn over(self) -> Duration {
        self.0 + Duration::from_millis(50) + self.0 / 100
    }

    /// For how long a node looks at nothing before it is taken for dead: its leases are over, and
    /// the next look would have been due even without any.
    fn silence(self) -> Duration {
        self.over().max(follow::PERIOD * 2)
    }

    /// The one that a database tells.
    fn from_millis(millis: i64) -> Result<Self, StoreError> {
        let lease = u64::try_from(millis).ok().map(Duration::from_millis);
        let lease = lease.and_then(|lease| Self::try_from(lease).ok());
        lease.ok_or(StoreError::Corrupt("meta.lease_millis"))
    }

    fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self(Duration::from_secs(2))
    }
}

impl TryFrom<Duration> for Lease {
    type Error = LeaseError;

    fn try_from(duration: Duration) -> Result<Self, LeaseError> {
        (duration <= LONGEST).then_some(Self(duration)).ok_or(LeaseError)
    }
}

/// Everybody who may believe what they remember.
#[derive(Clone, Debug)]
pub struct Verifiers {
    /// The nodes, each with how long it may still believe what it remembers if it is cut off now:
    /// at most, by this node's clock.
    pub nodes: Vec<(Node, Duration)>,
    /// The end of the audit log, which each of them should have seen.
    pub head: Seq,
    /// How long they may believe it when they are cut off.
    pub lease: Lease,
}

impl Keystile {
    /// Who follows the log of changes, and how far each is.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.cluster.read`.
    pub async fn list_verifiers(&self, caller: &Caller) -> Result<Verifiers, ServiceError> {
        caller.require(Power::ClusterRead)?;
        let nodes = self.list_nodes().await?;
        let left = self.leases_left(&nodes);
        let (head, _) = self.store.read().await?.head().await?;
        let nodes = nodes.into_iter().zip(left).collect();
        Ok(Verifiers { nodes, head, lease: self.cluster.lease })
    }

    fn leases_left(&self, nodes: &[Node]) -> Vec<Duration> {
        let (own, lease) = (self.cluster.incarnation(), self.cluster.lease.duration());
        let now = self.clock.elapsed();
        let since = self.cluster.beats().observe(nodes, now);
        let left = nodes.iter().zip(since).map(|(node, since)| match node.beat {
            _ if node.incarnation == own => self.lease_left(),
            // It has not looked yet.
            0 => Duration::ZERO,
            _ => lease.saturating_sub(now.saturating_sub(since)),
        });
        left.collect()
    }

    /// How long this node may still believe what it remembers.
    #[must_use]
    pub fn lease_left(&self) -> Duration {
        self.trust.lease_left(self.clock.elapsed())
    }

    /// Up to where this node has followed the log of changes.
    #[must_use]
    pub fn position(&self) -> Seq {
        self.trust.position()
    }

    /// How long ago the last look at the feed began that was complete; `None`: there was none, or
    /// what was learnt by it is believed no more.
    pub(crate) fn feed_lag(&self) -> Option<Duration> {
        let lease = self.cluster.lease.duration();
        let looked_at = self.trust.lease_end()?.checked_sub(lease)?;
        Some(self.clock.elapsed().saturating_sub(looked_at))
    }

    /// Whether this node may let anybody in: if it is to look at the feed, others know of it.
    pub(crate) fn is_registered(&self) -> bool {
        self.cluster.is_registered.load(Ordering::Acquire)
    }

    /// The nodes that must see a change, those that are registered or the only one of a file; and
    /// which server says so.
    async fn census(&self) -> Result<(Vec<Node>, String), StoreError> {
        let mut conn = self.store.read().await?;
        let nodes = conn.list_nodes().await?;
        // After the nodes: if it is the server that it was, they are its.
        if let Some(generation) = conn.find_generation().await? {
            return Ok((nodes, generation));
        }
        let (settled, counts) = self.settled_by_all();
        let (followers, unproven) = (counts.followers, counts.unproven);
        let node = self.cluster.as_node(self.trust.position());
        let known = self.cluster.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = known.as_ref().map(|(known, _)| known.clone()).unwrap_or_default();
        Ok((vec![Node { settled, followers, unproven, ..node }], generation))
    }

    async fn list_nodes(&self) -> Result<Vec<Node>, StoreError> {
        self.census().await.map(|(nodes, _)| nodes)
    }
}

impl Cluster {
    pub(crate) fn new(
        lease: Lease,
        address: String,
        started_at: Timestamp,
        trust: Arc<Trust>,
    ) -> Self {
        Self {
            lease,
            address,
            started_at,
            incarnation: Mutex::new(Uuid::nil()),
            // Whoever follows no feed believes nothing that it remembers, so nobody need wait.
            is_registered: AtomicBool::new(true),
            settled: AtomicI64::new(0),
            news: News::new(trust),
            passed: Mutex::default(),
            beats: Mutex::default(),
            generation: Mutex::new(None),
        }
    }

    pub(crate) fn incarnation(&self) -> Uuid {
        *self.incarnation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a lease is longer by than it says, for clocks that run at other rates.
    pub(crate) fn margin(&self) -> Duration {
        self.lease.over().saturating_sub(self.lease.duration())
    }

    pub(crate) fn settled(&self) -> Seq {
        Seq(self.settled.load(Ordering::Acquire))
    }

    /// What this node has applied last. The events of it are whole between two changes, whoever
    /// panicked.
    pub(crate) fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A map is whole between its methods, whoever panicked.
    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn as_node(&self, position: Seq) -> Node {
        Node {
            incarnation: self.incarnation(),
            address: self.address.clone(),
            version: VERSION.to_owned(),
            started_at: self.started_at,
            beat: 0,
            position,
            settled: self.settled(),
            followers: 0,
            unproven: 0,
        }
    }

    fn draft(&self, incarnation: Uuid) -> NodeDraft {
        NodeDraft {
            incarnation,
            address: self.address.clone(),
            version: VERSION.to_owned(),
            started_at: self.started_at,
            lease_millis: self.lease.millis(),
        }
    }
}

const LONGEST: Duration = Duration::from_secs(60);
const VERSION: &str = env!("CARGO_PKG_VERSION");

//! Waiting until a change is in force everywhere: a proof, not a hope.
//!
//! Nothing here compares the times of two machines. By its own clock the waiter knows when every
//! lease must be over that was given before the change; it answers earlier if everybody who is
//! registered says that they have settled it.

use std::sync::PoisonError;
use std::time::Duration;

use keystile_domain::{Seq, Timestamp};
use keystile_storage::{Node, Store, StoreError};
use tokio::time::{sleep, timeout};

use super::Lease;
use crate::{Keystile, ServiceError};

/// That everything that was changed before is in force everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Since when, by the clock of this node.
    pub effective_at: Timestamp,
    /// How many verifiers have said that it is in force with them.
    pub acknowledged: i64,
    /// How many have not; their leases are over, so they ask before they believe anything.
    pub lease_expired: i64,
    /// How many have chosen to go on after their lease: of these nobody knows.
    pub unproven: i64,
}

impl Keystile {
    /// Waits until everything that was changed so far, by anybody, is in force with every verifier:
    /// at most a little longer than a lease.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if it cannot be told what was changed so far.
    pub async fn wait_for_verifiers(&self) -> Result<Revocation, ServiceError> {
        let head = self.lasting_head_in_time().await?;
        let begin = self.clock.elapsed();
        // Nobody can answer for this node's own floors but itself, and it has raised them.
        let mut nodes = Vec::new();
        loop {
            let left = self.left_since(begin);
            // Without an answer, time alone will tell.
            if let Ok(Ok((seen, generation))) = timeout(left, self.census()).await {
                nodes = seen;
                let all_have = nodes.iter().all(|node| node.settled >= head);
                if all_have && self.knows_for_long(&generation) {
                    break;
                }
            }
            let left = self.left_since(begin);
            if left.is_zero() {
                break;
            }
            let is_soon = self.left_since(begin) + SOON > self.cluster.lease.over();
            sleep(left.min(if is_soon { AGAIN } else { AGAIN_LATER })).await;
        }
        Ok(self.in_force(&nodes, head))
    }

    /// The same as the last head, tried for as long as a wait may take: the change that is waited
    /// for has been made, and its answer must not be lost to a moment in which the database is busy.
    async fn lasting_head_in_time(&self) -> Result<Seq, StoreError> {
        let begin = self.clock.elapsed();
        loop {
            match self.lasting_head().await {
                Err(_) if !self.left_since(begin).is_zero() => sleep(AGAIN_LATER).await,
                found => return found,
            }
        }
    }

    /// How long it is until every lease is over that was given before `begin`.
    fn left_since(&self, begin: Duration) -> Duration {
        let waited = self.clock.elapsed().saturating_sub(begin);
        self.cluster.lease.over().saturating_sub(waited)
    }

    fn in_force(&self, nodes: &[Node], head: Seq) -> Revocation {
        let count = |settled: bool| -> i64 {
            let nodes = nodes.iter().filter(|node| (node.settled >= head) == settled);
            nodes.map(|node| 1 + node.followers - node.unproven).sum()
        };
        Revocation {
            effective_at: self.clock.now(),
            acknowledged: count(true),
            lease_expired: count(false),
            unproven: nodes.iter().map(|node| node.unproven).sum(),
        }
    }

    /// The end of the log, once everything up to there outlives the primary. Somebody else may have
    /// made the change, and not know yet whether it does: a commit of our own waits for theirs.
    async fn lasting_head(&self) -> Result<Seq, StoreError> {
        if !self.store.is_shared() {
            return Ok(self.store.read().await?.head().await?.0);
        }
        let mut books = self.store.books().await?;
        let (head, _) = books.head().await?;
        books.settle_lease(self.cluster.lease.millis()).await?;
        books.commit().await?;
        Ok(head)
    }

    /// Whether this has been the primary for as long as a lease lasts. After a failover, nodes may
    /// have leases that its list of nodes knows nothing of; after a start, followers of the process
    /// before it.
    fn knows_for_long(&self, generation: &str) -> bool {
        let known = self.cluster.generation.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_some_and(|(known, since)| {
            let age = self.clock.elapsed().saturating_sub(*since);
            known == generation && age >= self.cluster.lease.over()
        })
    }
}

/// Waits until no server can decide any more by what was before the last change, which somebody who
/// is no node has made: a lease and its margin, if any server may be running.
///
/// # Errors
///
/// [`ServiceError::Store`] if it cannot be told how long that is.
pub async fn outwait_leases(store: &Store) -> Result<(), ServiceError> {
    if !store.may_be_served()? {
        return Ok(());
    }
    if let Some(lease) = store.read().await?.find_lease().await? {
        sleep(Lease::from_millis(lease)?.over()).await;
    }
    Ok(())
}

/// How soon to ask again, in the time in which nodes answer that are well.
const AGAIN: Duration = Duration::from_millis(5);
const SOON: Duration = Duration::from_millis(200);
/// How soon afterwards: many may wait for a node that stands still.
const AGAIN_LATER: Duration = Duration::from_millis(50);

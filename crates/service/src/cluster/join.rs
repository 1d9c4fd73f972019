//! Becoming one of the nodes.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keystile_storage::StoreError;
use uuid::Uuid;

use super::Lease;
use crate::{Keystile, ServiceError, random};

/// Why a server cannot be a node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Others count on another lease.
    #[error(
        "KEYSTILE_LEASE is {}ms here and {}ms for the nodes that run: one value for a cluster; \
         to change it, stop all nodes first",
        mine.as_millis(), theirs.as_millis()
    )]
    Lease {
        /// What the settings of this one say.
        mine: Duration,
        /// What the others count on.
        theirs: Duration,
    },
    /// It could not be registered.
    #[error("the node cannot be registered")]
    Service(#[from] ServiceError),
}

impl From<StoreError> for JoinError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl Keystile {
    /// Registers this node under a new name, and counts on a lease as all others do.
    ///
    /// Nodes that have died without a word are looked out for first, if it is them who count on
    /// another lease: that takes as long as theirs.
    ///
    /// # Errors
    ///
    /// [`JoinError`] says what stands in the way.
    pub async fn join(&self) -> Result<(), JoinError> {
        let mine = self.cluster.lease;
        match self.register().await? {
            theirs if theirs == mine => Ok(()),
            theirs if self.all_are_dead(theirs).await? => self.join_again().await,
            theirs => Err(refusal(mine, theirs)),
        }
    }

    /// Registers this node under a new name if the others count on the lease that it has.
    pub(super) async fn join_again(&self) -> Result<(), JoinError> {
        match self.register().await? {
            theirs if theirs == self.cluster.lease => Ok(()),
            theirs => Err(refusal(self.cluster.lease, theirs)),
        }
    }

    /// Takes this node out: it decides nothing any more.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store did not answer; then others will find out.
    pub async fn leave(&self) -> Result<(), ServiceError> {
        self.cluster.is_registered.store(false, Ordering::Release);
        self.trust.end();
        let (_, counts) = self.settled_by_all();
        if counts.followers > 0 {
            // They may still believe what they remember: the row stands for them until it is reaped.
            return Ok(());
        }
        let mut books = self.store.books().await?;
        books.remove_node(self.cluster.incarnation()).await?;
        Ok(books.commit().await?)
    }

    /// Registers this node if its lease is the one that counts, which is returned.
    async fn register(&self) -> Result<Lease, ServiceError> {
        let cluster = &self.cluster;
        let mut books = self.store.books().await?;
        let present = books.settle_lease(cluster.lease.millis()).await?;
        let present = Lease::from_millis(present)?;
        if present != cluster.lease {
            books.rollback().await?;
            return Ok(present);
        }
        let incarnation = Uuid::from_bytes(random::bytes()?);
        if self.store.is_shared() {
            books.insert_node(&cluster.draft(incarnation)).await?;
        }
        books.commit().await?;
        *cluster.incarnation.lock().unwrap_or_else(PoisonError::into_inner) = incarnation;
        cluster.is_registered.store(true, Ordering::Release);
        Ok(present)
    }

    /// Watches the others for as long as their lease lasts; says whether none of them lives.
    async fn all_are_dead(&self, theirs: Lease) -> Result<bool, ServiceError> {
        if !self.store.is_shared() {
            // Whoever has the file has it alone.
            return Ok(true);
        }
        let before = self.list_nodes().await?;
        tokio::time::sleep(theirs.silence()).await;
        for node in before {
            self.reap(node.incarnation, node.beat).await?;
        }
        Ok(self.list_nodes().await?.is_empty())
    }
}

fn refusal(mine: Lease, theirs: Lease) -> JoinError {
    JoinError::Lease { mine: mine.duration(), theirs: theirs.duration() }
}

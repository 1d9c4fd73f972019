//! Removing nodes that have died: whoever waits would otherwise wait for them for ever.

use std::collections::HashMap;
use std::time::Duration;

use keystile_storage::Node;
use uuid::Uuid;

use crate::{Keystile, ServiceError};

/// When this node saw which beat of another one first.
#[derive(Debug, Default)]
pub(super) struct Beats(HashMap<Uuid, (i64, Duration)>);

impl Beats {
    /// Since when these nodes, which were read before `now`, have stood still.
    pub(super) fn observe(&mut self, nodes: &[Node], now: Duration) -> Vec<Duration> {
        self.0.retain(|incarnation, _| nodes.iter().any(|node| node.incarnation == *incarnation));
        let since = |node: &Node| {
            let (beat, since) = self.0.entry(node.incarnation).or_insert((node.beat, now));
            if *beat != node.beat {
                (*beat, *since) = (node.beat, now);
            }
            *since
        };
        nodes.iter().map(since).collect()
    }
}

impl Keystile {
    /// Removes nodes whose beat has stood still for as long as a lease lasts, or two looks without
    /// leases, by this node's own clock: they believe nothing any more.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store did not answer; the next time makes up for it.
    pub async fn reap_dead_nodes(&self) -> Result<(), ServiceError> {
        if !self.store.is_shared() {
            return Ok(());
        }
        let nodes = self.list_nodes().await?;
        // Read after the rows: a beat is at least as old as it is taken for.
        let now = self.clock.elapsed();
        let since = self.cluster.beats().observe(&nodes, now);
        for (node, since) in nodes.iter().zip(since) {
            if now.saturating_sub(since) >= self.cluster.lease.silence()
                && self.reap(node.incarnation, node.beat).await?
            {
                tracing::warn!(
                    node = %node.incarnation,
                    address = node.address,
                    "a node has not looked for a whole lease and was removed"
                );
            }
        }
        Ok(())
    }

    pub(super) async fn reap(&self, node: Uuid, beat: i64) -> Result<bool, ServiceError> {
        let mut books = self.store.books().await?;
        let reaped = books.reap_node(node, beat).await?;
        books.commit().await?;
        Ok(reaped)
    }
}

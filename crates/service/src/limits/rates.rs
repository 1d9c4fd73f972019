//! Limits in time: counted across nodes where there is a Redis that answers, else on each node.

use keystile_auth::Clock;
use keystile_domain::{Cost, Limits};
use uuid::Uuid;

use super::memory::Memory;
use super::redis::{Redis, RedisUrl};
use super::standing::Taking;

/// Counts limits in time.
pub(crate) struct Rates {
    shared: Option<Redis>,
    /// While there is no Redis to ask.
    own: Memory<Uuid>,
}

impl Rates {
    pub(crate) async fn new(redis: Option<RedisUrl>) -> Self {
        let shared = match redis {
            // Whoever connects holds much on the way; the future of the whole start need not.
            Some(url) => Some(Box::pin(Redis::new(url)).await),
            None => None,
        };
        Self { shared, own: Memory::new(HOLDERS) }
    }

    /// Takes the cost of every limit or of none.
    pub(crate) async fn take(&self, limits: &Limits, cost: Cost, clock: &dyn Clock) -> Taking {
        let Limits { holder, rates, .. } = limits;
        if let Some(redis) = &self.shared
            // Boxed, so that checks without Redis are not made to carry it.
            && let Some(taking) = Box::pin(redis.take(*holder, rates, cost)).await
        {
            return taking;
        }
        self.own.take(*holder, rates, cost, clock.elapsed())
    }

    /// Whether counting across nodes was asked for and does not work at the moment.
    pub(crate) fn are_degraded(&self) -> bool {
        self.shared.as_ref().is_some_and(|redis| !redis.answers())
    }
}

/// About 200 MB, if each of them uses its limits at the same time.
const HOLDERS: usize = 1_000_000;

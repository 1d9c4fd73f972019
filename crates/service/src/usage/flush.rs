//! From memory to the database: in batches, beside the checks and never in their way.

use std::time::Duration;

use keystile_domain::Timestamp;
use keystile_storage::{LastUse, StoreError, UsageHour};
use uuid::Uuid;

use super::recorder::Tally;
use crate::{Keystile, ServiceError};

impl Keystile {
    /// Writes what was counted since the last time.
    ///
    /// What cannot be written stays in memory for the next time. If the database wrote a part and
    /// was gone before it said so, that part is counted twice.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the database does not take it.
    pub async fn flush_usage(&self) -> Result<(), ServiceError> {
        let uncounted = self.usage.take_uncounted();
        if uncounted > 0 {
            tracing::warn!(checks = uncounted, "too much was counted to count these too");
        }
        let mut batch = self.usage.take();
        while !batch.part().is_empty() {
            self.write_usage(batch.part()).await?;
            batch.part_is_written();
        }
        Ok(())
    }

    /// Waits until so much was counted that it is better written soon.
    pub async fn usage_is_crowded(&self) {
        self.usage.crowded().await;
    }

    /// Forgets what was counted longer ago than that.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the database does not do it.
    pub async fn forget_usage(&self, retention: Duration) -> Result<(), ServiceError> {
        let millis = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let now = self.clock.now().as_millis();
        let oldest = Timestamp::from_millis(now.saturating_sub(millis));
        let mut books = self.store.books().await?;
        books.remove_usage_before(oldest).await?;
        Ok(books.commit().await?)
    }

    async fn write_usage(&self, tallies: &[(Uuid, Tally)]) -> Result<(), StoreError> {
        let mut books = self.store.books().await?;
        match books.add_usage(&hours(tallies), &self.last_uses(tallies)).await {
            Ok(()) => books.commit().await,
            Err(error) => {
                // Without the rollback the connection would be lost; if it fails, it is.
                let _ = books.rollback().await;
                Err(error)
            }
        }
    }

    fn last_uses(&self, tallies: &[(Uuid, Tally)]) -> Vec<LastUse> {
        let uses = tallies.iter().filter_map(|(credential, tally)| {
            tally.last.as_ref().map(|last| LastUse {
                credential: *credential,
                at: last.at,
                address: last.address,
                user_agent: last
                    .user_agent
                    .as_ref()
                    .and_then(|agent| agent.shown(|text| self.redact(text))),
            })
        });
        uses.collect()
    }
}

fn hours(tallies: &[(Uuid, Tally)]) -> Vec<UsageHour> {
    let counts = tallies.iter().flat_map(|(credential, tally)| {
        tally.counts.iter().map(|count| UsageHour {
            credential: *credential,
            hour: count.hour,
            outcome: count.outcome.to_owned(),
            checks: count.checks,
        })
    });
    counts.collect()
}

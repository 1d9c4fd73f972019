//! From memory to the database: in batches, beside the checks and never in their way.

use std::collections::HashMap;
use std::time::Duration;

use keystile_domain::Timestamp;
use keystile_storage::{Books, Exercised, LastUse, OldSecretUse, StoreError, UsageHour};
use uuid::Uuid;

use super::UserAgent;
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
        let _flushing = self.usage.flushing().await;
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
        books.remove_exercises_before(oldest).await?;
        books.remove_old_secret_uses_before(oldest).await?;
        Ok(books.commit().await?)
    }

    async fn write_usage(&self, tallies: &[(Uuid, Tally)]) -> Result<(), StoreError> {
        let exercised = self.usage.written().missing(tallies, self.clock.now());
        let mut books = self.store.books().await?;
        match self.add_usage(&mut books, tallies, &exercised).await {
            Ok(()) => books.commit().await?,
            Err(error) => {
                // Without the rollback the connection would be lost; if it fails, it is.
                let _ = books.rollback().await;
                return Err(error);
            }
        }
        self.usage.written().add(exercised);
        Ok(())
    }

    async fn add_usage(
        &self,
        books: &mut Books,
        tallies: &[(Uuid, Tally)],
        exercised: &[Exercised],
    ) -> Result<(), StoreError> {
        books.add_usage(&hours(tallies), &self.last_uses(tallies)).await?;
        books.add_exercises(exercised).await?;
        books.add_old_secret_uses(&self.old_secret_uses(tallies)).await
    }

    fn last_uses(&self, tallies: &[(Uuid, Tally)]) -> Vec<LastUse> {
        // A thousand keys come from a handful of programs.
        let mut shown = HashMap::new();
        let mut shown = |agent| shown.entry(agent).or_insert_with(|| self.shown(agent)).clone();
        let uses = tallies.iter().filter_map(|(credential, tally)| {
            tally.last.as_ref().map(|last| LastUse {
                credential: *credential,
                at: last.at,
                address: last.address,
                user_agent: shown(last.user_agent.as_ref()),
            })
        });
        uses.collect()
    }

    /// Who showed the old secret of a credential, as far as it is not written yet. Asked before the
    /// database is, and without a connection in hand, since it waits for what is being written: what
    /// is written in between is rather told twice than never.
    pub(crate) async fn unwritten_old_secret_uses(&self, credential: Uuid) -> Vec<OldSecretUse> {
        let _at_rest = self.usage.flushing().await;
        self.old_secret_uses(&self.usage.peek(credential))
    }

    fn old_secret_uses(&self, tallies: &[(Uuid, Tally)]) -> Vec<OldSecretUse> {
        let uses = tallies.iter().flat_map(|(credential, tally)| {
            tally.old_secret_uses.iter().map(|used| OldSecretUse {
                credential: *credential,
                address: used.address,
                user_agent: self.shown(used.user_agent.as_ref()),
                checks: used.checks,
                last_at: used.last_at,
            })
        });
        uses.collect()
    }

    fn shown(&self, user_agent: Option<&UserAgent>) -> Option<String> {
        user_agent.and_then(|agent| agent.shown(|text| self.redact(text)))
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

//! Limits at work: what each check is counted against, once, after every rule has passed.
//!
//! - `rates` counts limits in time: in `memory`, or across nodes in `redis`
//! - `quotas` counts limits in number, out of the database in batches
//! - `failures` counts credentials that were refused, by address
//! - `standing` is what is told of all this

mod failures;
mod memory;
mod quotas;
mod rates;
mod redis;
mod standing;

use std::cmp::max;
use std::time::Duration;

use keystile_domain::{
    ApiKeyId, Cost, Credential, Quota, QuotaLimit, QuotaUse, RateLimits, Refill, Timestamp,
};
use keystile_storage::StoreError;
use serde_json::{Value, json};

pub use failures::{FailureLimit, FailureLimitError};
pub use redis::{RedisUrl, RedisUrlError};
pub use standing::{Exceeded, LimitKind, Standing};

pub(crate) use failures::Failures;
pub(crate) use quotas::Quotas;
pub(crate) use rates::Rates;

use crate::Keystile;
use crate::api_keys::ShownApiKey;
use crate::change::Scope;
use quotas::Claim;

/// A quota that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct QuotaDraft {
    /// How many uses there are in each period.
    limit: QuotaLimit,
    /// When they are all there again.
    refill: Refill,
    /// How many are left in this period. `None`: of a new quota all of them, of one that is only
    /// given another limit whatever was not used yet.
    remaining: Option<QuotaLimit>,
}

/// More is to be left of a quota than it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most the limit")]
pub struct QuotaDraftError;

impl Keystile {
    /// Whether limits should be counted across nodes and are not, because Redis does not answer.
    #[must_use]
    pub fn limits_are_degraded(&self) -> bool {
        self.rates.are_degraded()
    }

    /// Counts a check against every limit of its credential, or against none if one says no.
    ///
    /// Of a quota it is taken first, because it can be given back.
    pub(crate) async fn count(
        &self,
        credential: &Credential,
        cost: Cost,
        now: Timestamp,
    ) -> Result<Result<Vec<Standing>, Exceeded>, StoreError> {
        let limits = &credential.limits;
        let quota = limits.quota.filter(|_| cost != Cost::NOTHING);
        let claim = quota.map(|quota| {
            let (key, need) = (ApiKeyId::from(limits.holder), cost.value().into());
            Claim { key, quota, need, now }
        });
        if let Some(claim) = claim
            // Boxed, so that checks without a quota are not made to carry it.
            && !Box::pin(self.quotas.take(&self.store, claim)).await?
        {
            let standings = self.take(credential, Cost::NOTHING).await.unwrap_or_default();
            return Ok(Err(Exceeded::of_quota(claim.quota, standings, now)));
        }
        let taken = self.take(credential, cost).await;
        if let (Err(_), Some(claim)) = (&taken, claim) {
            self.quotas.give_back(claim);
        }
        Ok(taken)
    }

    /// Takes the cost of the limits in time.
    async fn take(&self, credential: &Credential, cost: Cost) -> Result<Vec<Standing>, Exceeded> {
        let limits = &credential.limits;
        if limits.rates.is_empty() {
            return Ok(Vec::new());
        }
        let taking = self.rates.take(limits, cost, &*self.clock).await;
        match taking.is_taken {
            true => Ok(taking.standings(&limits.rates)),
            false => Err(taking.exceeded(&limits.rates, cost)),
        }
    }
}

impl Scope {
    /// Begins to count the quotas of new keys.
    pub(crate) async fn begin_quotas<'k>(
        &mut self,
        keys: impl IntoIterator<Item = &'k ShownApiKey>,
    ) -> Result<(), StoreError> {
        let uses = keys.into_iter().filter_map(|key| {
            let (quota, remaining) = key.api_key.quota.zip(key.remaining)?;
            let used = quota.limit.value().saturating_sub(remaining);
            Some((key.api_key.id, QuotaUse { period: quota.since, used }))
        });
        self.tx.put_quota_uses(&uses.collect::<Vec<_>>()).await
    }
}

impl QuotaDraft {
    /// A quota of which so many are left in this period. `None`: of a new quota all of them, of one
    /// that is only given another limit whatever was not used yet.
    ///
    /// # Errors
    ///
    /// [`QuotaDraftError`] if more are left than there are.
    pub fn new(
        limit: QuotaLimit,
        refill: Refill,
        remaining: Option<QuotaLimit>,
    ) -> Result<Self, QuotaDraftError> {
        let fits = remaining.is_none_or(|remaining| remaining <= limit);
        fits.then_some(Self { limit, refill, remaining }).ok_or(QuotaDraftError)
    }

    /// The quota that it becomes in the place of `before`. With the same refill it counts on, unless
    /// it says how many are left.
    pub(crate) fn settle(self, before: Option<Quota>, now: Timestamp) -> Quota {
        let Self { limit, refill, remaining } = self;
        let since = match before {
            Some(before) if before.refill == refill && remaining.is_none() => before.since,
            // Later than the one before, so that nothing is taken for a use of that one.
            Some(before) => max(now, before.since.after(Duration::from_millis(1))),
            None => now,
        };
        Quota { limit, refill, since }
    }

    /// How many are left when it begins.
    pub(crate) fn left(self) -> i64 {
        self.remaining.unwrap_or(self.limit).value()
    }

    /// How it begins, as the quota that it has become.
    pub(crate) fn begin(self, settled: Quota) -> QuotaUse {
        let used = settled.limit.value().saturating_sub(self.left());
        QuotaUse { period: settled.since, used }
    }
}

/// What the audit log says of limits in time.
pub(crate) fn snapshot(limits: &RateLimits) -> Value {
    let limit = |limit: &keystile_domain::RateLimit| {
        json!({
            "name": limit.name.as_str(),
            "limit": limit.limit.value(),
            "window_seconds": limit.window.seconds(),
        })
    };
    limits.iter().map(limit).collect()
}

/// What the audit log says of a quota.
pub(crate) fn quota_snapshot(quota: Quota) -> Value {
    json!({
        "limit": quota.limit.value(),
        "refill": quota.refill.as_str(),
        "since": quota.since.to_string(),
    })
}

#[cfg(test)]
mod tests;

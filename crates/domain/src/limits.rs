//! What a credential is counted against: how often in a time, and how often at all.
//!
//! - [`RateLimits`]: named limits in time, by the generic cell rate algorithm (GCRA)
//! - [`Quota`]: a number of uses, which a day or a month may fill up again
//!
//! Here is what they mean; who counts, and where, is no matter of the domain.

mod quota;
mod rate;

use uuid::Uuid;

pub use quota::{Quota, QuotaLimit, QuotaLimitError, QuotaUse, Refill};
pub use rate::{
    Cost, CostError, LimitCount, LimitCountError, LimitName, LimitNameError, LimitWindow,
    LimitWindowError, RateLimit, RateLimits, RateLimitsError,
};

/// Everything that the uses of a credential are counted against.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "every store builds it field by field")]
pub struct Limits {
    /// Whose counters these are: a key's own id, or the user whom a credential acts as. Everything
    /// that acts as one user shares that user's limits.
    pub holder: Uuid,
    /// The limits in time.
    pub rates: RateLimits,
    /// The limit in number; API keys alone have one.
    pub quota: Option<Quota>,
}

impl Limits {
    /// No limits, for counters that nobody reads.
    #[must_use]
    pub fn none(holder: Uuid) -> Self {
        Self { holder, rates: RateLimits::default(), quota: None }
    }

    /// Whether there is nothing to count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rates.is_empty() && self.quota.is_none()
    }
}

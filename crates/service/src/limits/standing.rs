//! What counting a check comes to: how its limits stand, and which of them said no.

use std::time::Duration;

use keystile_domain::{Cost, LimitName, Quota, RateLimits, Timestamp};

/// What became of taking a cost of some limits in time.
#[derive(Debug)]
pub(crate) struct Taking {
    /// Whether every limit gave it. If one did not, none did.
    pub(crate) is_taken: bool,
    /// For each limit, how long it takes until all is free again.
    pub(crate) ahead: Vec<Duration>,
}

/// How a limit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name; `quota` for the limit in number.
    pub name: String,
    /// How many uses it has.
    pub limit: i64,
    /// How long it takes until all of them are free again; `None`: a quota.
    pub window: Option<Duration>,
    /// How many are free.
    pub remaining: i64,
    /// When all of them are; `None`: never by itself.
    pub reset: Option<Duration>,
}

/// A limit's no.
#[derive(Clone, Debug)]
pub struct Exceeded {
    /// Which kind of limit.
    pub limit: LimitKind,
    /// How all limits of the credential stand.
    pub standings: Vec<Standing>,
    /// When to try again.
    pub retry_after: Duration,
}

/// The kinds of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// In number.
    Quota,
    /// In time.
    Rate,
}

impl LimitKind {
    /// The word for its no: the `code` of `/verify`, and what usage is counted by.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Quota => "quota_exceeded",
            Self::Rate => "rate_limited",
        }
    }
}

impl Taking {
    /// How the limits stand.
    pub(crate) fn standings(&self, limits: &RateLimits) -> Vec<Standing> {
        let stand = limits.iter().zip(&self.ahead).map(|(limit, ahead)| Standing {
            name: limit.name.to_string(),
            limit: limit.limit.value().into(),
            window: Some(limit.window.duration()),
            remaining: limit.remaining(*ahead).into(),
            reset: Some(*ahead),
        });
        stand.collect()
    }

    /// What is said when it was not taken.
    pub(crate) fn exceeded(&self, limits: &RateLimits, cost: Cost) -> Exceeded {
        let waits = limits.iter().zip(&self.ahead).map(|(limit, ahead)| limit.wait(cost, *ahead));
        let retry_after = waits.max().unwrap_or_default();
        Exceeded { limit: LimitKind::Rate, standings: self.standings(limits), retry_after }
    }
}

impl Exceeded {
    /// What is said of a quota that has not enough left.
    pub(crate) fn of_quota(quota: Quota, mut standings: Vec<Standing>, now: Timestamp) -> Self {
        let reset = quota.refills_at(now).map(|at| between(now, at));
        standings.push(Standing {
            name: LimitName::OF_QUOTA.to_owned(),
            limit: quota.limit.value(),
            window: None,
            remaining: 0,
            reset,
        });
        Self { limit: LimitKind::Quota, standings, retry_after: reset.unwrap_or(A_DAY) }
    }
}

fn between(now: Timestamp, then: Timestamp) -> Duration {
    let millis = then.as_millis().saturating_sub(now.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// Somebody has to raise a quota without refill, and nobody knows when.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

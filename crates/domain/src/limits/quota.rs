//! A limit in number.

use std::cmp::{max, min};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Timestamp;
use crate::credential::words;

/// How many uses there are, until the next refill or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "its fields are parsed, and it has no others")]
pub struct Quota {
    /// How many there are in each period.
    pub limit: QuotaLimit,
    /// When they are all there again.
    pub refill: Refill,
    /// Since when they are counted: what was used before is forgotten.
    pub since: Timestamp,
}

/// How many uses a quota has: 0 to 1,000,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuotaLimit(i64);

words!(
    /// When a quota is filled up again.
    #[expect(clippy::exhaustive_enums, reason = "a counter must know every one")]
    Refill {
        /// With every day, in UTC.
        Day = "day",
        /// With every month, in UTC.
        Month = "month",
        /// Never.
        None = "none",
    }
);

/// How much of a quota is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain fact")]
pub struct QuotaUse {
    /// When the period began that it was used in.
    pub period: Timestamp,
    /// How many are used, or held by somebody who may use them.
    pub used: i64,
}

/// The number of uses is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be from 0 to {}", QuotaLimit::MAX)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct QuotaLimitError;

impl Quota {
    /// When the period began that `now` is in.
    #[must_use]
    pub fn period(&self, now: Timestamp) -> Timestamp {
        let begun = match self.refill {
            Refill::Day => date(now).and_then(midnight),
            Refill::Month => date(now).and_then(|date| midnight(date.first_of_month())),
            Refill::None => None,
        };
        begun.map_or(self.since, |begun| max(begun, self.since))
    }

    /// When the uses are all there again; `None`: never.
    #[must_use]
    pub fn refills_at(&self, now: Timestamp) -> Option<Timestamp> {
        let last = match self.refill {
            Refill::Day => date(now)?,
            Refill::Month => date(now)?.last_of_month(),
            Refill::None => return None,
        };
        last.tomorrow().ok().and_then(midnight)
    }

    /// How much is used in the period of `now`, if the last that was written is `last`.
    ///
    /// A period that is later than one's own is taken as it is: the clock of whoever wrote it is
    /// ahead.
    #[must_use]
    pub fn current(&self, last: QuotaUse, now: Timestamp) -> QuotaUse {
        let period = self.period(now);
        if last.period < period { QuotaUse { period, used: 0 } } else { last }
    }

    /// How many are left.
    #[must_use]
    pub fn remaining(&self, current: QuotaUse) -> i64 {
        max(0, self.limit.0.saturating_sub(current.used))
    }

    /// How many to take at once for somebody who needs `need`: the fewer are left, the fewer, so
    /// that nobody holds the last ones while another lacks them. `None` if there are not enough.
    #[must_use]
    pub fn share(&self, current: QuotaUse, need: i64) -> Option<i64> {
        let left = self.remaining(current);
        let ahead = min(left / SHARE, MOST_AHEAD);
        (need <= left).then(|| min(left, need.saturating_add(ahead)))
    }
}

impl QuotaLimit {
    /// The most that there is.
    pub const MAX: i64 = 1_000_000_000_000;

    /// The number.
    #[must_use]
    pub fn value(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for QuotaLimit {
    type Error = QuotaLimitError;

    fn try_from(limit: i64) -> Result<Self, QuotaLimitError> {
        (0..=Self::MAX).contains(&limit).then_some(Self(limit)).ok_or(QuotaLimitError)
    }
}

/// The day of a moment, in UTC.
fn date(at: Timestamp) -> Option<Date> {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
    Some(TimeZone::UTC.to_datetime(at).date())
}

fn midnight(date: Date) -> Option<Timestamp> {
    let at = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

/// A node takes one in so many of what is left, beside what it needs.
const SHARE: i64 = 16;
/// What a crash loses at most.
const MOST_AHEAD: i64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn quota(limit: i64, refill: Refill) -> Quota {
        let since = at("2026-01-15T10:00:00Z");
        Quota { limit: QuotaLimit::try_from(limit).unwrap(), refill, since }
    }

    #[test]
    fn a_period_is_a_day_or_a_month_in_utc_or_has_no_end() {
        let now = at("2028-02-29T23:30:00-01:00");
        let day = quota(1, Refill::Day);
        assert_eq!(day.period(now), at("2028-03-01T00:00:00Z"));
        assert_eq!(day.refills_at(now), Some(at("2028-03-02T00:00:00Z")));
        let now = at("2028-02-29T23:59:59.999Z");
        let month = quota(1, Refill::Month);
        assert_eq!(month.period(now), at("2028-02-01T00:00:00Z"));
        assert_eq!(month.refills_at(now), Some(at("2028-03-01T00:00:00Z")));
        let none = quota(1, Refill::None);
        assert_eq!((none.period(now), none.refills_at(now)), (none.since, None));
    }

    #[test]
    fn the_first_period_begins_when_counting_began() {
        for refill in Refill::ALL {
            let quota = quota(1, *refill);
            assert_eq!(quota.period(quota.since), quota.since);
        }
    }

    #[test]
    fn a_new_period_begins_with_nothing_used() {
        let quota = quota(5, Refill::Day);
        let now = at("2026-02-02T12:00:00Z");
        let used = |period, used| QuotaUse { period: at(period), used };
        let yesterday = used("2026-02-01T00:00:00Z", 5);
        assert_eq!(quota.current(yesterday, now), used("2026-02-02T00:00:00Z", 0));
        for last in [used("2026-02-02T00:00:00Z", 3), used("2026-02-03T00:00:00Z", 4)] {
            assert_eq!(quota.current(last, now), last);
        }
    }

    #[test]
    fn a_share_is_smaller_the_less_is_left_and_never_more() {
        let quota = quota(100_000, Refill::None);
        let share = |used, need| quota.share(QuotaUse { period: quota.since, used }, need);
        assert_eq!(share(0, 1), Some(1_001), "at most so much is lost");
        assert_eq!(share(99_840, 1), Some(11));
        assert_eq!(share(99_990, 3), Some(3));
        assert_eq!(share(99_999, 1), Some(1));
        assert_eq!(share(99_999, 2), None, "all or nothing");
        assert_eq!(share(100_000, 1), None);
        assert_eq!(share(100_000, 0), Some(0));
        assert_eq!(share(200_000, 1), None, "the limit was lowered");
    }
}

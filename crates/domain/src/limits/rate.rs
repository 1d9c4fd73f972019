//! Limits in time, and what a use takes of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// At most `limit` uses at once, then one each `window / limit`: after a `window` without any, all
/// of them are free again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "its fields are parsed, and it has no others")]
pub struct RateLimit {
    /// Its name, unique among those of one holder.
    pub name: LimitName,
    /// How many uses there are.
    pub limit: LimitCount,
    /// How long it takes until all are free again.
    pub window: LimitWindow,
}

/// Up to 10 limits with different names; a use must be within all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimits(Box<[RateLimit]>);

/// What a limit is called: 1 to 40 of `a-z`, `0-9`, `_` and `-`.
///
/// `quota` is not free: answers tell of a quota under this name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitName(String);

/// How many uses a limit has: 1 to 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitCount(u32);

/// How long a limit takes to recover: 1 second to 31 days, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitWindow(u32);

/// What one check takes of each limit: 0 to 1,000,000 uses. It takes all or nothing.
///
/// One that takes nothing is within every limit: it only asks how they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost(u32);

/// The text names no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 of a-z, 0-9, _ and -, and not {}", LimitName::OF_QUOTA)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct LimitNameError;

/// The number of uses is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {}", LimitCount::MAX)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct LimitCountError;

/// The window is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {} seconds", LimitWindow::MAX)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct LimitWindowError;

/// The cost is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be from 0 to {}", Cost::MAX)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct CostError;

/// The limits cannot stand beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimitsError {
    /// Two have the same name.
    #[error("must have different names")]
    SameName,
    /// There are too many.
    #[error("must have at most {} items", RateLimits::MAX)]
    TooMany,
}

impl RateLimit {
    /// How long it takes until one use is free again: whole microseconds, and at least one.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let window = u64::from(self.window.0).saturating_mul(1_000_000);
        Duration::from_micros((window / u64::from(self.limit.0)).max(1))
    }

    /// How many uses are free, if all are free after `ahead`.
    #[must_use]
    pub fn remaining(&self, ahead: Duration) -> u32 {
        let used = ahead.as_nanos().div_ceil(self.interval().as_nanos());
        u32::try_from(used).map_or(0, |used| self.limit.0.saturating_sub(used))
    }

    /// How long it takes until `cost` uses are free, if all are free after `ahead`. Of more than
    /// the limit, so many are never free.
    #[must_use]
    pub fn wait(&self, cost: Cost, ahead: Duration) -> Duration {
        let interval = self.interval();
        let needed = ahead.saturating_add(interval.saturating_mul(cost.0));
        needed.saturating_sub(interval.saturating_mul(self.limit.0))
    }
}

impl RateLimits {
    /// How many a holder has at most.
    pub const MAX: usize = 10;

    /// The limits, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, RateLimit> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<RateLimit>> for RateLimits {
    type Error = RateLimitsError;

    fn try_from(limits: Vec<RateLimit>) -> Result<Self, RateLimitsError> {
        if limits.len() > Self::MAX {
            return Err(RateLimitsError::TooMany);
        }
        let names: BTreeSet<_> = limits.iter().map(|limit| &limit.name).collect();
        if names.len() < limits.len() {
            return Err(RateLimitsError::SameName);
        }
        Ok(Self(limits.into()))
    }
}

impl<'a> IntoIterator for &'a RateLimits {
    type Item = &'a RateLimit;
    type IntoIter = std::slice::Iter<'a, RateLimit>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl LimitName {
    /// What a quota is called where limits are told of: the name that no other has.
    pub const OF_QUOTA: &str = "quota";

    /// The name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LimitName {
    /// The name of a limit that was given none.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl FromStr for LimitName {
    type Err = LimitNameError;

    fn from_str(text: &str) -> Result<Self, LimitNameError> {
        let is_free = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let fits =
            (1..=40).contains(&text.len()) && text.bytes().all(is_free) && text != Self::OF_QUOTA;
        fits.then(|| Self(text.to_owned())).ok_or(LimitNameError)
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl LimitCount {
    /// The most that there is.
    pub const MAX: u32 = 1_000_000_000;

    /// The number.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for LimitCount {
    type Error = LimitCountError;

    fn try_from(count: i64) -> Result<Self, LimitCountError> {
        within(count, 1, Self::MAX).map(Self).ok_or(LimitCountError)
    }
}

impl LimitWindow {
    /// The longest that there is, in seconds.
    pub const MAX: u32 = 31 * 24 * 60 * 60;

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl TryFrom<i64> for LimitWindow {
    type Error = LimitWindowError;

    fn try_from(seconds: i64) -> Result<Self, LimitWindowError> {
        within(seconds, 1, Self::MAX).map(Self).ok_or(LimitWindowError)
    }
}

impl Cost {
    /// The most that one check takes.
    pub const MAX: u32 = 1_000_000;
    /// What a check takes that names no cost.
    pub const ONE: Self = Self(1);
    /// What a check takes that only asks.
    pub const NOTHING: Self = Self(0);

    /// The number of uses.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Cost {
    type Error = CostError;

    fn try_from(cost: i64) -> Result<Self, CostError> {
        within(cost, 0, Self::MAX).map(Self).ok_or(CostError)
    }
}

fn within(number: i64, least: u32, most: u32) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| (least..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(name: &str) -> RateLimit {
        RateLimit {
            name: name.parse().unwrap(),
            limit: LimitCount::try_from(5).unwrap(),
            window: LimitWindow::try_from(60).unwrap(),
        }
    }

    #[test]
    fn a_name_is_a_short_word_that_a_header_can_carry() {
        for text in ["default", "a", "per-minute", "burst_2", &"x".repeat(40)] {
            assert_eq!(text.parse::<LimitName>().unwrap().as_str(), text);
        }
        for text in ["", "quota", "A", "a b", "a\"", "ä", "a\n", &"x".repeat(41)] {
            assert_eq!(text.parse::<LimitName>(), Err(LimitNameError), "{text:?}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_limits() {
        assert!([0, -1, 1_000_000_001, i64::MAX].iter().all(|n| LimitCount::try_from(*n).is_err()));
        assert!([0, -1, 2_678_401, i64::MIN].iter().all(|n| LimitWindow::try_from(*n).is_err()));
        assert!([-1, 1_000_001, i64::MAX].iter().all(|n| Cost::try_from(*n).is_err()));
        assert_eq!(LimitWindow::try_from(2_678_400).unwrap().duration().as_secs(), 2_678_400);
        assert_eq!(Cost::try_from(0), Ok(Cost::NOTHING));
    }

    #[test]
    fn what_is_used_comes_back_one_by_one() {
        let limit = limit("a");
        let seconds = Duration::from_secs;
        assert_eq!(limit.interval(), seconds(12));
        for (ahead, remaining) in [(0, 5), (1, 4), (12, 4), (13, 3), (60, 0), (61, 0)] {
            assert_eq!(limit.remaining(seconds(ahead)), remaining, "{ahead}");
        }
        assert_eq!(limit.wait(Cost::ONE, seconds(48)), Duration::ZERO);
        assert_eq!(limit.wait(Cost::ONE, seconds(60)), seconds(12));
        assert_eq!(limit.wait(Cost(3), seconds(60)), seconds(36));
    }

    #[test]
    fn no_interval_is_empty() {
        let fast = RateLimit { limit: LimitCount(LimitCount::MAX), ..limit("fast") };
        let fast = RateLimit { window: LimitWindow(1), ..fast };
        assert_eq!(fast.interval(), Duration::from_micros(1));
        assert_eq!(fast.remaining(Duration::MAX), 0);
    }

    #[test]
    fn limits_of_one_holder_have_different_names_and_are_ten_at_most() {
        assert_eq!(
            RateLimits::try_from(vec![limit("a"), limit("a")]),
            Err(RateLimitsError::SameName)
        );
        let many = |count: usize| (0..count).map(|n| limit(&n.to_string())).collect::<Vec<_>>();
        assert_eq!(RateLimits::try_from(many(10)).unwrap().iter().count(), 10);
        assert_eq!(RateLimits::try_from(many(11)), Err(RateLimitsError::TooMany));
    }
}

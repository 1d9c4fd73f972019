//! Points in time, to the millisecond: what both databases store and what RFC 3339 shows.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A point in time in UTC, to the millisecond.
///
/// It always lies between the years -9999 and 9999, so it can always be written as text; arithmetic
/// stops at these ends instead of failing.
///
/// ```
/// # use keystile_domain::Timestamp;
/// let at: Timestamp = "2026-11-22T10:00:00+01:00".parse()?;
/// assert_eq!(at.to_string(), "2026-11-22T09:00:00Z");
/// # Ok::<(), keystile_domain::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no RFC 3339 time with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time by RFC 3339 with an offset, such as 2027-01-31T12:00:00Z")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct TimestampError;

impl Timestamp {
    /// The time that lies `millis` milliseconds after 1970-01-01T00:00:00Z, or the nearest
    /// end of the range.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        // By whole seconds: jiff reads no milliseconds within the last second of its range.
        Self(millis.clamp(
            1_000 * jiff::Timestamp::MIN.as_second(),
            1_000 * jiff::Timestamp::MAX.as_second(),
        ))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This time, later by `duration`; parts of a millisecond are dropped.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time, earlier by `duration`; parts of a millisecond are dropped.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Self::from_millis(at.as_millisecond())),
            Err(_) => Err(TimestampError),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => at.fmt(f),
            // The constructors keep the value in range.
            Err(_) => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_any_offset_and_written_in_utc() {
        let at: Timestamp = "2025-03-01T01:00:00.250+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2025-03-01T00:00:00.25Z");
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        for text in ["2025-03-01T00:00:00", "2025-03-01", "tomorrow", "", "1740787200"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn the_last_time_that_can_be_read_can_be_written() {
        let last: Timestamp = "9999-12-30T22:00:00.999999999Z".parse().unwrap();
        assert_eq!(last.to_string(), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn arithmetic_stops_at_the_end_of_time() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert!(end.to_string().starts_with("9999-"));
        let start = Timestamp::from_millis(i64::MIN);
        assert_eq!(start.before(Duration::MAX), start);
        assert!(Timestamp::from_millis(i64::MIN).to_string().starts_with("-009999-"));
    }
}

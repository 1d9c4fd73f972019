//! The time that a question about usage covers.

use std::time::Duration;

use keystile_domain::Timestamp;

/// How finely usage is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// By days, in UTC.
    Day,
    /// By hours.
    Hour,
}

/// A span of whole hours or days, in UTC. Its end may lie within one: then that one is shown as far
/// as whole hours of it began before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageWindow {
    step: Step,
    since: Timestamp,
    until: Timestamp,
}

/// Why a span is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageWindowError {
    /// It ends before it begins.
    #[error("must be before until")]
    Backwards,
    /// It has more days than one answer covers.
    #[error("must be at most {0} days before until")]
    TooLong(i64),
}

impl Step {
    /// When the hour or day of a moment began.
    #[must_use]
    pub fn start(self, at: Timestamp) -> Timestamp {
        let millis = at.as_millis();
        Timestamp::from_millis(millis - millis.rem_euclid(self.millis()))
    }

    fn millis(self) -> i64 {
        match self {
            Self::Day => DAY,
            Self::Hour => HOUR,
        }
    }

    /// The most days that one answer covers.
    fn most_days(self) -> i64 {
        match self {
            Self::Day => 366,
            Self::Hour => 31,
        }
    }
}

impl UsageWindow {
    /// The span from the hour or day of `since` until `until`. Without an end it ends `now`;
    /// without a beginning it has seven days, the last of which may have begun just now.
    pub(super) fn new(
        step: Step,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, UsageWindowError> {
        // The last hour of `now` has begun, even if it did so this millisecond.
        let until = until.unwrap_or_else(|| now.after(Duration::from_millis(1)));
        let since = since.unwrap_or_else(|| {
            let last_day = Step::Day.start(Timestamp::from_millis(until.as_millis() - 1));
            Timestamp::from_millis(last_day.as_millis() - 6 * DAY)
        });
        if since >= until {
            return Err(UsageWindowError::Backwards);
        }
        if until.as_millis() - since.as_millis() > step.most_days() * DAY {
            return Err(UsageWindowError::TooLong(step.most_days()));
        }
        Ok(Self { step, since: step.start(since), until })
    }

    /// Whether hours or days are shown.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    pub(super) fn until(&self) -> Timestamp {
        self.until
    }
}

const HOUR: i64 = 60 * 60 * 1_000;
const DAY: i64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(step: Step, since: Option<&str>, until: Option<&str>) -> Option<(String, String)> {
        let window = UsageWindow::new(step, since.map(at), until.map(at), at(NOW)).ok()?;
        Some((window.since().to_string(), window.until().to_string()))
    }

    #[test]
    fn hours_and_days_begin_in_utc() {
        for (step, moment, start) in [
            (Step::Hour, "2027-01-15T00:59:59.999+00:00", "2027-01-15T00:00:00Z"),
            (Step::Hour, "2027-01-15T01:00:00Z", "2027-01-15T01:00:00Z"),
            (Step::Hour, "2027-01-15T10:15:00+05:45", "2027-01-15T04:00:00Z"),
            (Step::Day, "2027-01-14T23:59:59.999Z", "2027-01-14T00:00:00Z"),
            (Step::Day, "2027-01-15T00:00:00Z", "2027-01-15T00:00:00Z"),
            (Step::Day, "1969-12-31T23:00:00Z", "1969-12-31T00:00:00Z"),
        ] {
            assert_eq!(step.start(at(moment)).to_string(), start, "{moment}");
        }
    }

    #[test]
    fn without_a_beginning_a_window_has_seven_days() {
        let (since, until) = window(Step::Day, None, None).unwrap();
        assert_eq!(since, "2027-01-09T00:00:00Z");
        assert_eq!(until, "2027-01-15T08:00:00.001Z");
        let (since, _) = window(Step::Hour, None, Some("2027-01-15T00:00:00Z")).unwrap();
        assert_eq!(since, "2027-01-08T00:00:00Z");
    }

    #[test]
    fn a_window_begins_with_the_hour_or_day_that_its_beginning_is_in() {
        let (since, until) = (Some("2027-01-14T10:30:00Z"), Some("2027-01-14T11:30:00Z"));
        assert_eq!(window(Step::Hour, since, until).unwrap().0, "2027-01-14T10:00:00Z");
        assert_eq!(window(Step::Day, since, until).unwrap().0, "2027-01-14T00:00:00Z");
    }

    #[test]
    fn a_window_that_is_empty_backwards_or_too_long_is_refused() {
        for (step, since, until) in [
            (Step::Hour, NOW, Some(NOW)),
            (Step::Hour, "2027-01-15T08:00:00.001Z", None),
            (Step::Day, "2027-01-16T00:00:00Z", Some("2027-01-15T00:00:00Z")),
            (Step::Hour, "2026-12-14T23:00:00Z", Some("2027-01-15T00:00:00Z")),
            (Step::Day, "2026-01-13T00:00:00Z", Some("2027-01-15T00:00:00Z")),
            (Step::Day, "0001-01-01T00:00:00Z", Some("9999-12-30T22:00:00Z")),
        ] {
            assert_eq!(window(step, Some(since), until), None, "{step:?} {since} {until:?}");
        }
        assert!(window(Step::Hour, Some("2026-12-15T08:00:00Z"), Some(NOW)).is_some());
        assert!(window(Step::Day, Some("2026-01-15T00:00:00Z"), Some(NOW)).is_some());
    }

    const NOW: &str = "2027-01-15T08:00:00Z";
}

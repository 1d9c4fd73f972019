//! Lengths of time on the command line: `90d`, `12h`, `1h30m`.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads a length of time, which must be longer than nothing. Days have 24 hours; months and years
/// have no one length, and are refused.
pub fn span(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "is no length of time, or too long a one: 90d, 12h, 1h30m".to_owned();
    let span: Span = text.parse().or(Err(wrong()))?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours());
    length.ok().filter(SignedDuration::is_positive).ok_or_else(wrong)
}

/// The same, or nothing at all: `0s`.
pub fn span_or_none(text: &str) -> Result<SignedDuration, String> {
    if text.trim_end_matches(char::is_alphabetic) == "0" {
        Ok(SignedDuration::ZERO)
    } else {
        span(text)
    }
}

/// The same, for how long an old secret works: whole seconds, and no longer than servers let it.
pub fn overlap_or_none(text: &str) -> Result<SignedDuration, String> {
    match span_or_none(text)? {
        length if length.subsec_nanos() != 0 => {
            Err("an old secret works for whole seconds".to_owned())
        }
        length if length > LONGEST_OVERLAP => Err("an old secret works for 30d at most".to_owned()),
        length => Ok(length),
    }
}

/// The same, and not nothing.
pub fn overlap(text: &str) -> Result<SignedDuration, String> {
    span(text)?;
    overlap_or_none(text)
}

const LONGEST_OVERLAP: SignedDuration = SignedDuration::from_hours(30 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        assert_eq!(span("90d"), Ok(SignedDuration::from_hours(90 * 24)));
        assert_eq!(span("1w"), Ok(SignedDuration::from_hours(7 * 24)));
        assert_eq!(span("1h30m"), Ok(SignedDuration::from_mins(90)));
        assert_eq!(span_or_none("0s"), Ok(SignedDuration::ZERO));
        for wrong in ["", "90", "0d", "-1d", "1 month", "1y", "soon"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_old_secret_works_for_whole_seconds_up_to_a_month() {
        assert_eq!(overlap_or_none("1500ms500ms"), Err(span("x").unwrap_err()));
        assert_eq!(overlap("2s"), Ok(SignedDuration::from_secs(2)));
        assert_eq!(overlap_or_none("0s"), Ok(SignedDuration::ZERO));
        assert_eq!(overlap("30d"), Ok(LONGEST_OVERLAP));
        for wrong in ["500ms", "1500ms", "1m500ms", "31d"] {
            assert!(overlap(wrong).is_err(), "{wrong}");
            assert!(overlap_or_none(wrong).is_err(), "{wrong}");
        }
    }
}

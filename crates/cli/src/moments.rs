//! Points in time on the command line: written out, a date, or how far they are from now.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::environment;
use crate::spans::span;

/// Reads a time, or how long ago it was: `30d`.
pub fn ago(text: &str) -> Result<Timestamp, String> {
    read(text, SignedDuration::checked_neg)
        .ok_or_else(|| format!("{WRITTEN}, or 30d for so long ago"))
}

/// Reads a time, or in how long it will be: `30d`.
pub fn ahead(text: &str) -> Result<Timestamp, String> {
    read(text, Some).ok_or_else(|| format!("{WRITTEN}, or 30d for so long from now"))
}

/// Reads a time.
pub fn at(text: &str) -> Result<Timestamp, &'static str> {
    written(text).ok_or(WRITTEN)
}

fn read(
    text: &str,
    from_now: impl Fn(SignedDuration) -> Option<SignedDuration>,
) -> Option<Timestamp> {
    written(text).or_else(|| environment::now().checked_add(from_now(span(text).ok()?)?).ok())
}

/// A date alone is where it begins in UTC.
fn written(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let date: Date = text.parse().ok().filter(|_| text.len() == DATE.len())?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

const WRITTEN: &str = "a time is 2027-01-31T12:00:00Z, or 2027-01-31 for midnight UTC";
/// A date has no hours: those of a text without a time zone would be anybody's.
const DATE: &str = "2027-01-31";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_a_date_or_as_far_as_a_span_is_long() {
        let midnight: Timestamp = "2027-01-31T00:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        for read in [|text: &str| at(text).map_err(str::to_owned), ago, ahead] {
            assert_eq!(read("2027-01-31"), Ok(midnight));
            assert_eq!(read("2027-01-31T01:00:00+01:00"), Ok(midnight));
            for wrong in ["tomorrow", "2027-02-30", "2027-01-31T12:00", "", "90"] {
                assert!(read(wrong).unwrap_err().contains("2027-01-31T12:00:00Z"), "{wrong}");
            }
        }
        let now = environment::now();
        assert!(ago("2h").unwrap() <= now - hour && ahead("2h").unwrap() >= now + hour);
        assert!(at("2h").is_err());
    }
}

//! Times for people: how long ago, and in how long.

use jiff::Timestamp;

use super::Look;

/// A time of the API as this look has it, and `none` where there is none.
pub fn moment(at: Option<&str>, none: &str, look: &Look) -> String {
    match at {
        None => none.to_owned(),
        Some(at) if look.absolute => at.to_owned(),
        Some(at) => relative(at, look.now),
    }
}

/// A time, seen from another: "in 90 days", "2 hours ago". What is no time stays as it is.
pub fn relative(at: &str, now: Timestamp) -> String {
    let Ok(at) = at.parse::<Timestamp>() else { return at.to_owned() };
    let seconds = at.as_second() - now.as_second();
    let (many, unit) = largest(seconds.unsigned_abs());
    let plural = if many == 1 { "" } else { "s" };
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {many} {unit}{plural}"),
        _ => format!("{many} {unit}{plural} ago"),
    }
}

/// Rounded, in the largest unit of which there are about two at least.
fn largest(seconds: u64) -> (u64, &'static str) {
    let fitting = UNITS.iter().find(|(length, _)| seconds >= 2 * length - length / 2);
    let (length, unit) = fitting.copied().unwrap_or((1, "second"));
    ((seconds + length / 2) / length, unit)
}

const UNITS: [(u64, &str); 5] = [
    (365 * 86_400, "year"),
    // As people plan: 90 days are 90 days.
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_from_here() {
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        for (at, told) in [
            ("2026-11-22T09:00:00Z", "now"),
            ("2026-11-22T09:00:01Z", "in 1 second"),
            ("2026-11-22T08:59:00Z", "60 seconds ago"),
            ("2026-11-22T08:57:30.25Z", "3 minutes ago"),
            ("2026-11-22T11:00:00Z", "in 2 hours"),
            ("2027-02-20T08:59:59Z", "in 90 days"),
            ("2099-01-31T12:00:00Z", "in 72 years"),
            ("never", "never"),
        ] {
            assert_eq!(relative(at, now), told, "{at}");
        }
    }
}

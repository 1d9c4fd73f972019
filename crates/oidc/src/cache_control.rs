//! How long an answer may be remembered, by its own word.

use std::time::Duration;

/// The `max-age` of a `Cache-Control` header (RFC 9111, section 5.2.2.1); nothing where an answer
/// should not be reused, or does not say.
pub(crate) fn max_age(header: &str) -> Option<Duration> {
    let directives = || header.split(',').map(str::trim);
    let is_for_once = |directive: &str| {
        ["no-cache", "no-store"].iter().any(|word| directive.eq_ignore_ascii_case(word))
    };
    if directives().any(is_for_once) {
        return None;
    }
    directives().find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        let seconds = seconds.parse().ok()?;
        name.eq_ignore_ascii_case("max-age").then_some(Duration::from_secs(seconds))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_read_among_other_directives() {
        for header in [
            "max-age=600",
            "public, max-age=600",
            "Max-Age=600,must-revalidate",
            "a=b, max-age=600",
        ] {
            assert_eq!(max_age(header), Some(Duration::from_secs(600)), "{header}");
        }
    }

    #[test]
    fn what_names_no_age_or_forbids_reuse_has_none() {
        for header in [
            "",
            "public",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=soon",
            "max-age=99999999999999999999",
            "s-maxage=600",
            "no-store, max-age=600",
            "max-age=600, No-Cache",
        ] {
            assert_eq!(max_age(header), None, "{header}");
        }
    }
}

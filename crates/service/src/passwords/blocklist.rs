//! The passwords that people use most, as breaches showed them.
//!
//! `common.txt` has the entries of 8 and more ASCII characters, in lower case and sorted, of the
//! lists that Django 6.1.3 (`django/contrib/auth/common-passwords.txt.gz`) and
//! `@zxcvbn-ts/language-common` 4.1.3 (`src/passwords.json`) ship. `common.LICENSE` has their
//! licences.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether a password, in lower case, is one of them as a whole (NIST SP 800-63B-4, 3.1.1.2:
/// not by a part of it).
pub(super) fn has(folded: &str) -> bool {
    COMMON.contains(folded)
}

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_sorted_and_folded() {
        let lines: Vec<_> = include_str!("common.txt").lines().collect();
        assert!(lines.len() > 20_000);
        assert!(lines.is_sorted_by(|one, next| one < next));
        assert!(lines.iter().all(|line| line.len() >= 8 && *line == line.to_lowercase()));
    }

    #[test]
    fn only_a_whole_password_is_found() {
        assert!(has("mailcreated5240"));
        assert!(!has("mailcreated5240 and more"));
    }
}

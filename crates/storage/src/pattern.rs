//! Name patterns as SQL reads them.

use keystile_domain::NamePattern;

use crate::columns::parameter;

/// A pattern as conditions on a column of folded names.
///
/// The range says less than the pattern, but an index serves it, as it does `LIKE` on neither
/// database: SQLite's ignores the case of ASCII letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Like {
    /// The pattern for `LIKE`, escaped by [`ESCAPE`].
    pub(crate) pattern: String,
    /// What every match begins with, and so the least of them.
    pub(crate) from: String,
    /// What is greater than every match, if there is anything.
    pub(crate) below: Option<String>,
}

impl Like {
    pub(crate) fn new(pattern: &NamePattern) -> Self {
        let folded = parameter(pattern.folded());
        let from = folded.split(['*', '?']).next().unwrap_or_default().to_owned();
        let mut pattern = String::with_capacity(folded.len() + 8);
        for c in folded.chars() {
            match c {
                '*' => pattern.push('%'),
                '?' => pattern.push('_'),
                '%' | '_' | ESCAPE => pattern.extend([ESCAPE, c]),
                c => pattern.push(c),
            }
        }
        Self { below: successor(&from), pattern, from }
    }
}

/// The least text that is greater than every text that begins with `text`.
fn successor(text: &str) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    while let Some(last) = characters.pop() {
        // A range of characters steps over those that are none, the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

pub(crate) const ESCAPE: char = '\\';

#[cfg(test)]
mod tests {
    use super::*;

    fn like(text: &str) -> Like {
        Like::new(&NamePattern::parse(text).unwrap())
    }

    #[test]
    fn only_the_wildcards_of_the_pattern_are_wildcards() {
        for (text, pattern) in
            [("CI*", "ci%"), ("a?b", "a_b"), ("50%_\\", "50\\%\\_\\\\"), ("", ""), ("\0", "\u{1}")]
        {
            assert_eq!(like(text).pattern, pattern);
        }
    }

    #[test]
    fn the_range_is_that_of_the_fixed_beginning() {
        for (text, from, below) in [
            ("ci*x", "ci", Some("cj")),
            ("ci", "ci", Some("cj")),
            ("a\u{d7ff}?", "a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}*", "a\u{10ffff}", Some("b")),
            ("\u{10ffff}", "\u{10ffff}", None),
            ("*x", "", None),
        ] {
            let like = like(text);
            assert_eq!((&*like.from, like.below.as_deref()), (from, below), "{text:?}");
        }
    }
}

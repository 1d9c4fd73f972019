//! What lists have in common: pages, directions and name patterns with wildcards.

use crate::Name;

/// How many things one page shows: 1 to 100, 20 unless asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(u8);

/// Which page, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageNumber(u32);

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Direction {
    /// From small to large, from old to new.
    #[default]
    Ascending,
    /// From large to small, from new to old.
    Descending,
}

impl PageLimit {
    /// The most that one page shows.
    pub const MAX: Self = Self(100);

    /// The limit, or nothing when it is out of range.
    #[must_use]
    pub fn new(limit: i64) -> Option<Self> {
        u8::try_from(limit).ok().filter(|limit| (1..=Self::MAX.0).contains(limit)).map(Self)
    }

    /// The limit as the number of rows.
    #[must_use]
    pub fn rows(self) -> i64 {
        i64::from(self.0)
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(20)
    }
}

impl PageNumber {
    /// The page, or nothing when it is out of range.
    #[must_use]
    pub fn new(page: i64) -> Option<Self> {
        u32::try_from(page).ok().filter(|page| *page > 0).map(Self)
    }

    /// The page as a number.
    #[must_use]
    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// How many rows stand before it.
    #[must_use]
    pub fn offset(self, limit: PageLimit) -> i64 {
        (self.number() - 1) * limit.rows()
    }
}

impl Default for PageNumber {
    fn default() -> Self {
        Self(1)
    }
}

/// Which part of a list is asked, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct PageRequest<S> {
    /// What the list is sorted by; things that are equal in it are sorted by their ids.
    pub sort: S,
    /// Which way it runs.
    pub direction: Direction,
    /// How many things are asked.
    pub limit: PageLimit,
    /// Where to begin.
    pub start: Start,
}

/// Where a part of a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Start {
    /// Behind a thing that was seen: the same work at any depth.
    After(Mark),
    /// At a page, counted from the beginning of the list.
    Page(PageNumber),
}

/// The place of a thing in a sorted list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Mark {
    /// What the list is sorted by.
    pub key: MarkKey,
    /// The thing's id.
    pub id: String,
}

/// A value that a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "columns hold numbers or texts")]
pub enum MarkKey {
    /// A number, or a time in milliseconds.
    Number(i64),
    /// A text, as it is sorted.
    Text(String),
}

/// One part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage builds it field by field")]
pub struct Listing<T> {
    /// The things.
    pub items: Vec<T>,
    /// How many there are in the whole list; counted for pages only.
    pub total: Option<i64>,
    /// The place of the last thing, if others follow it.
    pub next: Option<Mark>,
}

/// A filter on names: `*` stands for any run of characters, `?` for one; case does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamePatternError {
    /// Longer than any name.
    #[error("must have at most 200 characters")]
    TooLong,
    /// Each `*` multiplies the work of a search.
    #[error("must have at most 5 runs of *")]
    TooManyStars,
}

impl NamePattern {
    /// Reads a pattern; runs of `*` count as one.
    ///
    /// # Errors
    ///
    /// [`NamePatternError`] when it is longer than a name or has too many wildcards.
    pub fn parse(text: &str) -> Result<Self, NamePatternError> {
        if text.chars().count() > 200 {
            return Err(NamePatternError::TooLong);
        }
        let mut pattern = text.to_lowercase();
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        if pattern.matches('*').count() > 5 {
            return Err(NamePatternError::TooManyStars);
        }
        Ok(Self(pattern))
    }

    /// The pattern without case, its wildcards still `*` and `?`.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0
    }

    /// Whether a name matches, for lists that are short enough to be searched in memory.
    #[must_use]
    pub fn matches(&self, name: &Name) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.folded().chars().collect();
        // `reached[n]`: the pattern so far can stand for the first `n` characters.
        let mut reached = vec![false; name.len() + 1];
        reached.first_mut().into_iter().for_each(|start| *start = true);
        for sign in pattern {
            let mut any = false;
            let mut before = false;
            for (at, slot) in reached.iter_mut().enumerate() {
                let here = *slot;
                any |= here;
                let fits = |c: &char| sign == '?' || sign == *c;
                let last = at.checked_sub(1).and_then(|at| name.get(at));
                *slot = if sign == '*' { any } else { before && last.is_some_and(fits) };
                before = here;
            }
        }
        reached.last().copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_limits_keep_their_range() {
        assert!([-1, 0, 101, i64::MAX].iter().all(|n| PageLimit::new(*n).is_none()));
        assert!([1, 100].iter().all(|n| PageLimit::new(*n).is_some()));
        assert!([-1, 0, i64::MAX].iter().all(|n| PageNumber::new(*n).is_none()));
        let last = PageNumber::new(i64::from(u32::MAX)).unwrap();
        assert!(last.offset(PageLimit::new(100).unwrap()) > 0);
    }

    #[test]
    fn a_pattern_matches_whole_names_without_case() {
        let matches = |pattern: &str, name: &str| {
            NamePattern::parse(pattern).unwrap().matches(&name.parse().unwrap())
        };
        for (pattern, name) in [
            ("ci", "CI"),
            ("c?", "ci"),
            ("*", "ci"),
            ("*i*", "ci"),
            ("c*i*x", "cabixix"),
            ("größ?", "GRÖßE"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("c", "ci"), ("", "ci"), ("?", "ci"), ("c*x", "ci"), ("*ci?", "ci")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_ignores_case_and_is_bounded() {
        assert_eq!(NamePattern::parse("CI***x").unwrap().folded(), "ci*x");
        assert_eq!(NamePattern::parse("*a*a*a*a*a*"), Err(NamePatternError::TooManyStars));
        assert_eq!(NamePattern::parse(&"a".repeat(201)), Err(NamePatternError::TooLong));
    }
}

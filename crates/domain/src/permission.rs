//! What may be done: the one grammar and the one matcher for what is granted and what is asked.
//!
//! A module of its own because grants, scopes, questions and the ceiling all rest on
//! [`Permission::covers`]: a second reading of `*` anywhere else would be a hole.
//!
//! - [`Permission`]: one name or pattern
//! - [`PermissionSet`]: what somebody holds
//! - [`PermissionQuery`]: what somebody asks, `a.read and (b.read or c.read)`
//! - [`Power`]: the permissions that Keystile itself asks for

mod own;
mod query;
#[cfg(test)]
pub(crate) mod samples;
mod set;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use self::own::Power;
pub use self::query::{PermissionQuery, PermissionQueryError};
pub use self::set::PermissionSet;

/// A permission, or a pattern of permissions.
///
/// 1 to 8 segments divided by dots, each 1 to 40 of `a-z`, `0-9`, `_` and `-`. The segment `*`
/// stands for exactly one segment, `**` for one or more at the end: `invoices.*` is
/// `invoices.read` but not `invoices.drafts.read`, `invoices.**` is both but not `invoices`, and
/// `**` alone is everything.
///
/// Parsing changes nothing, so equal permissions have equal texts, and the order is that of the
/// texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(
    /// Shared, because every cached credential holds a copy of its roles' permissions.
    Arc<str>,
);

impl Permission {
    /// The permission for everything, `**`.
    #[must_use]
    pub fn everything() -> Self {
        Self(REST.into())
    }

    /// Whether holding this permission is enough for `asked`.
    ///
    /// What is asked may be a pattern too: then all that it stands for must be covered, so
    /// `a.*` covers `a.b` and `a.*`, yet neither `a.**` nor `*.b`. `**` is read as if there were
    /// no longest permission.
    #[must_use]
    pub fn covers(&self, asked: &Self) -> bool {
        let (mut held, mut asked) = (self.segments(), asked.segments());
        loop {
            match (held.next(), asked.next()) {
                (Some(REST), asked) => return asked.is_some(),
                (Some(ONE), Some(segment)) if segment != REST => {}
                (Some(held), Some(asked)) if held == asked => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    /// Whether this is power over Keystile at all: whether it covers anything that begins with
    /// `keystile.`, as `**` and `*.read` do.
    #[must_use]
    pub fn is_keystile(&self) -> bool {
        self.keystile_part().is_some()
    }

    /// Whether this is power over Keystile and over nothing else: `keystile.*`, yet not `*.read`.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.keystile_part().as_ref() == Some(self)
    }

    /// The part of this permission that is power over Keystile: what it has in common with
    /// `keystile.**`.
    ///
    /// `**` gives `keystile.**`, and `*.read` gives `keystile.read`. A single segment gives
    /// nothing, not even `keystile` or `*`: Keystile's own permissions have two segments or more.
    #[must_use]
    pub fn keystile_part(&self) -> Option<Self> {
        match self.0.split_once('.') {
            Some((KEYSTILE, _)) => Some(self.clone()),
            Some((ONE, rest)) => Some(Self::own(rest)),
            Some(_) => None,
            None => (*self.0 == *REST).then(|| Self::own(REST)),
        }
    }

    /// What this permission and the other both stand for; nothing if that is nothing.
    ///
    /// `a.**` and `*.b` meet in `a.b`.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let (mut ours, mut theirs) = (self.segments(), other.segments());
        let mut common = Vec::new();
        loop {
            match (ours.next(), theirs.next()) {
                (Some(REST), Some(segment)) => {
                    common.push(segment);
                    common.extend(theirs);
                    break;
                }
                (Some(segment), Some(REST)) => {
                    common.push(segment);
                    common.extend(ours);
                    break;
                }
                (Some(ONE), Some(segment)) | (Some(segment), Some(ONE)) => common.push(segment),
                (Some(segment), Some(same)) if segment == same => common.push(segment),
                (None, None) => break,
                _ => return None,
            }
        }
        Some(Self(common.join(".").into()))
    }

    /// The text that was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn own(rest: &str) -> Self {
        Self(format!("{KEYSTILE}.{rest}").into())
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        if text.split('.').count() > MAX_SEGMENTS {
            return Err(PermissionError::TooManySegments);
        }
        let mut segments = text.split('.').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                ONE => {}
                REST if segments.peek().is_none() => {}
                REST => return Err(PermissionError::RestNotLast),
                name if is_name(name) => {}
                _ => return Err(PermissionError::Segment),
            }
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionError {
    /// `**` before the last segment.
    #[error("`**` may only be the last segment of a permission")]
    RestNotLast,
    /// A segment that is empty, too long, or has another character in it.
    #[error("a segment of a permission is 1 to 40 of a-z, 0-9, _ and -, or `*`, or a last `**`")]
    Segment,
    /// More than 8 segments.
    #[error("a permission has at most 8 segments")]
    TooManySegments,
}

fn is_name(segment: &str) -> bool {
    let in_alphabet = |c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    (1..=MAX_SEGMENT_BYTES).contains(&segment.len()) && segment.bytes().all(in_alphabet)
}

const KEYSTILE: &str = "keystile";
const ONE: &str = "*";
const REST: &str = "**";
const MAX_SEGMENTS: usize = 8;
const MAX_SEGMENT_BYTES: usize = 40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::{names, pattern, permission};
    use super::*;

    #[test]
    fn names_and_patterns_within_the_limits_parse() {
        let longest = ["a".repeat(40).as_str(); 8].join(".");
        for text in ["a", "a-b_0.c", "*", "**", "*.*", "a.*.c", "a.**", "*.**", "and", &longest] {
            assert_eq!(text.parse::<Permission>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        use PermissionError::{RestNotLast, Segment, TooManySegments};
        let cases = [
            ("", Segment),
            (".", Segment),
            ("a.", Segment),
            (".a", Segment),
            ("a..b", Segment),
            ("A", Segment),
            ("a b", Segment),
            (" a", Segment),
            ("é", Segment),
            ("a*", Segment),
            ("a.***", Segment),
            ("a\0", Segment),
            (&"a".repeat(41), Segment),
            ("**.a", RestNotLast),
            ("**.**", RestNotLast),
            ("a.b.c.d.e.f.g.h.i", TooManySegments),
            ("a.b.c.d.e.f.g.h.**", TooManySegments),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Permission>(), Err(error), "{text}");
        }
    }

    #[test]
    fn one_star_is_one_segment_and_two_are_the_rest() {
        for (held, asked, covered) in [
            ("invoices.*", "invoices.read", true),
            ("invoices.*", "invoices.drafts.read", false),
            ("invoices.*", "invoices", false),
            ("invoices.**", "invoices.drafts.read", true),
            ("invoices.**", "invoices", false),
            ("*", "invoices", true),
            ("**", "a.b.c.d.e.f.g.h", true),
            ("**", "**", true),
            ("*.read", "invoices.read", true),
            ("invoices.read", "invoices.rea", false),
            ("invoices.read", "invoices.reads", false),
        ] {
            assert_eq!(permission(held).covers(&permission(asked)), covered, "{held} {asked}");
        }
    }

    #[test]
    fn an_asked_pattern_is_no_name() {
        for (held, asked, covered) in [
            ("a.b", "a.*", false),
            ("a.*", "a.**", false),
            ("a.*", "*.b", false),
            ("a.**", "a.*.c", true),
            ("a.**", "**", false),
            ("*.**", "**", false),
            ("*.**", "a.**", true),
        ] {
            assert_eq!(permission(held).covers(&permission(asked)), covered, "{held} {asked}");
        }
    }

    #[test]
    fn the_part_over_keystile_is_what_is_shared_with_its_names() {
        for (held, part) in [
            ("**", Some("keystile.**")),
            ("*.**", Some("keystile.**")),
            ("*.read", Some("keystile.read")),
            ("keystile.api_keys.*", Some("keystile.api_keys.*")),
            ("keystile.**", Some("keystile.**")),
            ("keystile", None),
            ("*", None),
            ("keystiles.read", None),
            ("invoices.read", None),
        ] {
            assert_eq!(permission(held).keystile_part(), part.map(permission), "{held}");
            assert_eq!(permission(held).is_own(), part == Some(held), "{held}");
        }
    }

    /// The definition of a pattern, written a second time and as plainly as possible.
    fn stands_for(pattern: &[&str], name: &[&str]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (["**"], [_, ..]) => true,
            (["*", pattern @ ..], [_, name @ ..]) => stands_for(pattern, name),
            ([first, pattern @ ..], [same, name @ ..]) if first == same => {
                stands_for(pattern, name)
            }
            _ => false,
        }
    }

    fn is_one_of(pattern: &Permission, name: &Permission) -> bool {
        let (pattern, name): (Vec<_>, Vec<_>) =
            (pattern.segments().collect(), name.segments().collect());
        stands_for(&pattern, &name)
    }

    proptest! {
        #[test]
        fn covering_is_having_every_name_that_is_asked(held in pattern(), asked in pattern()) {
            let every = names().iter().filter(|name| is_one_of(&asked, name));
            let has_every = every.into_iter().all(|name| is_one_of(&held, name));
            prop_assert_eq!(held.covers(&asked), has_every);
        }

        #[test]
        fn covering_is_reflexive(p in pattern()) {
            prop_assert!(p.covers(&p));
        }

        #[test]
        fn covering_is_transitive(a in pattern(), b in pattern(), c in pattern()) {
            prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
        }

        #[test]
        fn the_part_over_keystile_covers_exactly_its_names(held in pattern()) {
            for name in names() {
                let is_power = is_one_of(&held, name) && name.as_str().starts_with("keystile.");
                let in_part = held.keystile_part().is_some_and(|part| is_one_of(&part, name));
                prop_assert_eq!(in_part, is_power, "{}", name);
            }
        }

        #[test]
        fn whatever_parses_prints_as_it_was(text in "[a-c*._-]{0,12}|.*") {
            if let Ok(permission) = text.parse::<Permission>() {
                prop_assert_eq!(permission.to_string(), text);
            }
        }
    }
}

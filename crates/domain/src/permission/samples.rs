//! Permissions for the property tests of this module's parts, and of the ceiling.
//!
//! Few segments, so that chance brings about overlaps; and one, `other`, that no pattern spells
//! out, so that `*` differs from every list of names.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Permission, PermissionSet};

/// Parses, for tests that know their text.
pub(crate) fn permission(text: &str) -> Permission {
    text.parse().unwrap()
}

/// A pattern of 1 to 4 segments.
pub(crate) fn pattern() -> impl Strategy<Value = Permission> {
    let segment = prop_oneof![Just("keystile"), Just("a"), Just("b"), Just("*")];
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, rest)| {
        if rest || segments.is_empty() {
            segments.push("**");
        }
        permission(&segments.join("."))
    })
}

/// A set of up to 4 patterns.
pub(crate) fn set() -> impl Strategy<Value = PermissionSet> {
    prop::collection::vec(pattern(), 0..4).prop_map(|held| held.into_iter().collect())
}

/// Every name of up to 5 segments, without wildcards: longer than every pattern by one.
pub(crate) fn names() -> &'static [Permission] {
    static NAMES: LazyLock<Vec<Permission>> = LazyLock::new(|| {
        let mut texts = vec![String::new()];
        let mut names = Vec::new();
        for _ in 0..5 {
            texts = texts
                .iter()
                .flat_map(|start| ["keystile", "a", "b", "other"].map(|s| format!("{start}{s}.")))
                .collect();
            names.extend(texts.iter().map(|text| permission(text.trim_end_matches('.'))));
        }
        names
    });
    &NAMES
}

//! What somebody holds: apart from the single permission, because union, ceiling and smallest
//! grants only make sense of several.

use std::collections::BTreeSet;

use super::Permission;

/// The permissions that a role, credential or principal holds, sorted and each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(BTreeSet<Permission>);

impl PermissionSet {
    /// Whether one of these permissions alone [covers](Permission::covers) `asked`.
    ///
    /// Several never add up: `a.b` and `a.*.**` do not cover `a.**`.
    #[must_use]
    pub fn covers(&self, asked: &Permission) -> bool {
        self.0.iter().any(|held| held.covers(asked))
    }

    /// The parts of these permissions that are power over Keystile itself.
    ///
    /// Whoever hands out this set must cover each of them.
    pub fn keystile_power(&self) -> impl Iterator<Item = Permission> {
        self.0.iter().filter_map(Permission::keystile_part)
    }

    /// What this set or the other holds.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What this set and the other both hold: nothing beyond either, in the fewest permissions.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|one| other.0.iter().map(move |two| one.meet(two)));
        pairs.flatten().collect::<Self>().simplest()
    }

    /// The permissions, in the order of their texts.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// How many bytes of memory they take, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|permission| PERMISSION_BYTES + permission.as_str().len()).sum()
    }

    /// How many permissions, patterns counted as one each.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing at all is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same power in the fewest permissions: without those that another one covers.
    pub(crate) fn simplest(&self) -> Self {
        let is_spare = |p: &Permission| self.0.iter().any(|other| other != p && other.covers(p));
        self.0.iter().filter(|p| !is_spare(p)).cloned().collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

impl IntoIterator for PermissionSet {
    type Item = Permission;
    type IntoIter = std::collections::btree_set::IntoIter<Permission>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What a permission takes in a set beside its text: its place in the tree, and its counts.
const PERMISSION_BYTES: usize = 48;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{names, pattern, permission, set};
    use super::*;

    #[test]
    fn a_set_is_sorted_and_holds_each_permission_once() {
        let set: PermissionSet = ["b", "a", "b"].map(permission).into_iter().collect();
        assert_eq!(set.iter().map(Permission::as_str).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn several_permissions_do_not_add_up() {
        let set: PermissionSet = ["a.*", "a.*.**"].map(permission).into_iter().collect();
        assert!(!set.covers(&permission("a.**")));
    }

    proptest! {
        #[test]
        fn a_union_covers_what_either_covers(a in set(), b in set(), asked in pattern()) {
            let either = a.covers(&asked) || b.covers(&asked);
            prop_assert_eq!(a.union(b).covers(&asked), either);
        }

        #[test]
        fn whoever_covers_the_power_covers_every_keystile_name(held in set(), granted in set()) {
            if granted.keystile_power().all(|power| held.covers(&power)) {
                let own = names().iter().filter(|name| name.as_str().starts_with("keystile."));
                for name in own {
                    prop_assert!(!granted.covers(name) || held.covers(name), "{}", name);
                }
            }
        }

        #[test]
        fn a_meet_covers_every_name_that_both_cover_and_no_other(a in set(), b in set()) {
            let meet = a.meet(&b);
            for name in names() {
                prop_assert_eq!(meet.covers(name), a.covers(name) && b.covers(name), "{}", name);
            }
        }

        #[test]
        fn the_simplest_set_covers_the_same(set in set(), asked in pattern()) {
            prop_assert_eq!(set.simplest().covers(&asked), set.covers(&asked));
        }
    }
}

//! What somebody asks: apart from the permission, because only questions have `and` and `or`.

mod parse;

use std::fmt;

use super::{Permission, PermissionError, PermissionSet};

/// A question about permissions: `invoices.read and (a.b or c.d)`.
///
/// `and` binds tighter than `or`; both are words of their own in lower case, so that a permission
/// whose whole name is `and` or `or` can only be asked for in the form of a list
/// ([`all`](Self::all)). A text has at most 1024 bytes, 64 permissions, and parentheses 16 deep.
///
/// What was parsed prints as a text that means the same: one space between words, and no
/// parentheses that change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionQuery(Node);

impl PermissionQuery {
    /// Asks for every one of `permissions`; an empty list asks for nothing and is always met.
    #[must_use]
    pub fn all(permissions: Vec<Permission>) -> Self {
        Self(Node::all(permissions.into_iter().map(Node::One).collect()))
    }

    /// Whether `held` is enough.
    #[must_use]
    pub fn is_met_by(&self, held: &PermissionSet) -> bool {
        self.0.is_met_by(held)
    }

    /// What has to be added to `held` for the query to be met, sorted; empty if it is met.
    ///
    /// Of the sides of an `or` it takes the one with the fewest permissions missing, of equals the
    /// first. Each `or` decides for itself: `(a or b) and (b or c)` lacks `a` and `b`, though `b`
    /// would do. The true minimum is set cover, which no request should make a server solve.
    #[must_use]
    pub fn missing(&self, held: &PermissionSet) -> Vec<Permission> {
        self.0.missing(held).into_iter().collect()
    }

    /// Tells each permission that the query needs of `held`, which meets it: of the sides of an
    /// `or` those of the first that is met.
    pub(crate) fn tell_needed<'q>(
        &'q self,
        held: &PermissionSet,
        tell: &mut dyn FnMut(&'q Permission),
    ) {
        self.0.tell_needed(held, tell);
    }
}

impl fmt::Display for PermissionQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is no permission query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionQueryError {
    /// One of the words is neither an operator nor a permission.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// A word or a parenthesis stands where it means nothing, or is missing.
    #[error(
        "a permission expression joins permissions with `and` and `or`, and closes what it opens"
    )]
    Syntax,
    /// Parentheses more than 16 deep.
    #[error("a permission expression has parentheses at most 16 deep")]
    TooDeep,
    /// More than 1024 bytes.
    #[error("a permission expression has at most 1024 bytes")]
    TooLong,
    /// More than 64 permissions.
    #[error("a permission expression has at most 64 permissions")]
    TooManyPermissions,
}

/// A query as a tree without redundancy: no `All` directly in an `All`, no `Any` directly in an
/// `Any`, and no `Any` of fewer than two. Its depth is bounded by the parser, and so is recursion.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    One(Permission),
}

impl Node {
    fn all(nodes: Vec<Self>) -> Self {
        let flatten = |node| match node {
            Self::All(nodes) => nodes,
            node => vec![node],
        };
        Self::single(nodes.into_iter().flat_map(flatten).collect()).unwrap_or_else(Self::All)
    }

    fn any(nodes: Vec<Self>) -> Self {
        let flatten = |node| match node {
            Self::Any(nodes) => nodes,
            node => vec![node],
        };
        Self::single(nodes.into_iter().flat_map(flatten).collect()).unwrap_or_else(Self::Any)
    }

    fn single(nodes: Vec<Self>) -> Result<Self, Vec<Self>> {
        <[Self; 1]>::try_from(nodes).map(|[node]| node)
    }

    fn is_met_by(&self, held: &PermissionSet) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.is_met_by(held)),
            Self::Any(nodes) => nodes.iter().any(|node| node.is_met_by(held)),
            Self::One(permission) => held.covers(permission),
        }
    }

    fn missing(&self, held: &PermissionSet) -> PermissionSet {
        match self {
            Self::All(nodes) => {
                let all: PermissionSet = nodes.iter().flat_map(|node| node.missing(held)).collect();
                all.simplest()
            }
            Self::Any(nodes) => {
                let sides = nodes.iter().map(|node| node.missing(held));
                sides.min_by_key(PermissionSet::len).unwrap_or_default()
            }
            Self::One(permission) if held.covers(permission) => PermissionSet::default(),
            Self::One(permission) => PermissionSet::from_iter([permission.clone()]),
        }
    }

    fn tell_needed<'q>(&'q self, held: &PermissionSet, tell: &mut dyn FnMut(&'q Permission)) {
        match self {
            Self::All(nodes) => nodes.iter().for_each(|node| node.tell_needed(held, tell)),
            Self::Any(nodes) => {
                let met = nodes.iter().find(|node| node.is_met_by(held));
                met.into_iter().for_each(|node| node.tell_needed(held, tell));
            }
            Self::One(permission) => tell(permission),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, operator) = match self {
            Self::All(nodes) => (nodes, " and "),
            Self::Any(nodes) => (nodes, " or "),
            Self::One(permission) => return permission.fmt(f),
        };
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                f.write_str(operator)?;
            }
            match (self, node) {
                (Self::All(_), Self::Any(_)) => write!(f, "({node})")?,
                _ => node.fmt(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{permission, set};
    use super::parse::samples::text;
    use super::*;

    fn query(text: &str) -> PermissionQuery {
        text.parse().unwrap()
    }

    fn held(permissions: &[&str]) -> PermissionSet {
        permissions.iter().map(|text| permission(text)).collect()
    }

    fn missing(text: &str, permissions: &[&str]) -> Vec<String> {
        let missing = query(text).missing(&held(permissions));
        missing.iter().map(Permission::to_string).collect()
    }

    #[test]
    fn and_binds_tighter_than_or() {
        for text in ["a or b and c", "a or (b and c)"] {
            assert!(query(text).is_met_by(&held(&["a"])));
            assert!(query(text).is_met_by(&held(&["b", "c"])));
            assert!(!query(text).is_met_by(&held(&["b"])));
        }
        assert!(!query("(a or b) and c").is_met_by(&held(&["a"])));
    }

    #[test]
    fn a_list_asks_for_all_and_an_empty_one_for_nothing() {
        let list = PermissionQuery::all(vec![permission("a"), permission("or")]);
        assert!(list.is_met_by(&held(&["a", "or"])));
        assert!(!list.is_met_by(&held(&["a"])));
        assert!(PermissionQuery::all(vec![]).is_met_by(&held(&[])));
    }

    #[test]
    fn a_list_and_an_expression_that_mean_the_same_are_equal() {
        let list = PermissionQuery::all(["a", "b", "c"].map(permission).into());
        assert_eq!(list, query("a and b and c"));
        assert_eq!(list, query("(a) and ((b and c))"));
    }

    #[test]
    fn printing_keeps_only_the_parentheses_that_matter() {
        assert_eq!(query("( (a or b)and c )or(d)").to_string(), "(a or b) and c or d");
    }

    #[test]
    fn what_is_missing_is_the_shortest_way() {
        assert_eq!(missing("a and b", &["a"]), ["b"]);
        assert_eq!(missing("a and b or c", &[]), ["c"]);
        assert_eq!(missing("a and b or c and d", &["d"]), ["c"]);
        assert_eq!(missing("a or b", &[]), ["a"], "of equals the first");
        assert_eq!(missing("a.b and a.* and a.b", &[]), ["a.*"], "one covers the other");
        assert_eq!(missing("a or b", &["b"]), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_query_prints_as_a_text_that_means_the_same(text in text()) {
            let query = query(&text);
            prop_assert_eq!(query.to_string().parse(), Ok(query));
        }

        #[test]
        fn adding_what_is_missing_meets_the_query(text in text(), held in set()) {
            let missing: PermissionSet = query(&text).missing(&held).into_iter().collect();
            prop_assert_eq!(missing.is_empty(), query(&text).is_met_by(&held));
            prop_assert!(query(&text).is_met_by(&held.union(missing)));
        }
    }
}

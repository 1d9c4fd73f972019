//! The parser of permission queries: apart, because it alone sees text from outside, and bounds
//! what that text can cost.

use std::str::FromStr;

use super::{Node, PermissionQuery, PermissionQueryError};

impl FromStr for PermissionQuery {
    type Err = PermissionQueryError;

    fn from_str(text: &str) -> Result<Self, PermissionQueryError> {
        if text.len() > MAX_BYTES {
            return Err(PermissionQueryError::TooLong);
        }
        let mut parser = Parser { rest: text, depth: 0, permissions: 0 };
        let query = parser.any()?;
        match parser.next() {
            None => Ok(Self(query)),
            Some(_) => Err(PermissionQueryError::Syntax),
        }
    }
}

/// Recursive descent over one text, one method for each level of precedence.
struct Parser<'t> {
    rest: &'t str,
    depth: usize,
    permissions: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Result<Node, PermissionQueryError> {
        let mut sides = vec![self.all()?];
        while self.skip("or") {
            sides.push(self.all()?);
        }
        Ok(Node::any(sides))
    }

    fn all(&mut self) -> Result<Node, PermissionQueryError> {
        let mut sides = vec![self.operand()?];
        while self.skip("and") {
            sides.push(self.operand()?);
        }
        Ok(Node::all(sides))
    }

    fn operand(&mut self) -> Result<Node, PermissionQueryError> {
        match self.next() {
            None | Some(")" | "and" | "or") => Err(PermissionQueryError::Syntax),
            Some("(") => self.group(),
            Some(_) if self.permissions == MAX_PERMISSIONS => {
                Err(PermissionQueryError::TooManyPermissions)
            }
            Some(permission) => {
                self.permissions += 1;
                Ok(Node::One(permission.parse()?))
            }
        }
    }

    fn group(&mut self) -> Result<Node, PermissionQueryError> {
        if self.depth == MAX_DEPTH {
            return Err(PermissionQueryError::TooDeep);
        }
        self.depth += 1;
        let group = self.any()?;
        self.depth -= 1;
        if self.skip(")") { Ok(group) } else { Err(PermissionQueryError::Syntax) }
    }

    fn skip(&mut self, token: &str) -> bool {
        let (next, rest) = split_token(self.rest);
        let found = next == Some(token);
        if found {
            self.rest = rest;
        }
        found
    }

    fn next(&mut self) -> Option<&'t str> {
        let (token, rest) = split_token(self.rest);
        self.rest = rest;
        token
    }
}

/// The first token and what follows it. A parenthesis is a token wherever it stands; any other
/// goes up to white space or a parenthesis.
fn split_token(text: &str) -> (Option<&str>, &str) {
    let text = text.trim_ascii_start();
    let end = match text.find(|c: char| c.is_ascii_whitespace() || PARENTHESES.contains(&c)) {
        Some(0) => 1,
        Some(end) => end,
        None => text.len(),
    };
    let (token, rest) = text.split_at(end);
    ((!token.is_empty()).then_some(token), rest)
}

const PARENTHESES: [char; 2] = ['(', ')'];
const MAX_BYTES: usize = 1024;
const MAX_PERMISSIONS: usize = 64;
const MAX_DEPTH: usize = 16;

#[cfg(test)]
pub(super) mod samples {
    use proptest::prelude::*;

    use super::super::super::samples::pattern;

    /// Texts of queries, with more parentheses than they need.
    pub(in super::super) fn text() -> impl Strategy<Value = String> {
        let leaf = pattern().prop_map(|permission| permission.to_string());
        leaf.prop_recursive(4, 16, 2, |side| {
            let operator = prop_oneof![Just(" and "), Just(" or ")];
            prop_oneof![
                (side.clone(), operator, side.clone()).prop_map(|(a, o, b)| format!("{a}{o}{b}")),
                side.prop_map(|side| format!("({side})")),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use PermissionQueryError::{Permission, Syntax, TooDeep, TooLong, TooManyPermissions};
    use proptest::prelude::*;

    use super::*;
    use crate::permission::PermissionError;

    fn error_of(text: &str) -> Option<PermissionQueryError> {
        text.parse::<PermissionQuery>().err()
    }

    #[test]
    fn what_does_not_join_permissions_is_refused() {
        for text in [
            "",
            " ",
            "and",
            "or",
            "a and",
            "or a",
            "a b",
            "a and and b",
            "a or and b",
            "(",
            ")",
            "()",
            "(a",
            "a)",
            "(a))",
            "a (b)",
            "(a)(b)",
            "a and (",
            "a and ()",
        ] {
            assert_eq!(error_of(text), Some(Syntax), "{text:?}");
        }
    }

    #[test]
    fn operators_are_words_in_lower_case() {
        for text in ["a AND b", "a Or b"] {
            assert_eq!(error_of(text), Some(Syntax), "{text}");
        }
        for text in ["AND", "a && b", "a,b", "a and b!", "a\u{a0}and b"] {
            assert!(error_of(text).is_some(), "{text}");
        }
        assert_eq!(error_of("AND"), Some(Permission(PermissionError::Segment)));
        for text in ["and.read or or.read", "a\tand\nb", "android and orders"] {
            assert_eq!(error_of(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_bounds_are_exact() {
        let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(error_of(&deep(16)), None);
        assert_eq!(error_of(&deep(17)), Some(TooDeep));
        let wide = |count: usize| vec!["a"; count].join(" or ");
        assert_eq!(error_of(&wide(64)), None);
        assert_eq!(error_of(&wide(65)), Some(TooManyPermissions));
        assert_eq!(error_of(&format!("{:1024}", "a")), None);
        assert_eq!(error_of(&format!("{:1025}", "a")), Some(TooLong));
    }

    #[test]
    fn depth_counts_only_what_is_open() {
        assert_eq!(error_of(&vec!["(a)"; 20].join(" and ")), None);
    }

    proptest! {
        #[test]
        fn whatever_parses_prints_as_a_text_that_parses(
            text in "([ab*.() ]|and|or){0,24}|.*",
        ) {
            if let Ok(query) = text.parse::<PermissionQuery>() {
                prop_assert_eq!(query.to_string().parse(), Ok(query));
            }
        }
    }
}

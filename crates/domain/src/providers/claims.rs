//! What is asked of the claims of a foreign token.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::TextError;

/// Which claim is meant: 1 to 100 visible ASCII characters.
///
/// The name of a top-level member, whose dots are part of the name, as in
/// `https://example.com/groups`; or, with a slash in front, a JSON pointer (RFC 6901) to a member of
/// a member, as in `/realm_access/roles`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimName(String);

/// What a claim must say: 1 to 200 characters of one line, `*` for any run of characters.
///
/// Compared with case. A list matches if one of its members does; numbers and booleans match by
/// their JSON text; objects and `null` never match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimPattern(String);

/// The text is no pattern for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one line of 1 to 200 characters, and more than `*`")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct ClaimPatternError;

impl ClaimName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the claim says, if it is there.
    #[must_use]
    pub fn find<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c Value> {
        let Some(pointer) = self.0.strip_prefix('/') else { return claims.get(&self.0) };
        let (first, rest) = pointer.find('/').map_or((pointer, ""), |end| pointer.split_at(end));
        let member = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
        member.pointer(rest)
    }
}

impl FromStr for ClaimName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        match text.len() {
            0 => Err(TextError::Empty),
            1..=100 if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(text.to_owned()))
            }
            1..=100 => Err(TextError::Control),
            _ => Err(TextError::TooLong(100)),
        }
    }
}

impl ClaimPattern {
    /// The text that was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the claim `name` is there and says what the pattern wants.
    #[must_use]
    pub fn is_met(&self, name: &ClaimName, claims: &Map<String, Value>) -> bool {
        match name.find(claims) {
            Some(Value::Array(members)) => members.iter().any(|member| self.is_met_by(member)),
            Some(value) => self.is_met_by(value),
            None => false,
        }
    }

    fn is_met_by(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.matches(text),
            Value::Bool(_) | Value::Number(_) => self.matches(&value.to_string()),
            _ => false,
        }
    }

    fn matches(&self, text: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        for piece in pieces {
            let Some((_, behind)) = rest.split_once(piece) else { return false };
            rest = behind;
        }
        rest.ends_with(last)
    }
}

impl FromStr for ClaimPattern {
    type Err = ClaimPatternError;

    fn from_str(text: &str) -> Result<Self, ClaimPatternError> {
        let fits = (1..=200).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.contains(|c| c != '*');
        if fits { Ok(Self(text.to_owned())) } else { Err(ClaimPatternError) }
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_met(pattern: &str, value: Value) -> bool {
        let Value::Object(claims) = json!({"ref": value}) else { unreachable!() };
        pattern.parse::<ClaimPattern>().unwrap().is_met(&"ref".parse().unwrap(), &claims)
    }

    #[test]
    fn a_star_stands_for_any_run_and_nothing_else_does() {
        for (pattern, text) in [
            ("refs/heads/main", "refs/heads/main"),
            ("refs/heads/*", "refs/heads/a/b"),
            ("refs/heads/*", "refs/heads/"),
            ("*/main", "refs/heads/main"),
            ("a*b*c", "a-b-b-c"),
            ("a**c", "abc"),
        ] {
            assert!(is_met(pattern, json!(text)), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("refs/heads/main", "refs/heads/main2"),
            ("refs/heads/main", "Refs/heads/main"),
            ("refs/heads/*", "refs/tags/refs/heads/x"),
            ("ab*ba", "aba"),
            ("a*b*c", "a-c-b"),
            ("a.c", "abc"),
        ] {
            assert!(!is_met(pattern, json!(text)), "{pattern} {text}");
        }
    }

    #[test]
    fn one_member_of_a_list_is_enough_and_objects_never_are() {
        assert!(is_met("b", json!(["a", "b"])));
        assert!(is_met("true", json!(true)));
        assert!(is_met("7", json!(7)));
        for value in [json!([]), json!(["a"]), json!({"b": "b"}), json!(null), json!([["b"]])] {
            assert!(!is_met("b", value.clone()), "{value}");
        }
    }

    #[test]
    fn a_slash_in_front_leads_to_a_member_of_a_member() {
        let Value::Object(claims) = json!({
            "a.b": 1, "https://x.example/y": 2, "a": {"b": 3, "c": {"d": 4}}, "s/l~": {"e": 5},
        }) else {
            unreachable!()
        };
        let find = |name: &str| name.parse::<ClaimName>().unwrap().find(&claims).cloned();
        for (name, value) in
            [("a.b", 1), ("https://x.example/y", 2), ("/a/b", 3), ("/a/c/d", 4), ("/s~1l~0/e", 5)]
        {
            assert_eq!(find(name), Some(json!(value)), "{name}");
        }
        for name in ["b", "/b", "/a/x", "/a/b/c", "/", "a/b"] {
            assert_eq!(find(name), None, "{name}");
        }
    }

    #[test]
    fn a_pattern_for_everything_is_no_pattern() {
        for text in ["", "*", "**", "a\nb", &"x".repeat(201)] {
            assert_eq!(text.parse::<ClaimPattern>(), Err(ClaimPatternError), "{text:?}");
        }
    }
}

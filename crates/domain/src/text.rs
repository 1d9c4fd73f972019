//! The texts that people give to things, checked once at the edge.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// It holds a character that the kind of text does not allow.
    #[error("must have letters a to z, digits and hyphens alone, and begin with a letter or digit")]
    Charset,
    /// A control character, or a separator that some programs take for the end of a line.
    #[error("must not contain control characters")]
    Control,
    /// White space at the beginning or the end.
    #[error("must not begin or end with white space")]
    Edge,
    /// Nothing to read.
    #[error("must not be empty")]
    Empty,
    /// More characters than allowed.
    #[error("must have at most {0} characters")]
    TooLong(usize),
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest that there is, in characters.
            pub const MAX: usize = $max;

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                // Bytes first: counting the characters of a huge text is work for nothing.
                if text.len() > 4 * Self::MAX || text.chars().count() > Self::MAX {
                    return Err(TextError::TooLong(Self::MAX));
                }
                $check(&text)?;
                Ok(Self(text.into()))
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::try_from(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// What people call a thing: one line of 1 to 200 characters.
    Name, 200, one_line
);
text!(
    /// What a thing is for: up to 2,000 characters; line breaks and tabs are allowed.
    Description, 2_000, many_lines
);
text!(
    /// What another system calls the thing: one line of 1 to 200 characters, compared exactly.
    ExternalId, 200, one_line
);
text!(
    /// Why something was done: one line of 1 to 500 characters.
    Reason, 500, one_line
);
text!(
    /// What a provider is called in requests: `[a-z0-9][a-z0-9-]*`, at most 63 characters.
    Identifier, 63, slug
);

impl Name {
    /// The name as searches and sorting see it: without case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// What customers keep beside a key: a JSON object that Keystile never interprets.
///
/// At most 50 members on the top level, 5 levels deep, 4,096 bytes as text.
// Nearly no key has any, and an empty map takes 72 bytes of each key that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Box<Map<String, Value>>>);

/// Why metadata are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Too many levels.
    #[error("must have at most 5 levels")]
    TooDeep,
    /// Too much text.
    #[error("must have at most 4096 bytes as JSON")]
    TooLarge,
    /// Too many members.
    #[error("must have at most 50 members")]
    TooMany,
}

impl Metadata {
    /// The members.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    /// How many bytes of memory they take, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |map| bytes_of(map))
    }

    /// These metadata after a merge patch (RFC 7396): `null` removes a member, objects merge.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] when the result would break a limit.
    pub fn merged(&self, patch: Map<String, Value>) -> Result<Self, MetadataError> {
        let mut merged = self.as_map().clone();
        merge(&mut merged, patch);
        Self::try_from(merged)
    }
}

impl TryFrom<Map<String, Value>> for Metadata {
    type Error = MetadataError;

    fn try_from(map: Map<String, Value>) -> Result<Self, MetadataError> {
        if map.len() > 50 {
            return Err(MetadataError::TooMany);
        }
        if map.values().any(|value| depth(value) > 4) {
            return Err(MetadataError::TooDeep);
        }
        let value = Value::Object(map);
        if value.to_string().len() > 4_096 {
            return Err(MetadataError::TooLarge);
        }
        match value {
            Value::Object(map) if !map.is_empty() => Ok(Self(Some(Box::new(map)))),
            _ => Ok(Self::default()),
        }
    }
}

fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.remove(&key);
            }
            Value::Object(inner) => {
                let mut merged = match target.remove(&key) {
                    Some(Value::Object(old)) => old,
                    _ => Map::new(),
                };
                merge(&mut merged, inner);
                target.insert(key, Value::Object(merged));
            }
            other => {
                target.insert(key, other);
            }
        }
    }
}

fn bytes_of(members: &Map<String, Value>) -> usize {
    let members = members.iter().map(|(name, value)| name.len() + MEMBER_BYTES + beside(value));
    EMPTY_BYTES + members.sum::<usize>()
}

/// How many bytes a value takes beside its place.
fn beside(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + beside(item)).sum(),
        Value::Object(members) => bytes_of(members),
        Value::String(text) => text.len(),
        _ => 0,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn one_line(text: &str) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().any(is_break) {
        return Err(TextError::Control);
    }
    if text.trim() != text {
        return Err(TextError::Edge);
    }
    Ok(())
}

fn many_lines(text: &str) -> Result<(), TextError> {
    if text.chars().any(|c| is_break(c) && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(TextError::Control);
    }
    Ok(())
}

fn slug(text: &str) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if plain && !text.starts_with('-') { Ok(()) } else { Err(TextError::Charset) }
}

/// Control characters, and the two separators that JavaScript and some logs break lines at.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What a map takes, and each of its members: with its place, its name's, and that in the index.
const EMPTY_BYTES: usize = 128;
const MEMBER_BYTES: usize = 128;
static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_name_is_one_line_of_readable_text() {
        assert!("CI pipeline – größer 🚀".parse::<Name>().is_ok());
        assert!("ü".repeat(200).parse::<Name>().is_ok());
        for (text, error) in [
            ("", TextError::Empty),
            (" CI", TextError::Edge),
            ("CI\n", TextError::Control),
            ("a\0b", TextError::Control),
            ("a\u{1b}[31mb", TextError::Control),
            ("a\u{2028}b", TextError::Control),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error), "{text:?}");
        }
        assert_eq!("x".repeat(201).parse::<Name>(), Err(TextError::TooLong(200)));
        assert_eq!("x".repeat(1 << 20).parse::<Name>(), Err(TextError::TooLong(200)));
    }

    #[test]
    fn a_description_may_have_lines() {
        assert!("one\n\ttwo".parse::<Description>().is_ok());
        assert!("".parse::<Description>().is_ok());
        assert_eq!("bell\u{7}".parse::<Description>(), Err(TextError::Control));
    }

    #[test]
    fn an_identifier_is_a_slug() {
        assert!("api-keys".parse::<Identifier>().is_ok());
        for text in ["", "-a", "A", "a_b", "ä"] {
            assert!(text.parse::<Identifier>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn metadata_merge_as_rfc_7396_says() {
        let old = Metadata::try_from(map(json!({"a": {"b": 1, "c": 2}, "d": 3}))).unwrap();
        let new =
            old.merged(map(json!({"a": {"b": null, "e": {"f": null}}, "d": [null]}))).unwrap();
        assert_eq!(new.as_map(), &map(json!({"a": {"c": 2, "e": {}}, "d": [null]})));
    }

    #[test]
    fn metadata_are_bounded() {
        let many: Map<_, _> = (0..51).map(|n| (n.to_string(), json!(n))).collect();
        assert_eq!(Metadata::try_from(many), Err(MetadataError::TooMany));
        let long = map(json!({"a": "x".repeat(4_096)}));
        assert_eq!(Metadata::try_from(long), Err(MetadataError::TooLarge));
        let deep = map(json!({"a": [[[[[]]]]]}));
        assert_eq!(Metadata::try_from(deep), Err(MetadataError::TooDeep));
    }
}

//! JSON read strictly: `serde_json` alone keeps the last of duplicate members, where another reader
//! of the same token may have acted on the first (RFC 8725, section 2.4).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads an object that has no member twice at any depth and is nested at most 32 deep.
pub(super) fn parse_object(json: &[u8]) -> Option<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = Strict { levels: MAX_DEPTH }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Reads a value with at most so many levels of arrays and objects.
#[derive(Clone, Copy)]
struct Strict {
    levels: u8,
}

impl Strict {
    fn below<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::from).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.insert(name, entries.next_value_seed(below)?).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(members.into())
    }
}

const MAX_DEPTH: u8 = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_read_as_serde_json_reads_it() {
        let text = r#" {"a": [1, -2, 3.5, 1e300, null, true], "b": {"c": "d\u00e9"}, "": ""} "#;
        let members = parse_object(text.as_bytes()).unwrap();
        let expected = json!({"a": [1, -2, 3.5, 1e300, null, true], "b": {"c": "dé"}, "": ""});
        assert_eq!(Value::from(members), expected);
    }

    #[test]
    fn a_member_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"c":3,"b":2}]}"#,
        ] {
            assert_eq!(parse_object(text.as_bytes()), None, "{text}");
        }
        assert!(parse_object(br#"{"a":{"b":1},"b":{"a":1},"A":1}"#).is_some());
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in ["", "null", "1", "\"a\"", "[]", "{", "{}{}", "{} x", "{'a':1}", "{a:1}", "{,}"]
        {
            assert_eq!(parse_object(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_object(b"\xef\xbb\xbf{}"), None, "a byte order mark");
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), None, "no UTF-8");
        assert_eq!(parse_object(br#"{"a":"\ud800"}"#), None, "half a character");
        assert_eq!(parse_object(br#"{"a":1e400}"#), None, "a number beyond all");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested =
            |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert!(parse_object(nested(32).as_bytes()).is_some());
        assert_eq!(parse_object(nested(33).as_bytes()), None);
        let arrays = format!(r#"{{"a":{}"#, "[".repeat(4_000));
        assert_eq!(parse_object(arrays.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = parse_object(&bytes);
        }
    }
}

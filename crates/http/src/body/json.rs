//! JSON by the rules of the API: bounded in depth, every member known, and an answer that says which
//! member is wrong.

use keystile_api::problem::{ErrorCode, FieldError};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_ignored::Path as Ignored;
use serde_path_to_error::{Path, Segment};

use crate::error::ApiError;

/// The value of the body: 400 if it is no JSON or has members that nobody knows, 422 if a known
/// member has a value of a wrong kind.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if depth(bytes) > MAX_DEPTH {
        return Err(ApiError::new(ErrorCode::MalformedBody)
            .detail(format!("The body may have at most {MAX_DEPTH} levels.")));
    }
    if !bytes.trim_ascii_start().starts_with(b"{") {
        // serde would take the members from an array too, by their order.
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
        return Err(ApiError::field(ErrorCode::InvalidRequest, "", "must be an object"));
    }
    let mut unknown = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| {
        if unknown.len() < MAX_NAMED {
            unknown.push(ignored_pointer(&path));
        }
    });
    let value = match read {
        Ok(value) => value,
        Err(error) if error.is_data() => return Err(wrong_member(&track.path(), &error)),
        Err(error) => return Err(malformed(&error)),
    };
    if json.end().is_err() {
        return Err(ApiError::new(ErrorCode::MalformedBody)
            .detail("The body has something behind its JSON value."));
    }
    if unknown.is_empty() { Ok(value) } else { Err(unknown_fields(unknown)) }
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::new(ErrorCode::MalformedBody)
        .detail(format!("The body is not valid JSON: line {line}, column {column}."))
}

pub(crate) fn unknown_fields(pointers: Vec<String>) -> ApiError {
    let error = |pointer| FieldError { pointer, detail: "is not known here".to_owned() };
    let names = pointers.join(", ");
    ApiError::new(ErrorCode::UnknownFields)
        .detail(format!("Not known here: {names}."))
        .errors(pointers.into_iter().map(error).collect())
}

/// A member of the wrong kind, missing, or given twice. serde tells these apart in words alone, and
/// its words for a wrong value repeat the value: only the kinds in them may be passed on.
fn wrong_member(path: &Path, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let named = |prefix: &str| {
        let rest = text.strip_prefix(prefix)?;
        Some(rest.split('`').next().unwrap_or_default().to_owned())
    };
    let parent = pointer(path);
    if let Some(name) = named("duplicate field `") {
        return ApiError::field(
            ErrorCode::MalformedBody,
            &format!("{parent}/{name}"),
            "is given twice",
        );
    }
    if let Some(name) = named("missing field `") {
        return ApiError::field(
            ErrorCode::InvalidRequest,
            &format!("{parent}/{name}"),
            "is required",
        );
    }
    let expected = text.split(", expected ").nth(1).and_then(|rest| rest.split(" at line ").next());
    let rule = expected.map_or_else(
        || "has a value of a wrong kind".to_owned(),
        |expected| format!("must be {}", plain(expected)),
    );
    ApiError::field(ErrorCode::InvalidRequest, &parent, rule)
}

/// serde's word for a kind of value, as people say it.
fn plain(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        integer if integer.starts_with(['i', 'u']) => "a whole number",
        record if record.starts_with("struct ") => "an object",
        other => other,
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

fn ignored_pointer(path: &Ignored<'_>) -> String {
    match path {
        Ignored::Root => String::new(),
        Ignored::Seq { parent, index } => format!("{}/{index}", ignored_pointer(parent)),
        Ignored::Map { parent, key } => {
            let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
            format!("{}/{}", ignored_pointer(parent), escape(&key))
        }
        Ignored::Some { parent }
        | Ignored::NewtypeStruct { parent }
        | Ignored::NewtypeVariant { parent } => ignored_pointer(parent),
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// How deep the brackets of a text nest, strings aside; a look at the bytes, before anything is
/// built of them.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

const MAX_DEPTH: usize = 32;
/// How many unknown members an answer names: a body can have millions.
const MAX_NAMED: usize = 20;

#[cfg(test)]
mod tests {
    use keystile_api::api_keys::{ApiKeyPatch, NewApiKey};
    use keystile_api::roles::NewRole;

    use super::*;

    fn refusal<T: DeserializeOwned>(text: &str) -> (ErrorCode, Vec<(String, String)>) {
        let error = parse::<T>(text.as_bytes()).err().unwrap();
        let errors = error.errors.into_vec().into_iter();
        (error.code, errors.map(|error| (error.pointer, error.detail)).collect())
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for text in [
            "",
            "{",
            "{\"name\": }",
            "nul",
            "{\"name\": \"a\"} {}",
            "{\"name\": \"\u{7}\"}",
            "[1,]",
        ] {
            assert_eq!(refusal::<NewApiKey>(text).0, ErrorCode::MalformedBody, "{text}");
        }
        let latin = [b"{\"name\": \"".as_slice(), &[0xe9], b"\"}"].concat();
        assert_eq!(parse::<NewApiKey>(&latin).err().unwrap().code, ErrorCode::MalformedBody);
    }

    #[test]
    fn every_unknown_member_is_named() {
        let text = r#"{"name": "a", "a/b": 1, "endpoints": [{"methods": [], "path": "", "x": 2}]}"#;
        let (code, errors) = refusal::<NewRole>(text);
        assert_eq!(code, ErrorCode::UnknownFields);
        let pointers: Vec<_> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/a~1b", "/endpoints/0/x"]);
    }

    #[test]
    fn a_known_member_of_a_wrong_kind_is_named_without_its_value() {
        for (text, pointer, rule) in [
            (r#"{"name": 7}"#, "/name", "must be a string"),
            (r#"{"name": null}"#, "/name", "must be a string"),
            (
                r#"{"name": "a", "role_ids": [1, "s3cr3t"]}"#,
                "/role_ids/1",
                "must be a whole number",
            ),
            (r#"{"name": "a", "role_ids": [1e99]}"#, "/role_ids/0", "must be a whole number"),
            (r#"{"role_ids": []}"#, "/name", "is required"),
            (r#"[]"#, "", "must be an object"),
            (r#" ["a", null, [], null]"#, "", "must be an object"),
        ] {
            let (code, errors) = refusal::<NewApiKey>(text);
            assert_eq!(code, ErrorCode::InvalidRequest, "{text}");
            assert_eq!(errors, [(pointer.to_owned(), rule.to_owned())], "{text}");
        }
    }

    #[test]
    fn a_member_given_twice_is_malformed() {
        let (code, errors) = refusal::<ApiKeyPatch>(r#"{"name": "a", "name": "b"}"#);
        assert_eq!(code, ErrorCode::MalformedBody);
        assert_eq!(errors, [("/name".to_owned(), "is given twice".to_owned())]);
    }

    #[test]
    fn the_depth_is_bounded_before_anything_is_built() {
        let nested = |depth| {
            format!(r#"{{"name": "[[[", "metadata": {}1{}}}"#, "[".repeat(depth), "]".repeat(depth))
        };
        assert_eq!(refusal::<NewApiKey>(&nested(31)).0, ErrorCode::InvalidRequest);
        assert_eq!(refusal::<NewApiKey>(&nested(32)).0, ErrorCode::MalformedBody);
        assert_eq!(refusal::<NewApiKey>(&"[".repeat(1 << 20)).0, ErrorCode::MalformedBody);
    }
}

//! The shape of every refusal (RFC 9457), and nothing beside it.

use acceptance::Answer;
use serde_json::Value;

use super::operations::Operation;

/// Panics unless the answer is a problem document, or, where OAuth has its own words for it, of the
/// shape that RFC 6749, section 5.2, has for them.
#[track_caller]
pub fn assert_refused(operation: &Operation, answer: &Answer) {
    if operation.is_oauth() && answer.header("content-type") == "application/json" {
        assert!([400, 401].contains(&answer.status.as_u16()), "{answer}");
        assert_oauth_shape(&answer.body, &answer.to_string());
    } else {
        assert_problem(answer);
    }
}

/// Panics unless the body is a refusal of an OAuth endpoint; `seen` is what to show then.
#[track_caller]
pub fn assert_oauth_shape(body: &Value, seen: &str) {
    let word = body["error"].as_str().unwrap_or_default();
    assert!(OAUTH.contains(&word), "{seen}");
    assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{seen}");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{seen}");
}

/// Panics unless the answer is a problem document of exactly that shape.
#[track_caller]
pub fn assert_problem(answer: &Answer) {
    let status = answer.status.as_u16();
    assert!((400..600).contains(&status), "{answer}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer}");
    assert_shape(status, &answer.body, &answer.to_string());
    assert_eq!(answer.header("x-request-id"), answer.body["request_id"], "{answer}");
}

/// Panics unless the body is a problem document for this status; `seen` is what to show then.
#[track_caller]
pub fn assert_shape(status: u16, body: &Value, seen: &str) {
    let members = body.as_object().unwrap_or_else(|| panic!("no document: {seen}"));
    for name in members.keys() {
        let is_extra = name == "errors" || (name == "tokens" && status == 409);
        assert!(REQUIRED.contains(&name.as_str()) || is_extra, "{name} in {seen}");
    }
    for name in REQUIRED.iter().filter(|name| **name != "status") {
        let text = members.get(*name).and_then(Value::as_str);
        assert!(text.is_some_and(|text| !text.is_empty()), "no {name} in {seen}");
    }
    assert_eq!(body["status"], status, "{seen}");
    assert!(
        body["type"].as_str().unwrap().starts_with("https://tools.ietf.org/html/rfc"),
        "{seen}"
    );
    for error in members.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let error = error.as_object().unwrap();
        let is_text = |name: &str| error.get(name).is_some_and(Value::is_string);
        assert!(error.len() == 2 && is_text("pointer") && is_text("detail"), "{seen}");
    }
}

const OAUTH: [&str; 8] = [
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
];

const REQUIRED: [&str; 6] = ["type", "title", "status", "code", "detail", "request_id"];

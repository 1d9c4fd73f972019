//! The shape of every refusal (RFC 9457), and nothing beside it.

use acceptance::Answer;
use serde_json::Value;

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
        assert!(REQUIRED.contains(&name.as_str()) || name == "errors", "{name} in {seen}");
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

const REQUIRED: [&str; 6] = ["type", "title", "status", "code", "detail", "request_id"];

//! What is read from an answer, and what is written into a request.

use std::time::Duration;

use keystile_client::api::problem::ErrorCode;
use keystile_client::api::roles::RolePatch;
use keystile_client::{Change, Code};
use serde_json::json;

use crate::stub::{Stub, answer, json, problem, role};

#[tokio::test]
async fn a_refusal_is_read_whole() {
    let body = json!({
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "code": "invalid_request",
        "detail": "The request breaks a rule.",
        "request_id": "request-7",
        "errors": [
            {"pointer": "/name", "detail": "must not be empty"},
            {"pointer": "/role_ids/0", "detail": "there is no such role"}
        ]
    });
    let kind = "application/problem+json";
    let deed = answer("422 No", kind, &["retry-after: 3"], &body.to_string());
    let stub = Stub::new([deed]).await;
    let error = stub.client().me().show().await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.status, 422);
    assert_eq!(refusal.code, ErrorCode::InvalidRequest);
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(error.request_id(), Some("request-7"));
    assert_eq!(
        error.to_string(),
        "The request breaks a rule. /name must not be empty; /role_ids/0 there is no such role"
    );
}

#[tokio::test]
async fn a_code_of_a_newer_server_is_kept() {
    let stub = Stub::new([problem(418, "teapot", &[])]).await;
    let error = stub.client().me().show().await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code, Code::Other("teapot".to_owned()));
}

#[tokio::test]
async fn a_refusal_of_oauth_is_a_refusal() {
    let body = json!({"error": "invalid_scope", "error_description": "That is too much."});
    let body = body.to_string();
    let headers = ["x-request-id: request-8"];
    let stub = Stub::new([answer("400 No", "application/json", &headers, &body)]).await;
    let error = stub.client().me().show().await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code.as_str(), "invalid_scope");
    assert_eq!(error.to_string(), "That is too much.");
    assert_eq!(error.request_id(), Some("request-8"));
}

#[tokio::test]
async fn a_change_says_how_it_is_to_be_made() {
    let stub = Stub::new([json("200 OK", &role(5))]).await;
    let change = Change::new().dry_run(true).wait_for_cluster(true).if_match("\"7\"");
    stub.client().roles().update(5, &RolePatch::default(), &change).await.unwrap();
    let asked = &stub.asked()[0];
    assert_eq!(asked.line(), "PATCH /api/v1/roles/5?dry_run=true&wait=cluster");
    assert_eq!(asked.header("if-match"), Some("\"7\""));
    assert_eq!(asked.header("authorization"), Some("Bearer ks_secret"));
    assert_eq!(asked.body, "{}");
}

#[tokio::test]
async fn an_answer_tells_what_its_headers_tell() {
    let mut body = role(5);
    body["revocation"] = json!({
        "effective_at": "2026-11-22T09:00:00Z",
        "acknowledged": 3,
        "lease_expired": 0,
        "unproven": 0
    });
    let headers = ["etag: \"8\"", "idempotency-replayed: true", "x-request-id: request-9"];
    let kind = "application/json";
    let stub = Stub::new([answer("200 OK", kind, &headers, &body.to_string())]).await;
    let answer = stub.client().roles().show(5).await.unwrap();
    assert_eq!(answer.version.as_deref(), Some("\"8\""));
    assert!(answer.replayed);
    assert_eq!(answer.request_id.as_deref(), Some("request-9"));
    assert_eq!(answer.revocation.as_ref().unwrap().acknowledged, 3);
}

#[tokio::test]
async fn a_request_without_a_credential_or_with_another_says_so() {
    let stub = Stub::new([json("200 OK", &role(5))]).await;
    let client = stub.client();
    client.anonymous().roles().show(5).await.unwrap();
    client.with_credential(&"ks_other".into()).unwrap().roles().show(5).await.unwrap();
    let asked = stub.asked();
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(asked[1].header("authorization"), Some("Bearer ks_other"));
}

#[tokio::test]
async fn what_no_header_may_have_is_told_before_anything_is_sent() {
    let stub = Stub::new([json("200 OK", &role(5))]).await;
    let change = Change::new().if_match("two\nlines");
    let error = stub.client().roles().delete(5, &change).await.unwrap_err();
    assert!(!error.may_be_done(), "{error:?}");
    assert_eq!(stub.asked().len(), 0);
}

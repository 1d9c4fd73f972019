//! The short way past the router, and the long one: an empty query is enough to be sent there.

use acceptance::{Database, on_each_database};
use actix_web::http::Method;
use serde_json::json;

use crate::client::Answer;
use crate::stage::Stage;

on_each_database! {
    async fn both_ways_answer_alike(database: Database) {
        let stage = Stage::new(database).await;
        let limits = json!([{"name": "default", "limit": 1000, "window_seconds": 60}]);
        let key = json!({"name": "k", "rate_limits": limits});
        let (_, key) = stage.admin().new_key(key).await;
        let mistyped = format!("{}!", &key[..key.len() - 1]);
        let admin = stage.admin();
        for (client, status, verify_status) in [
            (stage.admin(), 200, 200),
            (stage.client(&key), 200, 403),
            (stage.client(&mistyped), 401, 401),
            (stage.client("two keys"), 401, 401),
        ] {
            let asked = async |path: &str| client.get(path).await.expect(status);
            alike(asked("/api/v1/me").await, asked("/api/v1/me?").await);
            let asked = async |path: &str| {
                client.post(path, json!({"credential": key})).await.expect(verify_status)
            };
            alike(asked("/api/v1/verify").await, asked("/api/v1/verify?").await);
        }
        for (body, status) in [
            (json!({"credential": mistyped}), 200),
            (json!({"credential": mistyped, "strict": true}), 401),
            (json!({"credential": 1}), 422),
            (json!({"credential": key, "colour": 1}), 400),
            (json!({"credential": "a".repeat(70_000)}), 413),
        ] {
            let asked = async |path: &str| admin.post(path, body.clone()).await.expect(status);
            alike(asked("/api/v1/verify").await, asked("/api/v1/verify?").await);
        }
        for (method, path) in [(Method::HEAD, "/api/v1/me"), (Method::POST, "/api/v1/verify")] {
            let asked = async |path: &str| stage.answer(admin.request(method.clone(), path)).await;
            alike(asked(path).await, asked(&format!("{path}?")).await);
        }
    }
}

/// Both are the same answer, but for the names of the requests and what is left of a limit.
fn alike(short: Answer, long: Answer) {
    let names = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    };
    let unnamed = |answer: &Answer| {
        let mut body = answer.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("request_id");
            members.remove("rate_limits");
        }
        body
    };
    assert_eq!(short.status, long.status, "{short} {long}");
    assert_eq!(names(&short), names(&long), "{short} {long}");
    assert_eq!(unnamed(&short), unnamed(&long));
    assert_ne!(short.headers.get("x-request-id"), long.headers.get("x-request-id"));
}

//! `"strict": true`: a refusal has a status of its own, and is a problem document.

use acceptance::{Database, Key, on_each_database, started};
use serde_json::json;

use super::{UNKNOWN, ask};
use crate::lifecycle::VERIFY;

on_each_database! {
    async fn each_refusal_has_its_status_and_challenge(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({ "name": "CI", "allowed_ips": ["10.0.0.0/8"] });
        let ranged = Key::made(&admin, new).await;
        let key = Key::holding(&admin, "CI", &[]).await;
        let off = Key::made(&admin, json!({ "name": "off", "enabled": false })).await;
        let old = Key::holding(&admin, "rotated", &[]).await;
        admin.post(&old.at("/rotate"), json!({})).await.expect(200);
        let gone = Key::holding(&admin, "gone", &[]).await;
        admin.delete(&gone.at("")).await.expect(204);
        let endpoint = json!({ "method": "GET", "path": "/x" });

        for (question, status, code, challenge) in [
            (json!({ "credential": "x" }), 401, "malformed", "invalid_token"),
            (json!({ "credential": UNKNOWN }), 401, "not_found", "invalid_token"),
            (json!({ "credential": gone.secret }), 401, "deleted", "invalid_token"),
            (json!({ "credential": off.secret }), 401, "disabled", "invalid_token"),
            (json!({ "credential": old.secret }), 401, "expired", "invalid_token"),
            (
                json!({ "credential": key.secret, "source": "query" }),
                401,
                "source_not_allowed",
                "invalid_token",
            ),
            (
                json!({ "credential": key.secret, "transport": "insecure" }),
                401,
                "insecure_transport",
                "invalid_token",
            ),
            (json!({ "credential": ranged.secret }), 403, "ip_not_allowed", ""),
            (
                json!({ "credential": key.secret, "permissions": ["a.b"] }),
                403,
                "insufficient_permissions",
                "insufficient_scope",
            ),
            (
                json!({ "credential": key.secret, "endpoint": endpoint }),
                403,
                "endpoint_not_allowed",
                "",
            ),
        ] {
            let mut strict = question.clone();
            strict["strict"] = json!(true);
            let answer = admin.post(VERIFY, strict).await.expect(status).problem(code);
            let shown = answer.header("www-authenticate");
            assert_eq!(shown.is_empty(), challenge.is_empty(), "{code}: {shown}");
            assert!(shown.contains(challenge), "{code}: {shown}");
            assert!(!answer.text.contains(&key.secret), "{answer}");

            let lenient = ask(&admin, question).await;
            assert_eq!(lenient.body["valid"], false);
            assert_eq!(lenient.body["code"], code);
        }
    }

    async fn what_is_valid_is_answered_the_same(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        let strict = ask(&admin, json!({ "credential": key.secret, "strict": true })).await;

        assert_eq!(strict.body, ask(&admin, json!({ "credential": key.secret })).await.body);
    }
}

//! `If-Match`: a change of the version that the caller has seen (RFC 9110, section 13.1.1).

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{full, tag};
use crate::lifecycle::{VERIFIER, code, everything};

on_each_database! {
    async fn a_version_that_is_over_is_not_changed(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;
        let stale = tag(&admin, &key).await;
        admin.patch(&key.at(""), json!({ "name": "second" })).await.expect(200);
        let before = everything(&admin).await;

        for tag in [stale.as_str(), "\"999\"", "\"x\""] {
            for (method, rest) in CHANGES {
                let answer = conditional(&admin, method.clone(), &key.at(rest), tag).await;
                answer.expect(412).problem("precondition_failed");
            }
        }
        conditional(&admin, Method::PATCH, &key.at(""), "second").await.expect(400);

        assert_eq!(everything(&admin).await, before);
    }

    async fn the_present_version_and_a_star_are_changed(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;

        for (method, rest) in CHANGES.into_iter().rev() {
            let first = tag(&admin, &key).await;
            for condition in [first.as_str(), "*"] {
                if method == Method::DELETE && condition == first {
                    continue;
                }
                let answer = conditional(&admin, method.clone(), &key.at(rest), condition).await;
                assert!(answer.status.is_success(), "{answer}");
            }
        }
        admin.get(&key.at("")).await.expect(404);
    }

    async fn use_does_not_touch_the_version(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[VERIFIER]).await;
        let before = tag(&admin, &key).await;

        code(&key.api(&admin), &key.secret).await;

        assert_eq!(tag(&admin, &key).await, before);
    }
}

async fn conditional(admin: &Api, method: Method, path: &str, tag: &str) -> Answer {
    let request = admin.request(method.clone(), path).header("if-match", tag);
    let request =
        if method == Method::PATCH { request.json(&json!({ "name": tag })) } else { request };
    Answer::to(request).await.unwrap()
}

const CHANGES: [(Method, &str); 3] =
    [(Method::DELETE, ""), (Method::POST, "/rotate"), (Method::PATCH, "")];

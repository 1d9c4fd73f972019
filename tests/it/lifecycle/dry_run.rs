//! `?dry_run=true`: every check, and no change.

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ADMINISTRATOR, EVENTS, KEY_MANAGER, KEYS, ME, ROLES, each, everything, pointers, role,
    without_the_person,
};

on_each_database! {
    async fn no_change_happens_and_none_is_told(database: Database) {
        let (_server, admin) = started(&database).await;
        let unused = format!("{ROLES}/{}", role(&admin, "unused", &["a.b"]).await);
        let new = json!({ "name": "CI", "external_id": "crm-1" });
        let old = Key::made(&admin, new.clone()).await;
        let rotate = json!({ "overlap_seconds": 600 });
        let key = Key::of(&admin.post(&old.at("/rotate"), rotate.clone()).await.expect(200));
        let before = (everything(&admin).await, rotation(&admin, &key).await);
        let one = format!("{KEYS}?external_id=crm-1&reason=left&");

        for (method, path, body) in [
            (Method::POST, format!("{KEYS}?"), new.clone()),
            (Method::POST, format!("{KEYS}/batch?"), json!({ "api_keys": [new, { "name": "" }] })),
            (Method::PATCH, key.at("?"), json!({ "name": "new", "enabled": false })),
            (Method::POST, key.at("/rotate?"), rotate.clone()),
            (Method::POST, key.at("/rotation/extend?"), rotate),
            (Method::POST, key.at("/rotation/finish?"), Value::Null),
            (Method::DELETE, key.at("?"), Value::Null),
            (Method::DELETE, one, Value::Null),
            (Method::POST, format!("{ROLES}?"), json!({ "name": "billing" })),
            (Method::PATCH, format!("{unused}?"), json!({ "permissions": [] })),
            (Method::DELETE, format!("{unused}?"), Value::Null),
        ] {
            let answer = send(&admin, method.clone(), &path, body).await.expect(200);
            assert!(!answer.text.contains(r#""key":"#), "a secret in {answer}");
            assert!(answer.body.is_object(), "{method} {path} says nothing of what would be");
            assert_eq!(
                (everything(&admin).await, rotation(&admin, &key).await),
                before,
                "{method} {path}"
            );
        }
        for key in [&old, &key] {
            key.api(&admin).get(ME).await.expect(200);
        }
    }

    async fn the_answer_is_what_would_be(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        let new = json!({ "name": "new", "role_ids": [KEY_MANAGER] });
        let created = send(&admin, Method::POST, &format!("{KEYS}?"), new).await.expect(200);
        assert_eq!(created.body["name"], "new");
        assert_eq!(created.body["role_ids"], json!([KEY_MANAGER]));
        assert_eq!(created.header("location"), "");

        let patch = json!({ "description": "new" });
        let patched = send(&admin, Method::PATCH, &key.at("?"), patch).await.expect(200);
        assert_eq!(
            (&patched.body["id"], &patched.body["description"]),
            (&json!(key.id), &json!("new"))
        );

        let deleted = send(&admin, Method::DELETE, &key.at("?"), Value::Null).await.expect(200);
        assert_eq!(deleted.body["id"], key.id);

        let batch = json!({ "api_keys": [{ "name": "one" }, { "name": "" }] });
        let batch = send(&admin, Method::POST, &format!("{KEYS}/batch?"), batch).await.expect(200);
        assert_eq!((&batch.body["created"], &batch.body["refused"]), (&json!(1), &json!(1)));
    }

    async fn whatever_would_be_refused_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        without_the_person(&admin).await;
        let used = role(&admin, "used", &["a.b"]).await;
        let key = Key::holding(&admin, "CI", &[used]).await;
        let manager = Key::holding(&admin, "manager", &[KEY_MANAGER]).await.api(&admin);
        let nobody = Key::holding(&admin, "nobody", &[]).await.api(&admin);
        let list = admin.get(&format!("{KEYS}?role_id={ADMINISTRATOR}")).await.expect(200);
        let first = format!("{KEYS}/{}", each(&list, "id")[0].as_str().unwrap());
        let before = everything(&admin).await;
        let named = |name: &str| json!({ "name": name });
        let climb = json!({ "name": "climb", "role_ids": [ADMINISTRATOR] });
        let unknown = json!({ "name": "CI", "role_ids": [999] });

        for (api, method, path, body, status) in [
            (&nobody, Method::POST, format!("{KEYS}?"), named("CI"), 403),
            (&manager, Method::POST, format!("{KEYS}?"), climb, 403),
            (&manager, Method::DELETE, format!("{first}?"), Value::Null, 403),
            (&manager, Method::POST, format!("{first}/rotate?"), json!({}), 403),
            (&manager, Method::POST, format!("{ROLES}?"), named("new"), 403),
            (&admin, Method::POST, format!("{KEYS}?"), unknown, 422),
            (&admin, Method::POST, format!("{KEYS}?"), json!({ "name": "CI", "x": 1 }), 400),
            (&admin, Method::PATCH, key.at("?"), named(""), 422),
            (&admin, Method::POST, key.at("/rotation/finish?"), Value::Null, 409),
            (&admin, Method::PATCH, format!("{first}?"), json!({ "enabled": false }), 409),
            (&admin, Method::DELETE, format!("{first}?"), Value::Null, 409),
            (&admin, Method::POST, format!("{ROLES}?"), named("USED"), 409),
            (&admin, Method::PATCH, format!("{ROLES}/1?"), named("mine"), 409),
            (&admin, Method::DELETE, format!("{ROLES}/{used}?"), Value::Null, 409),
            (&admin, Method::DELETE, format!("{ROLES}/999?"), Value::Null, 404),
            (&admin, Method::DELETE, format!("{KEYS}/{}?", super::verify::NO_ID), Value::Null, 404),
        ] {
            let answer = send(api, method.clone(), &path, body).await;
            assert_eq!(answer.status, status, "{method} {path}: {answer}");
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn only_true_and_false_are_understood(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;
        let before = everything(&admin).await;

        for value in ["", "yes", "1", "TRUE"] {
            let answer = admin.delete(&key.at(&format!("?dry_run={value}"))).await.expect(422);
            assert_eq!(pointers(&answer), ["dry_run"], "{value}");
        }
        admin.delete(&key.at("?dry_run=true&dry_run=false")).await.expect(400);
        // A misspelt one must not be the real thing.
        admin.delete(&key.at("?dryrun=true")).await.expect(400).problem("unknown_fields");

        assert_eq!(everything(&admin).await, before);
        admin.delete(&key.at("?dry_run=false")).await.expect(204);
    }

    async fn reading_knows_no_dry_run(database: Database) {
        let (_server, admin) = started(&database).await;

        for path in [KEYS, ROLES, EVENTS, ME] {
            admin.get(&format!("{path}?dry_run=true")).await.expect(400).problem("unknown_fields");
        }
    }
}

/// Sends a change that is not to be made; `path` ends where `dry_run` begins.
async fn send(api: &Api, method: Method, path: &str, body: Value) -> Answer {
    let request = api.request(method, &format!("{path}dry_run=true"));
    Answer::to(if body.is_null() { request } else { request.json(&body) }).await.unwrap()
}

async fn rotation(admin: &Api, key: &Key) -> Value {
    admin.get(&key.at("/rotation")).await.expect(200).body
}

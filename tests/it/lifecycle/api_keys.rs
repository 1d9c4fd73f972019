//! The whole life of a key, and what is left of it.

mod rotation;

use acceptance::{Api, Caller, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::{EVENTS, KEYS, ME, VERIFIER, VERIFY, code, each, head};

on_each_database! {
    async fn a_key_opens_what_its_role_allows_in_the_header_and_as_a_bearer(database: Database) {
        let (_server, admin) = started(&database).await;

        let created = admin.post(KEYS, json!({ "name": "CI", "role_ids": [VERIFIER] })).await;
        let created = created.expect(201);
        let key = Key::of(&created);

        let random = key.secret.strip_prefix("ks_").unwrap();
        assert_eq!(random.len(), 49, "{created}");
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{created}");
        assert_eq!(created.text_of("key_prefix"), &key.secret[..9]);
        assert_eq!(created.header("location"), key.at(""));
        assert_eq!(created.header("cache-control"), "no-store");
        assert!(!created.header("etag").is_empty(), "{created}");
        for caller in [Caller::Header(key.secret.clone()), Caller::Bearer(key.secret.clone())] {
            let holder = admin.with(caller);
            assert_eq!(holder.get(ME).await.expect(200).body["credential"]["id"], key.id);
            assert_eq!(code(&holder, &key.secret).await, "valid");
            let refused = holder.get(KEYS).await.expect(403).problem("insufficient_permissions");
            assert!(refused.text_of("detail").contains("keystile.api_keys.read"), "{refused}");
        }
    }

    async fn a_key_without_roles_authenticates_and_may_do_nothing(database: Database) {
        let (_server, admin) = started(&database).await;

        let holder = Key::made(&admin, json!({ "name": "nobody" })).await.api(&admin);

        let me = holder.get(ME).await.expect(200);
        assert_eq!(me.body["permissions"], json!([]));
        for path in [KEYS, "/api/v1/roles", EVENTS] {
            holder.get(path).await.expect(403).problem("insufficient_permissions");
        }
        holder.post(VERIFY, json!({ "credential": "x" })).await.expect(403);
    }

    async fn the_secret_is_in_one_answer_and_never_again(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[VERIFIER]).await;

        let patched = admin.patch(&key.at(""), json!({ "name": "other" })).await.expect(200);
        let verify = json!({ "credential": key.secret, "explain": true });
        for answer in [
            patched,
            admin.get(&key.at("")).await.expect(200),
            admin.get(KEYS).await.expect(200),
            admin.get(EVENTS).await.expect(200),
            admin.post(VERIFY, verify).await.expect(200),
            key.api(&admin).get(ME).await.expect(200),
        ] {
            assert!(!answer.text.contains(&key.secret[9..]), "{answer}");
        }
    }

    async fn a_disabled_key_is_refused_at_once_and_works_again_once_enabled(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        admin.patch(&key.at(""), json!({ "enabled": false })).await.expect(200);
        key.api(&admin).get(ME).await.expect(401).problem("invalid_credential");
        assert_eq!(code(&admin, &key.secret).await, "disabled");

        admin.patch(&key.at(""), json!({ "enabled": true })).await.expect(200);
        key.api(&admin).get(ME).await.expect(200);
        assert_eq!(code(&admin, &key.secret).await, "valid");
    }

    async fn a_deleted_key_is_refused_at_once_and_verify_says_who_when_and_why(database: Database) {
        let (_server, admin) = started(&database).await;
        let old = Key::holding(&admin, "CI", &[VERIFIER]).await;
        let new = rotated(&admin, &old, 600).await;
        let me = admin.get(ME).await.expect(200);

        admin.delete(&old.at("?reason=moved%20to%20vault")).await.expect(204);

        admin.get(&old.at("")).await.expect(404).problem("not_found");
        admin.delete(&old.at("")).await.expect(404);
        for key in [&old, &new] {
            key.api(&admin).get(ME).await.expect(401).problem("invalid_credential");
            let verdict = admin.post(VERIFY, json!({ "credential": key.secret })).await.expect(200);
            let deleted = &verdict.body["deleted"];
            assert_eq!(verdict.body["valid"], false, "{verdict}");
            assert_eq!(verdict.body["code"], "deleted", "{verdict}");
            assert_eq!(deleted["id"], old.id);
            assert_eq!(deleted["name"], "CI");
            assert_eq!(deleted["reason"], "moved to vault");
            assert_eq!(deleted["deleted_by"], me.body["principal"]);
            assert!(deleted["deleted_at"].is_string(), "{verdict}");
        }
    }

    async fn from_outside_deleted_disabled_and_expired_look_like_unknown(database: Database) {
        let (_server, admin) = started(&database).await;
        let [deleted, disabled, expired] = [
            Key::holding(&admin, "deleted", &[]).await,
            Key::holding(&admin, "disabled", &[]).await,
            Key::holding(&admin, "expired", &[]).await,
        ];
        admin.delete(&deleted.at("")).await.expect(204);
        admin.patch(&disabled.at(""), json!({ "enabled": false })).await.expect(200);
        rotated(&admin, &expired, 0).await;
        let refusal = async |secret: &str| {
            let answer = admin.with(Caller::Header(secret.to_owned())).get(ME).await.expect(401);
            let mut body = answer.body.clone();
            body["request_id"] = Value::Null;
            (body, answer.header("www-authenticate").to_owned())
        };

        let unknown = refusal(super::verify::UNKNOWN).await;

        for secret in ["junk", &deleted.secret, &disabled.secret, &expired.secret] {
            assert_eq!(refusal(secret).await, unknown, "{secret}");
        }
    }

    async fn all_keys_of_one_external_id_are_deleted_and_no_other(database: Database) {
        let (_server, admin) = started(&database).await;
        let named = async |name: &str, external_id: &str| {
            Key::made(&admin, json!({ "name": name, "external_id": external_id })).await
        };
        let gone = [named("one", "crm-1").await, named("two", "crm-1").await];
        let stay = [named("three", "CRM-1").await, named("four", "crm-11").await];

        let path = format!("{KEYS}?external_id=crm-1&reason=left");
        let deleted = admin.delete(&path).await.expect(200);

        assert_eq!(each(&deleted, "id"), gone.each_ref().map(|key| key.id.clone()));
        for key in &gone {
            key.api(&admin).get(ME).await.expect(401);
            assert_eq!(code(&admin, &key.secret).await, "deleted");
        }
        for key in &stay {
            key.api(&admin).get(ME).await.expect(200);
        }
        assert_eq!(each(&admin.delete(&path).await.expect(200), "id"), Vec::<Value>::new());
        admin.delete(KEYS).await.expect(422);
    }

    async fn each_change_is_in_the_log_with_before_and_after(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[VERIFIER]).await;
        for patch in
            [json!({ "name": "new" }), json!({ "enabled": false }), json!({ "enabled": true })]
        {
            admin.patch(&key.at(""), patch).await.expect(200);
        }
        rotated(&admin, &key, 60).await;
        admin.post(&key.at("/rotation/extend"), json!({ "overlap_seconds": 90 })).await.expect(200);
        admin.post(&key.at("/rotation/finish"), json!({})).await.expect(200);
        admin.delete(&key.at("")).await.expect(204);

        let log = admin.get(&format!("{EVENTS}?target_id={}&sort=seq", key.id)).await.expect(200);

        let actions = ["created", "updated", "disabled", "enabled", "rotated"];
        let last = ["rotation_extended", "rotation_finished", "deleted"];
        let actions = actions.iter().chain(&last).map(|action| format!("api_key.{action}"));
        assert_eq!(each(&log, "action"), actions.collect::<Vec<_>>());
        let (mut before, mut after) = (each(&log, "before"), each(&log, "after"));
        for at in [4, 5, 6] {
            let end = "old_secret_expires_at";
            assert_ne!(after[at][end], before[at][end], "a rotation moves the old secret's end");
        }
        for shown in before.iter_mut().chain(&mut after).filter_map(Value::as_object_mut) {
            shown.remove("old_secret_expires_at");
        }
        assert_eq!(before[0], Value::Null);
        assert_eq!(before[1..], after[..7], "each begins where the one before it ended");
        assert_eq!(after[7], Value::Null);
        assert_eq!((&after[0]["name"], &after[1]["name"]), (&json!("CI"), &json!("new")));
        assert_eq!((&after[2]["enabled"], &after[3]["enabled"]), (&json!(false), &json!(true)));
        assert_ne!(before[4]["key_prefix"], after[4]["key_prefix"]);
        head(&admin).await;
    }
}

/// The key with a new secret.
async fn rotated(admin: &Api, key: &Key, overlap_seconds: i64) -> Key {
    let overlap = json!({ "overlap_seconds": overlap_seconds });
    Key::of(&admin.post(&key.at("/rotate"), overlap).await.expect(200))
}

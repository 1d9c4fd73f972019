//! Users over the API: made, seen, changed.

mod lists;

use acceptance::{Answer, Database, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUDITOR, Account, NO_ID, USERS, VERIFIER, actions, each, head, key, pointers};

on_each_database! {
    async fn a_user_is_shown_as_it_was_made_and_without_a_password(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({
            "username": "Ann",
            "display_name": "Ann Smith",
            "email": "ann@example.com",
            "password": super::PASSWORD,
            "role_ids": [VERIFIER],
            "external_id": "crm-1",
            "metadata": { "team": "billing" },
        });

        let made = admin.post(USERS, new).await.expect(201);

        let id = made.text_of("id");
        assert_eq!(made.header("location"), format!("{USERS}/{id}"));
        assert_eq!(made.header("etag"), "\"1\"");
        let shown = admin.get(&format!("{USERS}/{id}")).await.expect(200);
        assert_eq!(shown.body, made.body);
        let mut body = shown.body.clone();
        for time in ["created_at", "updated_at"] {
            body.as_object_mut().unwrap().remove(time).unwrap();
        }
        assert_eq!(
            body,
            json!({
                "id": id,
                "username": "Ann",
                "display_name": "Ann Smith",
                "email": "ann@example.com",
                "enabled": true,
                "is_service_account": false,
                "role_ids": [VERIFIER],
                "rate_limits": [],
                "external_id": "crm-1",
                "metadata": { "team": "billing" },
            })
        );
        let log = admin.get(&format!("{}?target_id={id}", super::EVENTS)).await.expect(200);
        assert_eq!(each(&log, "action"), ["user.created"]);
        assert!(!log.text.contains(super::PASSWORD));
    }

    async fn the_least_that_a_user_needs_is_a_name(database: Database) {
        let (_server, admin) = started(&database).await;

        let made = admin.post(USERS, json!({ "username": "ann" })).await.expect(201);

        assert_eq!(made.body["enabled"], true);
        assert_eq!(made.body["is_service_account"], false);
        assert_eq!(made.body["role_ids"], json!([]));
        admin.post(USERS, json!({})).await.expect(422);
    }

    async fn names_that_look_the_same_belong_to_one_user(database: Database) {
        let (_server, admin) = started(&database).await;
        Account::made(&admin, json!({ "username": "John" })).await;
        Account::made(&admin, json!({ "username": "Andr\u{e9}" })).await;
        let other = Account::made(&admin, json!({ "username": "other" })).await;
        let before = head(&admin).await;

        for name in ["John", "john", "JOHN", "\u{ff4a}ohn", "Andre\u{301}", "ANDR\u{c9}", "Admin"] {
            let taken = admin.post(USERS, json!({ "username": name })).await.expect(409);
            assert_eq!(pointers(&taken.problem("conflict")), ["/username"], "{name}");
            let taken = admin.patch(&other.at(""), json!({ "username": name })).await.expect(409);
            assert_eq!(pointers(&taken.problem("conflict")), ["/username"], "{name}");
        }

        assert_eq!(head(&admin).await, before);
        // One's own name may change its case.
        admin.patch(&other.at(""), json!({ "username": "OTHER" })).await.expect(200);
    }

    async fn every_broken_rule_is_named(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = head(&admin).await;

        let wrong = json!({
            "username": " a",
            "display_name": "",
            "email": "nobody",
            "password": "a\tb",
            "role_ids": [0, 4],
            "external_id": "",
            "metadata": { "a": "x".repeat(5_000) },
        });
        let refused = admin.post(USERS, wrong).await.expect(422);
        assert_eq!(
            pointers(&refused),
            [
                "/username",
                "/display_name",
                "/email",
                "/password",
                "/role_ids/0",
                "/external_id",
                "/metadata",
            ]
        );
        for (member, value) in [("username", "jo\u{200b}hn"), ("username", "\u{202e}nhoj")] {
            let refused = admin.post(USERS, json!({ member: value })).await.expect(422);
            assert_eq!(pointers(&refused), ["/username"]);
        }
        let unknown_role = json!({ "username": "ann", "role_ids": [999] });
        assert_eq!(pointers(&admin.post(USERS, unknown_role).await.expect(422)), ["/role_ids"]);
        let unknown = json!({ "username": "ann", "password_hash": "x", "created_at": "x" });
        admin.post(USERS, unknown).await.expect(400).problem("unknown_fields");

        assert_eq!(head(&admin).await, before);
    }

    async fn a_patch_changes_what_it_names(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({
            "username": "ann",
            "display_name": "Ann",
            "email": "ann@example.com",
            "external_id": "crm-1",
            "role_ids": [VERIFIER],
            "metadata": { "team": "a", "floor": 3 },
        });
        let user = Account::made(&admin, new).await;

        let patch = json!({
            "username": "Anna",
            "display_name": null,
            "email": "anna@example.com",
            "external_id": null,
            "role_ids": [AUDITOR, VERIFIER],
            "metadata": { "floor": null, "desk": 7 },
        });
        let patched = admin.patch(&user.at(""), patch).await.expect(200);

        assert_eq!(patched.header("etag"), "\"2\"");
        for (member, value) in [
            ("username", json!("Anna")),
            ("display_name", Value::Null),
            ("email", json!("anna@example.com")),
            ("external_id", Value::Null),
            ("role_ids", json!([AUDITOR, VERIFIER])),
            ("metadata", json!({ "team": "a", "desk": 7 })),
        ] {
            assert_eq!(patched.body[member], value, "{member}");
        }
        assert_eq!(admin.get(&user.at("")).await.expect(200).body, patched.body);
        let life = actions(&admin, &format!("target_id={}", user.id)).await;
        assert_eq!(life, ["user.updated", "user.created"]);
    }

    async fn a_patch_that_changes_nothing_leaves_no_trace(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::made(&admin, json!({ "username": "ann" })).await;
        let before = head(&admin).await;

        for patch in [json!({}), json!({ "username": "ann", "enabled": true, "role_ids": [] })] {
            let patched = admin.patch(&user.at(""), patch).await.expect(200);
            assert_eq!(patched.header("etag"), "\"1\"");
        }

        assert_eq!(head(&admin).await, before);
    }

    async fn what_a_user_is_never_changes(database: Database) {
        let (_server, admin) = started(&database).await;
        let person = Account::made(&admin, json!({ "username": "ann" })).await;
        let program = Account::service(&admin, "bot", &[]).await;
        let before = head(&admin).await;

        for account in [&person, &program] {
            for value in [json!(true), json!(false), json!(null)] {
                let patch = json!({ "is_service_account": value });
                let refused = admin.patch(&account.at(""), patch).await.expect(422);
                assert_eq!(pointers(&refused), ["/is_service_account"]);
            }
            for member in ["id", "created_at", "version", "password_hash"] {
                let refused = admin.patch(&account.at(""), json!({ member: "x" })).await;
                refused.expect(400).problem("unknown_fields");
            }
        }
        for member in ["username", "enabled"] {
            let refused = admin.patch(&person.at(""), json!({ member: null })).await.expect(422);
            assert_eq!(pointers(&refused), [format!("/{member}")]);
        }

        assert_eq!(head(&admin).await, before);
    }

    async fn another_version_is_not_touched(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::made(&admin, json!({ "username": "ann" })).await;
        let send = async |method: Method, tag: &str| {
            let request = admin.request(method.clone(), &user.at("")).header("If-Match", tag);
            let request = match method {
                Method::PATCH => request.json(&json!({ "display_name": tag })),
                _ => request,
            };
            Answer::to(request).await.unwrap()
        };

        send(Method::PATCH, "\"2\"").await.expect(412).problem("precondition_failed");
        send(Method::DELETE, "\"2\"").await.expect(412).problem("precondition_failed");
        send(Method::PATCH, "\"1\"").await.expect(200);
        send(Method::DELETE, "\"1\"").await.expect(412);
        send(Method::DELETE, "\"2\"").await.expect(204);
        send(Method::DELETE, "*").await.expect(404).problem("not_found");
    }

    async fn a_repeated_create_makes_one_user(database: Database) {
        let (_server, admin) = started(&database).await;
        let send = async |body: Value| {
            let request = admin.request(Method::POST, USERS).header("Idempotency-Key", "hire-1");
            Answer::to(request.json(&body)).await.unwrap()
        };

        let first = send(json!({ "username": "ann", "password": super::PASSWORD })).await;
        let again = send(json!({ "username": "ann", "password": super::PASSWORD })).await;

        assert_eq!(first.expect(201).text, again.expect(201).text);
        let other = send(json!({ "username": "bob" })).await;
        other.expect(422).problem("idempotency_key_reused");
    }

    async fn a_dry_run_checks_everything_and_changes_nothing(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let reader = key(&admin, &[AUDITOR]).await;
        let before = (head(&admin).await, admin.get(USERS).await.expect(200).body);

        for (method, path, body, status) in [
            (Method::POST, USERS, json!({ "username": "bob" }), 200),
            (Method::POST, USERS, json!({ "username": "ANN" }), 409),
            (Method::POST, USERS, json!({ "username": "bob", "password": "short" }), 422),
            (Method::PATCH, &user.at(""), json!({ "enabled": false }), 200),
            (Method::PATCH, &user.at(""), json!({ "username": "admin" }), 409),
            (Method::DELETE, &user.at(""), Value::Null, 200),
            (Method::DELETE, &format!("{USERS}/{NO_ID}"), Value::Null, 404),
        ] {
            let send = async |api: &acceptance::Api| {
                let request = api.request(method.clone(), &format!("{path}?dry_run=true"));
                let request = if body.is_null() { request } else { request.json(&body) };
                Answer::to(request).await.unwrap()
            };
            let answer = send(&admin).await;
            assert_eq!(answer.status, status, "{method} {path}: {answer}");
            send(&reader).await.expect(403).problem("insufficient_permissions");
        }

        assert_eq!((head(&admin).await, admin.get(USERS).await.expect(200).body), before);
    }
}

//! Checking a credential on behalf of somebody who serves its holder.

mod endpoints;
mod rules;
mod strict;

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::{KEYS, ME, VERIFIER, VERIFY, code, each, moment, pointers, role, until_expired};

on_each_database! {
    async fn each_state_of_a_credential_has_its_code(database: Database) {
        let (_server, admin) = started(&database).await;
        let soon = moment(&admin, 3).await;
        let expired = Key::made(&admin, json!({ "name": "expired", "expires_at": soon })).await;
        let off = Key::made(&admin, json!({ "name": "off", "enabled": false })).await;
        let gone = Key::holding(&admin, "gone", &[]).await;
        admin.delete(&gone.at("")).await.expect(204);
        let valid = Key::holding(&admin, "valid", &[]).await;
        until_expired(&admin, &expired.secret).await;

        let mistyped = format!("{}{}", &valid.secret[..51], swapped(&valid.secret[51..]));
        for (secret, expected) in [
            (valid.secret.as_str(), "valid"),
            (UNKNOWN, "not_found"),
            (&mistyped, "malformed"),
            (&off.secret, "disabled"),
            (&gone.secret, "deleted"),
        ] {
            assert_eq!(code(&admin, secret).await, expected, "{secret}");
        }
        expired.api(&admin).get(ME).await.expect(401);
    }

    async fn whatever_is_no_key_is_malformed(database: Database) {
        let (_server, admin) = started(&database).await;

        for text in [
            "",
            " ",
            "x",
            "ks_",
            "\u{0}",
            "ks_\u{e4}",
            "Bearer x",
            "a.b.c",
            "' OR 1=1 --",
            "\r\n",
            &UNKNOWN[1..],
            &UNKNOWN[..51],
            &format!("{UNKNOWN} "),
            &format!("{UNKNOWN}0"),
            &UNKNOWN.to_uppercase(),
            &UNKNOWN.replace('_', "-"),
            &"k".repeat(60_000),
        ] {
            assert_eq!(code(&admin, text).await, "malformed", "{text:.99}");
        }
    }

    async fn a_valid_answer_tells_who_and_what(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*"]).await;
        let new = json!({
            "name": "CI",
            "role_ids": [billing],
            "external_id": "crm-1",
            "metadata": { "team": "billing" },
        });
        let key = Key::made(&admin, new).await;

        let verdict = ask(&admin, json!({ "credential": key.secret })).await;

        assert_eq!(
            verdict.body,
            json!({
                "valid": true,
                "code": "valid",
                "credential": {
                    "id": key.id,
                    "kind": "api_key",
                    "name": "CI",
                    "key_prefix": key.secret[..9],
                    "expires_at": null,
                    "external_id": "crm-1",
                    "metadata": { "team": "billing" },
                },
                "principal": { "kind": "api_key", "id": key.id, "name": "CI" },
                "roles": [{ "id": billing, "name": "billing" }],
                "permissions": ["invoices.*"],
                "rate_limits": [],
            })
        );
    }

    async fn a_question_that_means_nothing_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        for (member, value, pointer) in [
            ("permissions", json!(["a.b", "A"]), "/permissions/1"),
            ("permissions", json!(["a and b"]), "/permissions/0"),
            ("permissions", json!(""), "/permissions"),
            ("permissions", json!("a and"), "/permissions"),
            ("permissions", json!("a b"), "/permissions"),
            ("permissions", json!("(a"), "/permissions"),
            ("permissions", json!("a)"), "/permissions"),
            ("permissions", json!("a AND b"), "/permissions"),
            (
                "permissions",
                json!(format!("{}a{}", "(".repeat(17), ")".repeat(17))),
                "/permissions",
            ),
            ("permissions", json!(vec!["a.b"; 201]), "/permissions"),
            ("permissions", json!(1), "/permissions"),
            ("source", json!("cookie"), "/source"),
            ("source", json!("Header"), "/source"),
            ("transport", json!("https"), "/transport"),
            ("ip", json!("localhost"), "/ip"),
            ("ip", json!("10.0.0.0/8"), "/ip"),
            ("cost", json!(1_000_001), "/cost"),
            ("cost", json!(-1), "/cost"),
            ("endpoint", json!({ "method": "GET" }), "/endpoint/path"),
            ("endpoint", json!("/a"), "/endpoint"),
            ("explain", json!("yes"), "/explain"),
            ("credential", json!(null), "/credential"),
        ] {
            let mut question = json!({ "credential": key.secret });
            question[member] = value.clone();
            let answer = admin.post(VERIFY, question).await.expect(422);
            assert_eq!(pointers(&answer), [pointer], "{value}");
            assert!(!answer.text.contains(&key.secret), "{answer}");
        }
        let none = admin.post(VERIFY, json!({})).await.expect(422);
        assert_eq!(pointers(&none), ["/credential"]);
        let unknown = json!({ "credential": key.secret, "rate": 1 });
        admin.post(VERIFY, unknown).await.expect(400).problem("unknown_fields");
        assert_eq!(code_of(&admin, json!({ "credential": key.secret, "cost": 1 })).await, "valid");
    }

    async fn a_thousand_are_answered_in_order(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[VERIFIER]).await;
        let kinds = [
            (json!({ "credential": key.secret }), "valid"),
            (json!({ "credential": UNKNOWN }), "not_found"),
            (json!({ "credential": "x" }), "malformed"),
            (
                json!({ "credential": key.secret, "permissions": ["a.b"] }),
                "insufficient_permissions",
            ),
        ];
        let batch: Vec<_> = kinds.iter().cycle().take(1_000).collect();
        let checks: Vec<_> = batch.iter().map(|(question, _)| question).collect();

        let answer = admin.post(BATCH, json!({ "checks": checks })).await.expect(200);

        let codes: Vec<_> = batch.iter().map(|(_, code)| code).collect();
        assert_eq!(each(&answer, "code"), codes.iter().map(|code| json!(code)).collect::<Vec<_>>());
    }

    async fn a_batch_has_bounds_and_one_status(database: Database) {
        let (_server, admin) = started(&database).await;
        let check = json!({ "credential": "x" });

        for count in [0, 1_001] {
            let answer = admin.post(BATCH, json!({ "checks": vec![&check; count] })).await;
            assert_eq!(pointers(&answer.expect(422)), ["/checks"]);
        }
        for (member, value) in [("strict", json!(true)), ("ip", json!("x")), ("cost", json!(-5))] {
            let mut wrong = check.clone();
            wrong[member] = value;
            let answer = admin.post(BATCH, json!({ "checks": [check, wrong] })).await.expect(422);
            assert_eq!(pointers(&answer), [format!("/checks/1/{member}")]);
        }
    }

    async fn asking_takes_the_right_to_ask(database: Database) {
        let (_server, admin) = started(&database).await;
        let verifier = Key::holding(&admin, "verifier", &[VERIFIER]).await;
        let nobody = Key::holding(&admin, "nobody", &[]).await.api(&admin);
        let question = json!({ "credential": verifier.secret });
        let batch = json!({ "checks": [question] });

        verifier.api(&admin).post(VERIFY, question.clone()).await.expect(200);
        verifier.api(&admin).post(BATCH, batch.clone()).await.expect(200);
        for answer in [nobody.post(VERIFY, question).await, nobody.post(BATCH, batch).await] {
            let refused = answer.expect(403).problem("insufficient_permissions");
            assert!(refused.text_of("detail").contains("keystile.keys.verify"), "{refused}");
        }
        verifier.api(&admin).get(KEYS).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_switched_off_refuses_all_its_keys_until_it_is_on_again() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let provider = json!({ "name": "Second", "kind": "api_key" });
    let provider = admin.post(PROVIDERS, provider).await.expect(201);
    let at = format!("{PROVIDERS}/{}", provider.body["id"].as_str().unwrap());
    let new = json!({ "name": "CI", "provider": "second" });
    let key = Key::made(&admin, new.clone()).await;
    assert_eq!(code(&admin, &key.secret).await, "valid");

    admin.patch(&at, json!({ "enabled": false })).await.expect(200);
    assert_eq!(code(&admin, &key.secret).await, "provider_disabled");
    key.api(&admin).get(ME).await.expect(401).problem("invalid_credential");
    assert_eq!(pointers(&admin.post(KEYS, new).await.expect(422)), ["/provider"]);

    admin.patch(&at, json!({ "enabled": true })).await.expect(200);
    assert_eq!(code(&admin, &key.secret).await, "valid");
    key.api(&admin).get(ME).await.expect(200);
}

async fn ask(api: &Api, question: Value) -> Answer {
    api.post(VERIFY, question).await.expect(200)
}

async fn code_of(api: &Api, question: Value) -> String {
    ask(api, question).await.text_of("code").to_owned()
}

/// Another character of the same alphabet.
fn swapped(character: &str) -> &str {
    if character == "A" { "B" } else { "A" }
}

/// A well-formed key that nobody was given.
pub(super) const UNKNOWN: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
/// An id of nothing.
const PROVIDERS: &str = "/api/v1/providers";
pub(super) const NO_ID: &str = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";
const BATCH: &str = "/api/v1/verify/batch";

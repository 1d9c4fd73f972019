//! Changing a key by a merge patch (RFC 7396).

mod conditions;

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUDITOR, KEYS, VERIFIER, everything, head, pointers, role};

on_each_database! {
    async fn what_is_left_out_stays(database: Database) {
        let (_server, admin) = started(&database).await;
        for (member, value) in [
            ("name", json!("new")),
            ("description", json!("new")),
            ("role_ids", json!([AUDITOR])),
            ("expires_at", json!("2098-01-01T00:00:00Z")),
            ("enabled", json!(false)),
            ("allowed_ips", json!(["192.0.2.0/24"])),
            ("external_id", json!("new")),
            ("metadata", json!({ "team": "new" })),
        ] {
            let (key, before) = full(&admin).await;
            assert_ne!(before[member], value, "{member} is to change");

            let after = admin.patch(&key.at(""), json!({ member: value })).await.expect(200).body;

            assert_eq!(after[member], value);
            assert_eq!(without(&after, &[member]), without(&before, &[member]), "{member}");
        }
    }

    async fn null_clears_what_can_be_cleared(database: Database) {
        let (_server, admin) = started(&database).await;
        for (member, cleared) in [
            ("description", Value::Null),
            ("role_ids", json!([])),
            ("expires_at", Value::Null),
            ("allowed_ips", json!([])),
            ("external_id", Value::Null),
            ("metadata", json!({})),
        ] {
            let (key, before) = full(&admin).await;
            assert_ne!(before[member], cleared);

            admin.patch(&key.at(""), json!({ member: null })).await.expect(200);

            let after = admin.get(&key.at("")).await.expect(200).body;
            assert_eq!(after[member], cleared);
            assert_eq!(without(&after, &[member]), without(&before, &[member]), "{member}");
        }
    }

    async fn null_where_nothing_can_be_cleared_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;
        let before = everything(&admin).await;

        for member in ["name", "enabled"] {
            let patch = json!({ member: null, "description": "new" });
            let answer = admin.patch(&key.at(""), patch).await.expect(422);
            assert_eq!(pointers(&answer.problem("invalid_request")), [format!("/{member}")]);
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn metadata_merge_and_every_other_member_is_replaced(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({
            "name": "CI",
            "role_ids": [AUDITOR, VERIFIER],
            "allowed_ips": ["10.0.0.0/8"],
            "metadata": { "a": { "b": 1, "c": 2 }, "d": [1, 2], "e": 3 },
        });
        let key = Key::made(&admin, new).await;

        let patch = json!({
            "role_ids": [VERIFIER],
            "allowed_ips": ["192.0.2.1"],
            "metadata": { "a": { "b": null, "x": 4 }, "d": [3], "e": null, "f": { "g": null } },
        });
        let after = admin.patch(&key.at(""), patch).await.expect(200).body;

        assert_eq!(after["metadata"], json!({ "a": { "c": 2, "x": 4 }, "d": [3], "f": {} }));
        assert_eq!(after["role_ids"], json!([VERIFIER]));
        assert_eq!(after["allowed_ips"], json!(["192.0.2.1/32"]));
    }

    async fn members_that_cannot_be_changed_are_named_and_change_nothing(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;
        let before = everything(&admin).await;
        let other = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";

        for (member, value) in [
            ("id", json!(other)),
            ("key", json!(super::verify::UNKNOWN)),
            ("key_prefix", json!("ks_000000")),
            ("created_by", json!({ "kind": "user", "id": other, "name": "admin" })),
            ("created_by_id", json!(other)),
            ("created_at", json!("2020-01-01T00:00:00Z")),
            ("updated_at", json!("2020-01-01T00:00:00Z")),
            ("provider", json!("personal-access-tokens")),
            ("provider_id", json!(other)),
            ("version", json!(99)),
            ("digest", json!("00")),
            ("hash", json!("00")),
            ("roles", json!([1])),
            ("permissions", json!(["**"])),
            ("is_admin", json!(true)),
            ("owner_id", json!(other)),
            ("user_id", json!(other)),
            ("service_account_id", json!(other)),
            ("tenant", json!("other")),
            ("revoked_at", json!(null)),
            ("Name", json!("new")),
        ] {
            let patch = json!({ "description": "new", member: value });
            let answer = admin.patch(&key.at(""), patch).await.expect(400);
            let answer = answer.problem("unknown_fields");
            assert_eq!(pointers(&answer), [format!("/{member}")]);
            assert!(answer.text_of("detail").contains(member), "{answer}");
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_new_key_takes_nothing_that_is_not_its_makers_to_say(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;

        for member in ["id", "digest", "created_by", "owner", "user_id", "service_account_id", "roles"]
        {
            let answer = admin.post(KEYS, json!({ "name": "CI", member: "x" })).await.expect(400);
            assert_eq!(pointers(&answer.problem("unknown_fields")), [format!("/{member}")]);
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_body_that_is_no_object_is_no_patch(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;
        let before = everything(&admin).await;

        for body in [json!([]), json!(["new"]), json!("new"), json!(null), json!(1), json!([[]])] {
            let answer = admin.patch(&key.at(""), body.clone()).await;
            assert_eq!(answer.status, 422, "{body}: {answer}");
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn every_broken_rule_is_told_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;

        let patch = json!({
            "name": "",
            "description": "a\u{0}b",
            "role_ids": [VERIFIER, -1],
            "expires_at": "tomorrow",
            "allowed_ips": ["10.0.0.1/8"],
            "external_id": " x",
            "rate_limits": [{ "limit": 0, "window_seconds": 1 }],
            "quota": { "limit": 1, "refill": "week" },
        });
        let answer = admin.patch(&key.at(""), patch).await.expect(422).problem("invalid_request");

        let mut pointers = pointers(&answer);
        pointers.sort_unstable();
        let broken = ["/allowed_ips/0", "/description", "/expires_at", "/external_id", "/name"];
        assert_eq!(pointers, [&broken[..], &["/quota/refill", "/rate_limits/0/limit", "/role_ids/1"]].concat());
    }

    async fn an_unknown_role_and_an_end_in_the_past_are_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;
        let before = everything(&admin).await;

        for (member, value) in
            [("role_ids", json!([999])), ("expires_at", json!("2020-01-01T00:00:00Z"))]
        {
            for answer in [
                admin.patch(&key.at(""), json!({ member: value })).await,
                admin.post(KEYS, json!({ "name": "CI", member: value })).await,
            ] {
                assert_eq!(pointers(&answer.expect(422)), [format!("/{member}")]);
            }
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_patch_that_changes_nothing_is_no_change(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, shown) = full(&admin).await;
        let (before, tag) = (head(&admin).await, tag(&admin, &key).await);

        for patch in [json!({}), json!({ "name": shown["name"], "metadata": {} })] {
            let answer = admin.patch(&key.at(""), patch).await.expect(200);
            assert_eq!(answer.body, shown);
            assert_eq!(answer.header("etag"), tag);
        }

        assert_eq!(head(&admin).await, before);
    }

    async fn a_merge_patch_has_a_media_type_of_its_own(database: Database) {
        let (_server, admin) = started(&database).await;
        let (key, _) = full(&admin).await;
        let send = async |method: Method, path: &str, kind: &str| {
            let request = admin.request(method, path).header("content-type", kind);
            Answer::to(request.body(r#"{"name":"new"}"#)).await.unwrap()
        };

        for kind in
            ["application/merge-patch+json", "application/json", "Application/JSON; charset=utf-8"]
        {
            send(Method::PATCH, &key.at(""), kind).await.expect(200);
        }
        for kind in ["text/plain", "application/json-patch+json", ""] {
            let answer = send(Method::PATCH, &key.at(""), kind).await.expect(415);
            answer.problem("unsupported_media_type");
        }
        send(Method::POST, KEYS, "application/merge-patch+json").await.expect(415);
    }
}

/// A key with a value in every member, and how it is shown.
async fn full(admin: &Api) -> (Key, Value) {
    let head = head(admin).await;
    let role = role(admin, &format!("role {}", head["seq"]), &["a.b"]).await;
    let new = json!({
        "name": "CI",
        "description": "pipeline",
        "role_ids": [role, VERIFIER],
        "expires_at": "2099-01-01T00:00:00Z",
        "allowed_ips": ["10.0.0.0/8"],
        "external_id": "crm-1",
        "metadata": { "team": "billing" },
    });
    let key = Key::made(admin, new).await;
    let shown = admin.get(&key.at("")).await.expect(200).body;
    (key, shown)
}

fn without(shown: &Value, members: &[&str]) -> Value {
    let mut shown = shown.clone();
    shown
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "updated_at" && !members.contains(&&**name));
    shown
}

async fn tag(admin: &Api, key: &Key) -> String {
    admin.get(&key.at("")).await.expect(200).header("etag").to_owned()
}

//! Many keys in one transaction, answered key by key.

use std::collections::HashSet;

use acceptance::{Api, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::{
    ADMINISTRATOR, EVENTS, KEY_MANAGER, KEYS, ME, VERIFIER, each, everything, head, pointers, role,
};

on_each_database! {
    async fn ten_thousand_are_made_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = head(&admin).await["seq"].as_i64().unwrap();
        let names: Vec<_> = (0..10_000).map(|n| format!("key {n}")).collect();
        let keys: Vec<_> =
            names.iter().map(|name| json!({ "name": name, "role_ids": [VERIFIER] })).collect();

        let made = admin.post(BATCH, json!({ "api_keys": keys })).await.expect(200);

        assert_eq!((&made.body["created"], &made.body["refused"]), (&json!(10_000), &json!(0)));
        assert_eq!(made.header("cache-control"), "no-store");
        assert_eq!(each(&made, "name"), names, "in the order of the request");
        for member in ["id", "key"] {
            let values = each(&made, member);
            let distinct: HashSet<_> = values.iter().filter_map(Value::as_str).collect();
            assert_eq!(distinct.len(), 10_000, "{member}");
        }
        for at in [0, 4_999, 9_999] {
            let secret = made.body["data"][at]["key"].as_str().unwrap().to_owned();
            let me = admin.with(acceptance::Caller::Header(secret)).get(ME).await.expect(200);
            assert_eq!(me.body["principal"]["name"], names[at]);
        }
        let list = admin.get(&format!("{KEYS}?name=key*&limit=1")).await.expect(200);
        assert_eq!(list.body["total"], 10_000);
        let events = admin.get(&format!("{EVENTS}?action=api_key.created&limit=1")).await;
        assert_eq!(events.expect(200).body["total"], 10_001);
        assert_eq!(head(&admin).await["seq"], before + 10_000);
    }

    async fn a_key_that_breaks_a_rule_is_refused_alone_with_its_place(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = Key::holding(&admin, "manager", &[KEY_MANAGER]).await.api(&admin);
        let billing = role(&admin, "billing", &["invoices.*"]).await;

        let keys = json!([
            { "name": "first", "role_ids": [billing] },
            { "name": "", "allowed_ips": ["10.0.0.0/8", "x"] },
            { "name": "unknown role", "role_ids": [999] },
            { "name": "climbs", "role_ids": [ADMINISTRATOR] },
            { "name": "over", "expires_at": "2020-01-01T00:00:00Z" },
            { "name": "nobody's", "provider": "nobody" },
            { "name": "limited", "rate_limits": [{ "limit": 0, "window_seconds": 1 }] },
            { "name": "last" },
        ]);
        let made = manager.post(BATCH, json!({ "api_keys": keys })).await.expect(200);

        assert_eq!((&made.body["created"], &made.body["refused"]), (&json!(2), &json!(6)));
        let codes = ["invalid_request", "invalid_request", "ceiling_exceeded"];
        for (at, (status, code, broken)) in [
            (422, codes[0], &["/name", "/allowed_ips/1"][..]),
            (422, codes[0], &["/role_ids"]),
            (403, codes[2], &[]),
            (422, codes[0], &["/expires_at"]),
            (422, codes[0], &["/provider"]),
            (422, codes[0], &["/rate_limits/0/limit"]),
        ]
        .into_iter()
        .enumerate()
        {
            let refused = &made.body["data"][at + 1];
            let pointer = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
            let told: Vec<_> = refused["errors"].as_array().unwrap().iter().map(pointer).collect();
            let broken = broken.iter().map(|member| format!("/api_keys/{}{member}", at + 1));
            assert_eq!((&refused["status"], &refused["code"]), (&json!(status), &json!(code)));
            assert_eq!(told, broken.collect::<Vec<_>>(), "{refused}");
            assert_eq!(refused["key"], Value::Null);
        }
        for at in [0, 7] {
            let secret = made.body["data"][at]["key"].as_str().unwrap().to_owned();
            admin.with(acceptance::Caller::Header(secret)).get(ME).await.expect(200);
        }
        let list = admin.get(&format!("{KEYS}?sort=name&limit=100")).await.expect(200);
        assert_eq!(each(&list, "name"), ["first", "First administrator", "last", "manager"]);
        head(&admin).await;
    }

    async fn none_and_too_many_are_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;

        for count in [0, 10_001] {
            let keys = vec![json!({ "name": "x" }); count];
            let answer = admin.post(BATCH, json!({ "api_keys": keys })).await.expect(422);
            assert_eq!(pointers(&answer.problem("invalid_request")), ["/api_keys"]);
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn what_cannot_be_understood_stops_the_whole_batch(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;

        for (body, status, pointer) in [
            (
                json!({ "api_keys": [{ "name": "x" }, { "name": "y", "colour": 1 }] }),
                400,
                "/api_keys/1/colour",
            ),
            (json!({ "api_keys": [{ "name": "x" }, { "name": 1 }] }), 422, "/api_keys/1/name"),
            (json!({ "api_keys": [{ "name": "x" }, {}] }), 422, "/api_keys/1/name"),
            (json!({ "api_keys": { "name": "x" } }), 422, "/api_keys"),
            (json!({}), 422, "/api_keys"),
            (json!({ "api_keys": [], "keys": [] }), 400, "/keys"),
        ] {
            let answer = admin.post(BATCH, body).await.expect(status);
            assert_eq!(pointers(&answer), [pointer]);
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_batch_without_any_good_key_is_no_change(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;

        let made = admin.post(BATCH, json!({ "api_keys": [{ "name": "" }] })).await.expect(200);

        assert_eq!((&made.body["created"], &made.body["refused"]), (&json!(0), &json!(1)));
        assert_eq!(everything(&admin).await, before);
    }

    async fn a_batch_takes_the_right_to_write_keys(database: Database) {
        let (_server, admin) = started(&database).await;
        let verifier = Key::holding(&admin, "verifier", &[VERIFIER]).await.api(&admin);
        let before = everything(&admin).await;

        let refused = one(&verifier).await.expect(403).problem("insufficient_permissions");

        assert!(refused.text_of("detail").contains("keystile.api_keys.write"), "{refused}");
        assert_eq!(everything(&admin).await, before);
    }
}

async fn one(api: &Api) -> acceptance::Answer {
    api.post(BATCH, json!({ "api_keys": [{ "name": "x" }] })).await
}

const BATCH: &str = "/api/v1/api-keys/batch";

//! Limits as members: what is taken, what is refused and where, and what the audit log says.

use acceptance::{Database, Options, Server, on_each_database};
use serde_json::{Value, json};

use super::KEYS;

on_each_database! {
    async fn limits_are_kept_shown_and_audited(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let admin = server.admin();
        let limits = json!([
            { "limit": 100, "window_seconds": 60 },
            { "name": "a-day", "limit": 1_000_000_000, "window_seconds": 2_678_400 },
        ]);
        let new = json!({
            "name": "k",
            "rate_limits": limits,
            "quota": { "limit": 10, "refill": "month", "remaining": 4 },
        });
        let made = admin.post(KEYS, new).await.expect(201);
        let path = format!("{KEYS}/{}", made.text_of("id"));
        assert_eq!(made.body["rate_limits"][0]["name"], "default");
        assert_eq!(made.body["rate_limits"][1], limits[1]);
        let quota = json!({ "limit": 10, "refill": "month", "remaining": 4 });
        assert_eq!(made.body["quota"], quota);
        for body in [
            &admin.get(&path).await.expect(200).body,
            &admin.get(KEYS).await.expect(200).body["data"][0],
        ] {
            assert_eq!((&body["quota"], &body["rate_limits"]), (&quota, &made.body["rate_limits"]));
        }

        let patch = json!({ "quota": { "limit": 20, "refill": "month" }, "rate_limits": [] });
        let patched = admin.patch(&path, patch.clone()).await.expect(200);
        assert_eq!(patched.body["quota"]["remaining"], 14, "six are used");
        let same = admin.patch(&path, patch).await.expect(200);
        assert_eq!(same.header("etag"), patched.header("etag"), "nothing was changed");
        let events = format!("/api/v1/audit-events?target_id={}", made.text_of("id"));
        let events = admin.get(&events).await.expect(200).body;
        let (before, after) = (&events["data"][0]["before"], &events["data"][0]["after"]);
        assert_eq!(before["rate_limits"], made.body["rate_limits"]);
        assert_eq!((&before["quota"]["limit"], &after["quota"]["limit"]), (&json!(10), &json!(20)));
        assert_eq!(after["rate_limits"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_are_none_are_refused_where_they_are_wrong() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let admin = server.admin();
    let made = admin.post(KEYS, json!({ "name": "k" })).await.expect(201);
    let path = format!("{KEYS}/{}", made.text_of("id"));
    let limit = |name: &str, limit: i64, window: i64| json!([{ "name": name, "limit": limit, "window_seconds": window }]);
    let quota = |limit: i64, refill: &str, remaining: Value| json!({ "limit": limit, "refill": refill, "remaining": remaining });
    let many = vec![json!({ "name": "x", "limit": 1, "window_seconds": 1 }); 11];
    for (member, value, pointer) in [
        ("rate_limits", limit("a", 0, 1), "/rate_limits/0/limit"),
        ("rate_limits", limit("a", 1_000_000_001, 1), "/rate_limits/0/limit"),
        ("rate_limits", limit("a", 1, 0), "/rate_limits/0/window_seconds"),
        ("rate_limits", limit("a", 1, 2_678_401), "/rate_limits/0/window_seconds"),
        ("rate_limits", limit("A b", 1, 1), "/rate_limits/0/name"),
        ("rate_limits", limit("quota", 1, 1), "/rate_limits/0/name"),
        ("rate_limits", json!(many[..2]), "/rate_limits"),
        ("rate_limits", json!(many), "/rate_limits"),
        ("quota", quota(-1, "none", Value::Null), "/quota/limit"),
        ("quota", quota(1_000_000_000_001, "none", Value::Null), "/quota/limit"),
        ("quota", quota(1, "week", Value::Null), "/quota/refill"),
        ("quota", quota(1, "day", json!(2)), "/quota/remaining"),
        ("quota", quota(1, "day", json!(-1)), "/quota/remaining"),
    ] {
        let new = json!({ "name": "k", member: value });
        for refused in [
            admin.post(KEYS, new).await.expect(422).problem("invalid_request"),
            admin.patch(&path, json!({ member: value })).await.expect(422),
        ] {
            let errors = refused.body["errors"].as_array().unwrap();
            assert_eq!(errors.len(), 1, "{refused}");
            assert_eq!(errors[0]["pointer"], pointer, "{refused}");
        }
    }
    let user = json!({ "username": "u", "rate_limits": limit("a", 0, 1) });
    let refused = admin.post("/api/v1/users", user).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/rate_limits/0/limit");
    let missing = json!({ "name": "k", "quota": { "limit": 1 } });
    admin.post(KEYS, missing).await.expect(422);
    let batch = json!({ "api_keys": [
        { "name": "a", "quota": { "limit": 5, "refill": "none" } },
        { "name": "b", "rate_limits": limit("a", 0, 1) },
    ] });
    let batch = admin.post(&format!("{KEYS}/batch"), batch).await.expect(200).body;
    assert_eq!(batch["data"][0]["quota"]["remaining"], 5, "{batch}");
    assert_eq!(batch["data"][1]["errors"][0]["pointer"], "/api_keys/1/rate_limits/0/limit");
}

//! Insights: a running server tells which keys nobody uses, and what the others would have needed.

use acceptance::{Caller, Database, Key, Options, Server, on_each_database, started, until};
use serde_json::{Value, json};

on_each_database! {
    async fn what_a_key_needed_is_told_wherever_it_was_asked(database: Database) {
        let (server, admin) = started(&database).await;
        let role = json!({
            "name": "wide",
            "permissions": ["invoices.**", "reports.read", "keystile.api_keys.*"],
            "endpoints": [{ "methods": ["*"], "path": "/a/**" }, { "methods": ["*"], "path": "/b" }],
        });
        let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].clone();
        let key = Key::made(&admin, json!({ "name": "wide", "role_ids": [role] })).await;

        let question = json!({ "credential": key.secret, "permissions": ["invoices.read"] });
        admin.post("/api/v1/verify", question).await.expect(200);
        let api = server.api(key.caller());
        api.get("/api/v1/api-keys").await.expect(200);
        let gateway = api
            .request(reqwest::Method::GET, "/api/v1/forward-auth/caddy")
            .header("X-Forwarded-Method", "PUT")
            .header("X-Forwarded-Uri", "/a/1?x=y");
        assert_eq!(gateway.send().await.unwrap().status(), 200);

        let expected = json!({
            "unexercised_permissions": ["reports.read"],
            "unexercised_endpoints": [{ "methods": ["*"], "path": "/b" }],
            "sufficient_permissions": ["invoices.read", "keystile.api_keys.read"],
            "sufficient_endpoints": [{ "methods": ["PUT"], "path": "/a/**" }],
            "spare_role_ids": [],
            "may_need_more": false,
        });
        let found = async || found(&admin.get(LIST).await.expect(200).body, "wide");
        until("all is written", async || told(&found().await) == expected).await;
        let insights = admin.get("/api/v1/insights?older_than_days=0").await.expect(200);
        assert_eq!(self::found(&insights.body["over_granted"], "wide"), found().await);
    }

    async fn what_was_needed_and_used_outlasts_a_restart(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let admin = server.admin();
        let role = json!({ "name": "r", "permissions": ["a", "b"] });
        let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].clone();
        let key = Key::made(&admin, json!({ "name": "used", "role_ids": [role] })).await;
        Key::made(&admin, json!({ "name": "never" })).await;
        let question = json!({ "credential": key.secret, "permissions": ["a"] });
        admin.post("/api/v1/verify", question).await.expect(200);

        let server = server.restart().await;

        let insights = "/api/v1/insights?older_than_days=0&unused_days=0";
        let insights = server.admin().get(insights).await.expect(200).body;
        assert_eq!(names(&insights["never_used"]), ["never"]);
        assert!(names(&insights["unused"]).contains(&"used"), "{insights}");
        let key = found(&insights["over_granted"], "used");
        assert_eq!(told(&key)["unexercised_permissions"], json!(["b"]));
    }

    async fn who_still_shows_an_old_secret_is_told(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "rotated" })).await;
        let overlap = json!({ "overlap_seconds": 600 });
        let rotated = admin.post(&key.at("/rotate"), overlap).await.expect(200);
        let new = server.api(Caller::Header(rotated.text_of("key").to_owned()));
        new.get("/api/v1/me").await.expect(200);
        let old = server.api(key.caller());
        for _ in 0..3 {
            old.get("/api/v1/me").await.expect(200);
        }

        let uses = async || admin.get(&key.at("/rotation")).await.expect(200).body["uses"].clone();
        until("they are written", async || uses().await[0]["count"] == 3).await;
        let uses = uses().await;
        assert_eq!(uses.as_array().unwrap().len(), 1, "{uses}");
        assert_eq!(uses[0]["address"], "127.0.0.1");
    }
}

/// What is told of a key, but for the key.
fn told(key: &Value) -> Value {
    let about = ["unexercised", "sufficient", "spare", "may_need"];
    let members = key.as_object().into_iter().flatten();
    let members = members.filter(|(name, _)| about.iter().any(|it| name.starts_with(it)));
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The key of this name in a list; `null` if there is none.
fn found(list: &Value, name: &str) -> Value {
    let mut keys = list["data"].as_array().unwrap().iter();
    keys.find(|key| key["name"] == name).cloned().unwrap_or_default()
}

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect()
}

const LIST: &str = "/api/v1/insights/over-granted?older_than_days=0";

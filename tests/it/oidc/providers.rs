//! Providers over the API: what they say, what may be changed, and who may.

mod settings;

use acceptance::{Answer, Api, Caller, Database, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUDIENCE, AUDITOR, EVENTS, KEYS, ME, PROVIDERS, Provider, USERS};

on_each_database! {
    async fn a_provider_is_made_shown_changed_and_deleted(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({
            "name": "Partner keys",
            "kind": "api_key",
            "prefix": "acme_",
            "key_length": 16,
            "encoding": "base64url",
            "default_expiry_minutes": 60,
        });

        let created = admin.post(PROVIDERS, new.clone()).await.expect(201);
        let path = created.header("location").to_owned();
        let shown = admin.get(&path).await.expect(200);
        assert_eq!(shown.body, created.body);
        assert_eq!(shown.header("etag"), created.header("etag"));
        assert_eq!(shown.body["identifier"], "partner-keys");
        for (member, value) in new.as_object().unwrap() {
            assert_eq!(&shown.body[member], value, "{member}");
        }
        assert_eq!(shown.body["max_expiry_minutes"], Value::Null);
        assert_eq!((&shown.body["enabled"], &shown.body["default"]), (&json!(true), &json!(false)));
        assert!(shown.body.get("authority").is_none() && shown.body.get("min_length").is_none());

        let patch = json!({ "name": "Partners", "default_expiry_minutes": null, "priority": -3 });
        let patched = admin.patch(&path, patch).await.expect(200);
        assert_ne!(patched.header("etag"), created.header("etag"));
        assert_eq!(patched.body["identifier"], "partner-keys", "it never changes");
        assert_eq!(patched.body["default_expiry_minutes"], Value::Null);
        let off = admin.patch(&path, json!({ "enabled": false })).await.expect(200);
        let on = admin.patch(&path, json!({ "enabled": true })).await.expect(200);
        assert_eq!(without(&on.body, "updated_at"), without(&patched.body, "updated_at"));
        assert_eq!(off.body["enabled"], false);
        admin.delete(&path).await.expect(204);
        admin.get(&path).await.expect(404).problem("not_found");

        let id = shown.text_of("id");
        let log = format!("{EVENTS}?target_kind=provider&target_id={id}&sort=seq");
        let log = admin.get(&log).await.expect(200);
        let actions = ["created", "updated", "disabled", "enabled", "deleted"];
        assert_eq!(each(&log, "action"), actions.map(|word| format!("provider.{word}")));
        let (before, after) = (each(&log, "before"), each(&log, "after"));
        assert_eq!((&before[0], &after[4]), (&Value::Null, &Value::Null));
        assert_eq!(before[1..], after[..4]);
        assert_eq!(after[0]["settings"]["prefix"], "acme_");
    }

    async fn keys_follow_the_provider_that_is_named_and_live_on_when_it_changes(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({ "name": "Short", "kind": "api_key", "prefix": "s_" });
        let provider = Provider::made(&admin, new).await;
        let key = admin.post(KEYS, json!({ "name": "k", "provider": "short" })).await.expect(201);
        let old = key.text_of("key").to_owned();
        assert!(old.starts_with("s_"), "{old}");

        provider.change(&admin, json!({ "prefix": "t_", "key_length": 64 })).await;
        let key = admin.post(KEYS, json!({ "name": "k", "provider": "short" })).await.expect(201);
        let new = key.text_of("key").to_owned();
        assert!(new.starts_with("t_") && new.len() > old.len(), "{new}");
        for secret in [&old, &new] {
            admin.with(Caller::Header(secret.clone())).get(ME).await.expect(200);
        }

        provider.change(&admin, json!({ "accept_bearer": false })).await;
        admin.with(Caller::Bearer(old.clone())).get(ME).await.expect(401);
        admin.with(Caller::Header(old.clone())).get(ME).await.expect(200);
        provider.change(&admin, json!({ "enabled": false })).await;
        admin.with(Caller::Header(old.clone())).get(ME).await.expect(401);
        provider.change(&admin, json!({ "enabled": true })).await;
        admin.with(Caller::Header(old)).get(ME).await.expect(200);

        let refused = admin.delete(&provider.path()).await.expect(409).problem("conflict");
        assert!(refused.text_of("detail").contains("that have not ended: 2"), "{refused}");
    }

    async fn one_provider_of_a_kind_is_the_default(database: Database) {
        let (_server, admin) = started(&database).await;
        let built_in = id_of(&admin, "api-keys").await;
        let new = json!({ "name": "Other", "kind": "api_key", "prefix": "o_", "default": true });
        let other = Provider::made(&admin, new).await;
        let is_default = async |id: &str| {
            let provider = admin.get(&format!("{PROVIDERS}/{id}")).await.expect(200);
            provider.body["default"].clone()
        };
        assert_eq!(is_default(&built_in).await, false);
        assert_eq!(is_default(&other.id).await, true);
        let key = admin.post(KEYS, json!({ "name": "k" })).await.expect(201);
        assert!(key.text_of("key").starts_with("o_"), "{key}");

        let unset = admin.patch(&other.path(), json!({ "default": false })).await.expect(422);
        assert_eq!(pointers(&unset), ["/default"]);
        let deleted = admin.delete(&key_path(&key)).await;
        deleted.expect(204);
        admin.delete(&other.path()).await.expect(409).problem("conflict");
        let built_in = format!("{PROVIDERS}/{built_in}");
        admin.patch(&built_in, json!({ "default": true })).await.expect(200);
        admin.delete(&other.path()).await.expect(204);
    }

    async fn the_provider_that_the_last_administrator_comes_by_stays(database: Database) {
        let (_server, admin) = started(&database).await;
        let local = format!("{PROVIDERS}/{}", id_of(&admin, "local").await);
        let keys = format!("{PROVIDERS}/{}", id_of(&admin, "api-keys").await);
        admin.patch(&local, json!({ "enabled": false })).await.expect(200);

        let refused = admin.patch(&keys, json!({ "enabled": false })).await.expect(409);
        refused.problem("conflict");
        admin.get(ME).await.expect(200);
        admin.patch(&local, json!({ "enabled": true })).await.expect(200);
        admin.patch(&keys, json!({ "enabled": false })).await.expect(200);
        admin.get(ME).await.expect(401);
    }

    async fn nobody_gives_roles_through_a_provider_that_are_beyond_them(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({ "name": "p", "permissions": ["keystile.providers.*"] });
        let role = admin.post("/api/v1/roles", new).await.expect(201).body["id"].clone();
        let key = admin.post(KEYS, json!({ "name": "p", "role_ids": [role] })).await.expect(201);
        let caller = admin.with(Caller::Header(key.text_of("key").to_owned()));
        let mapping = |role: i64| json!({ "role_claim": "g", "role_mapping": { "a": [role] } });
        let rules = |role: i64| {
            let rule = json!({ "claims": { "a": "b" }, "role_ids": [role], "max_minutes": 5 });
            json!({ "trust_rules": [rule] })
        };
        for more in [mapping(1), mapping(AUDITOR), rules(1), rules(AUDITOR)] {
            caller.post(PROVIDERS, oidc(&more)).await.expect(403).problem("ceiling_exceeded");
            let theirs = Provider::made(&admin, oidc(&more)).await;
            for patch in [json!({ "name": "mine" }), json!({ "role_mapping": {}, "trust_rules": [] })]
            {
                let refused = caller.patch(&theirs.path(), patch).await.expect(403);
                refused.problem("ceiling_exceeded");
            }
            caller.delete(&theirs.path()).await.expect(403).problem("ceiling_exceeded");
            let own = Provider::made(&caller, oidc(&json!({}))).await;
            let refused = caller.patch(&own.path(), more).await.expect(403);
            refused.problem("ceiling_exceeded");
        }
    }

    async fn what_a_dry_run_shows_is_not_done(database: Database) {
        let (_server, admin) = started(&database).await;
        let list = admin.get(PROVIDERS).await.expect(200).body;
        let path = format!("{PROVIDERS}/{}", id_of(&admin, "local").await);
        let tried = admin.post(&format!("{PROVIDERS}?dry_run=true"), oidc(&json!({}))).await;
        assert_eq!(tried.expect(200).body["identifier"], "company");
        let tried = admin.patch(&format!("{path}?dry_run=true"), json!({ "min_length": 20 })).await;
        assert_eq!(tried.expect(200).body["min_length"], 20);
        assert_eq!(admin.get(PROVIDERS).await.expect(200).body, list);
    }
}

#[tokio::test]
async fn identifiers_are_made_from_names_and_differ() {
    let (_server, admin) = started(&Database::Sqlite).await;
    for (name, identifier) in [
        ("Partner", "partner"),
        ("partner!", "partner-2"),
        ("PARTNER", "partner-3"),
        ("SSO", "sso-2"),
        ("Ünïcode", "n-code"),
        ("日本", "provider"),
        ("API keys", "api-keys-2"),
    ] {
        let made = admin.post(PROVIDERS, json!({ "name": name, "kind": "api_key" })).await;
        assert_eq!(made.expect(201).body["identifier"], identifier, "{name}");
    }
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let (_server, admin) = started(&Database::Sqlite).await;
    for (name, priority) in [("b", 2), ("a", 1), ("d", -1), ("c", 2)] {
        let new = json!({ "name": name, "kind": "api_key", "priority": priority });
        Provider::made(&admin, new).await;
    }
    let names = async |query: &str| {
        each(&admin.get(&format!("{PROVIDERS}{query}")).await.expect(200), "name")
    };
    assert_eq!(names("?name=?&sort=-name").await, ["d", "c", "b", "a"]);
    assert_eq!(names("?name=?&sort=priority").await, ["d", "a", "b", "c"]);
    assert_eq!(names("?name=?&sort=-priority").await, ["c", "b", "a", "d"]);
    assert_eq!(names("?name=?&sort=name&limit=2&page=2").await, ["c", "d"]);
    assert_eq!(names("?name=?&page=3").await, [""; 0]);
    assert_eq!(names("?kind=password").await, ["Name and password"]);
    assert_eq!(names("?enabled=false").await, [""; 0]);
    assert_eq!(names("?name=*KEYS").await, ["API keys"]);

    for sort in ["name", "-name", "priority", "-priority", "created_at", "-created_at"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{PROVIDERS}?limit=2&sort={sort}{cursor}");
            let page = admin.get(&path).await.expect(200);
            seen.extend(each(&page, "name"));
            let Some(next) = page.body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, names(&format!("?limit=100&sort={sort}")).await, "{sort}");
        assert_eq!(seen.len(), 7, "{sort}");
    }
    for (query, status) in
        [("kind=saml", 422), ("sort=kind", 422), ("enabled=1", 422), ("x=1", 400)]
    {
        admin.get(&format!("{PROVIDERS}?{query}")).await.expect(status);
    }
}

#[tokio::test]
async fn a_provider_of_another_version_is_not_changed() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let path = Provider::made(&admin, oidc(&json!({}))).await.path();
    let first = admin.get(&path).await.expect(200).header("etag").to_owned();
    let send = async |method: Method, tag: &str| {
        let request = admin.request(method, &path).header("if-match", tag);
        Answer::to(request.json(&json!({ "priority": 7 }))).await.unwrap()
    };
    send(Method::PATCH, &first).await.expect(200);
    let same = admin.get(&path).await.expect(200).header("etag").to_owned();
    let unchanged = admin.patch(&path, json!({ "priority": 7 })).await.expect(200);
    assert_eq!(unchanged.header("etag"), same);
    send(Method::PATCH, &first).await.expect(412).problem("precondition_failed");
    let request = admin.request(Method::DELETE, &path).header("if-match", &first);
    Answer::to(request).await.unwrap().expect(412).problem("precondition_failed");
}

#[tokio::test]
async fn whoever_speaks_for_an_issuer_must_reach_everybody_whom_it_knows() {
    let Some(idp) = super::idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    let provider = Provider::of(&admin, &idp, json!({})).await;
    let jane = super::bearing(&admin, &super::token_of_jane(&idp).await).get(ME).await.expect(200);
    let jane = format!("{USERS}/{}", jane.body["principal"]["id"].as_str().unwrap());
    let new = json!({ "name": "p", "permissions": ["keystile.providers.*"] });
    let role = admin.post("/api/v1/roles", new).await.expect(201).body["id"].clone();
    let key = admin.post(KEYS, json!({ "name": "p", "role_ids": [role] })).await.expect(201);
    let caller = admin.with(Caller::Header(key.text_of("key").to_owned()));
    let patch = json!({ "audience": "api://mine" });
    caller.patch(&format!("{}?dry_run=true", provider.path()), patch.clone()).await.expect(200);

    admin.patch(&jane, json!({ "role_ids": [1] })).await.expect(200);
    let refused = caller.patch(&provider.path(), patch).await.expect(403);
    refused.problem("ceiling_exceeded");
    let second = oidc(&json!({ "authority": idp.issuer(), "audience": "api://mine" }));
    caller.post(PROVIDERS, second).await.expect(403).problem("ceiling_exceeded");
}

fn oidc(more: &Value) -> Value {
    let mut new = json!({
        "name": "Company",
        "kind": "oidc",
        "authority": "https://idp.example",
        "audience": AUDIENCE,
    });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    new
}

async fn id_of(admin: &Api, identifier: &str) -> String {
    let list = admin.get(&format!("{PROVIDERS}?limit=100")).await.expect(200);
    let all = list.body["data"].as_array().unwrap();
    let found = all.iter().find(|provider| provider["identifier"] == identifier).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

fn key_path(key: &Answer) -> String {
    format!("{KEYS}/{}", key.text_of("id"))
}

fn without(body: &Value, member: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove(member);
    body
}

#[track_caller]
fn each(answer: &Answer, member: &str) -> Vec<Value> {
    let items = answer.body["data"].as_array().unwrap_or_else(|| panic!("no data in {answer}"));
    items.iter().map(|item| item[member].clone()).collect()
}

#[track_caller]
fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("none in {answer}"));
    errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
}

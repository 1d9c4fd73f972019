//! The settings of a provider: which kind has which, and what may be said of each.

use acceptance::{Database, started};
use serde_json::{Value, json};

use super::{EVENTS, PROVIDERS, id_of, oidc, pointers};

#[tokio::test]
async fn a_setting_of_another_kind_is_not_known() {
    let (_server, admin) = started(&Database::Sqlite).await;
    for (kind, member, value) in [
        ("api_key", "admin_may_create", json!(true)),
        ("api_key", "authority", json!("https://idp.example")),
        ("api_key", "client_secret", json!("x")),
        ("personal_access_token", "min_length", json!(15)),
        ("password", "prefix", json!("a_")),
        ("password", "authority", json!(null)),
    ] {
        let new = json!({ "name": "n", "kind": kind, member: value });
        let refused = admin.post(PROVIDERS, new).await.expect(400).problem("unknown_fields");
        assert_eq!(pointers(&refused), [format!("/{member}")]);
    }
    let refused = admin.post(PROVIDERS, oidc(&json!({ "prefix": "a_" }))).await.expect(400);
    assert_eq!(pointers(&refused.problem("unknown_fields")), ["/prefix"]);
    let local = format!("{PROVIDERS}/{}", id_of(&admin, "local").await);
    let refused = admin.patch(&local, json!({ "audience": "a", "prefix": null })).await.expect(400);
    assert_eq!(pointers(&refused.problem("unknown_fields")), ["/prefix", "/audience"]);
    for member in ["id", "identifier", "kind", "version", "client_secret_set"] {
        let refused = admin.patch(&local, json!({ member: 1 })).await.expect(400);
        assert_eq!(pointers(&refused.problem("unknown_fields")), [format!("/{member}")]);
    }
}

#[tokio::test]
async fn each_setting_has_its_rule() {
    let (_server, admin) = started(&Database::Sqlite).await;
    for (kind, member, bad) in [
        ("api_key", "prefix", vec![json!("A_"), json!("a-"), json!("x".repeat(33)), json!(null)]),
        ("api_key", "key_length", vec![json!(15), json!(65), json!(-1), json!(16.5)]),
        ("api_key", "encoding", vec![json!("hex"), json!("")]),
        ("api_key", "default_expiry_minutes", vec![json!(0), json!(-1), json!(i64::MAX)]),
        ("api_key", "max_expiry_minutes", vec![json!(0), json!(u32::MAX)]),
        ("api_key", "header_name", vec![json!("Cookie"), json!("Content-Type"), json!("a b")]),
        ("api_key", "allow_query_string", vec![json!(1), json!("true")]),
        ("api_key", "query_parameter_name", vec![json!("ticket"), json!("a b")]),
        ("password", "min_length", vec![json!(7), json!(65), json!(256)]),
        ("password", "lockout_name_failures", vec![json!(0), json!(101)]),
        ("password", "lockout_address_failures", vec![json!(0)]),
        ("password", "access_minutes", vec![json!(0), json!(16)]),
        ("password", "refresh_minutes", vec![json!(0), json!(1), json!(600_000)]),
        ("password", "session_minutes", vec![json!(0), json!(600_000)]),
        ("password", "hash_memory_kib", vec![json!(1), json!(2_000_000)]),
        ("oidc", "authority", vec![json!("http://idp.example"), json!("x"), json!(null)]),
        ("oidc", "audience", vec![json!(""), json!("a\nb")]),
        ("oidc", "required_scope", vec![json!("a b"), json!("")]),
        ("oidc", "algorithms", vec![json!(["HS256"]), json!(["none"]), json!([]), json!(null)]),
        ("oidc", "username_claim", vec![json!(""), json!("a b"), json!(null)]),
        ("oidc", "role_mapping", vec![json!({ "a": [999] }), json!({ "a": [0] }), json!([])]),
        ("oidc", "client_secret", vec![json!("secret"), json!("")]),
        ("oidc", "trust_rules", bad_rules()),
    ] {
        for bad in bad {
            let mut new = if kind == "oidc" { oidc(&json!({})) } else { json!({ "name": "n" }) };
            new["kind"] = json!(kind);
            new[member] = bad.clone();
            let refused = admin.post(PROVIDERS, new).await.expect(422).problem("invalid_request");
            let all = pointers(&refused);
            assert!(all[0].starts_with(&format!("/{member}")), "{member} {bad}: {refused}");
        }
    }
    let wrong = admin.post(PROVIDERS, json!({ "name": "n", "kind": "oidc" })).await.expect(422);
    assert_eq!(pointers(&wrong), ["/authority", "/audience"]);
    let wrong = admin.post(PROVIDERS, json!({ "name": "", "kind": "saml" })).await.expect(422);
    assert_eq!(pointers(&wrong), ["/name", "/kind"]);
    assert_eq!(admin.get(PROVIDERS).await.expect(200).body["total"], 3);
}

#[tokio::test]
async fn a_client_secret_goes_in_and_never_comes_out() {
    let (server, admin) = started(&Database::Sqlite).await;
    let secret = "the-client-secret-of-the-test";
    let more = json!({ "client_id": "console", "client_secret": secret });
    let made = admin.post(PROVIDERS, oidc(&more)).await.expect(201);
    assert_eq!(made.body["client_secret_set"], true);
    let path = made.header("location").to_owned();
    let events = admin.get(&format!("{EVENTS}?limit=100")).await.expect(200);
    for answer in [&made, &admin.get(&path).await, &admin.get(PROVIDERS).await, &events] {
        assert!(!answer.text.contains(secret), "{answer}");
    }
    for entry in std::fs::read_dir(server.options().data()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "it lies in the database");
    }
    let gone = admin.patch(&path, json!({ "client_secret": null })).await.expect(200);
    assert_eq!(gone.body["client_secret_set"], false);
    server.stop().await.assert_silent([secret]);
}

fn bad_rules() -> Vec<Value> {
    let rule = |claims: Value, role_ids: Value, max_minutes: Value| json!([{ "claims": claims, "role_ids": role_ids, "max_minutes": max_minutes }]);
    vec![
        rule(json!({}), json!([4]), json!(5)),
        rule(json!({ "a": "*" }), json!([4]), json!(5)),
        rule(json!({ "a b": "c" }), json!([4]), json!(5)),
        rule(json!({ "a": "b" }), json!([]), json!(5)),
        rule(json!({ "a": "b" }), json!([999]), json!(5)),
        rule(json!({ "a": "b" }), json!([4]), json!(0)),
        rule(json!({ "a": "b" }), json!([4]), json!(16)),
        json!([{ "claims": { "a": "b" }, "role_ids": [4] }]),
    ]
}

//! The provider that the server's own settings describe.

use acceptance::{Database, Options, Server, on_each_database};
use serde_json::{Value, json};

use super::{AUDIENCE, AUDITOR, EVENTS, ME, PROVIDERS, SCOPE, bearing, idp, is_taken, jane};

on_each_database! {
    async fn the_settings_make_a_provider_and_keep_it_up_to_date(database: Database) {
        let plain = Options::on(&database);
        let sso = plain
            .clone()
            .env("KEYSTILE_SSO_AUTHORITY", "https://login.example")
            .env("KEYSTILE_SSO_AUDIENCE", AUDIENCE)
            .env("KEYSTILE_SSO_API_SCOPE", "keys.read")
            .env("KEYSTILE_SSO_CLIENT_ID", "console")
            .env("KEYSTILE_SSO_CLIENT_SECRET", SECRET);
        let server = Server::start(&sso).await;
        let admin = server.admin();
        let first = provider(&admin).await;
        assert_eq!(first["kind"], "oidc");
        assert_eq!(first["authority"], "https://login.example");
        assert_eq!(first["audience"], AUDIENCE);
        assert_eq!(first["required_scope"], "keys.read");
        assert_eq!(first["client_id"], "console");
        assert_eq!(first["client_secret_set"], true);
        assert_eq!(first["create_users"], true);
        assert_eq!(first["enabled"], true);
        let path = format!("{PROVIDERS}/{}", first["id"].as_str().unwrap());
        for patch in [json!({ "enabled": false }), json!({ "name": "Mine" }), json!({})] {
            admin.patch(&path, patch).await.expect(409).problem("conflict");
        }
        admin.delete(&path).await.expect(409).problem("conflict");

        let server = server.restart().await;
        assert_eq!(provider(&server.admin()).await, first, "nothing was changed");
        server.stop().await.assert_silent([SECRET]);

        let other = sso.clone().env("KEYSTILE_SSO_AUDIENCE", "api://other");
        let server = Server::start(&other).await;
        let admin = server.admin();
        let changed = provider(&admin).await;
        assert_eq!(changed["id"], first["id"]);
        assert_eq!(changed["audience"], "api://other");
        let log = format!("{EVENTS}?target_kind=provider&target_id={}&sort=seq", text(&first["id"]));
        let log = admin.get(&log).await.expect(200);
        let events = log.body["data"].as_array().unwrap();
        let actions: Vec<_> = events.iter().map(|event| text(&event["action"])).collect();
        assert_eq!(actions, ["provider.created", "provider.updated"]);
        assert!(events.iter().all(|event| event["actor"].is_null()), "Keystile itself");
        assert!(!log.text.contains(SECRET));
        server.stop().await;

        let server = Server::start(&plain).await;
        let admin = server.admin();
        let left = provider(&admin).await;
        assert_eq!(left, changed, "it stays");
        let patch = json!({ "role_claim": "groups", "role_mapping": { "audit": [AUDITOR] } });
        admin.patch(&path, patch).await.expect(200);
        server.stop().await;

        let server = Server::start(&other).await;
        let kept = provider(&server.admin()).await;
        assert_eq!(kept["role_mapping"], json!({ "audit": [AUDITOR] }), "what they do not say stays");
    }
}

#[tokio::test]
async fn people_come_in_by_the_settings_alone() {
    let Some(idp) = idp().await else { return };
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_SSO_AUTHORITY", idp.issuer())
        .env("KEYSTILE_SSO_AUDIENCE", AUDIENCE)
        .env("KEYSTILE_SSO_API_SCOPE", SCOPE);
    let server = Server::start(&options).await;
    let api = server.admin();
    let token = idp.access_token(&jane(), AUDIENCE, SCOPE).await;
    let me = bearing(&api, &token).get(ME).await.expect(200);
    assert_eq!(me.body["principal"]["name"], "jane");
    let without = idp.access_token(&jane(), AUDIENCE, "other").await;
    assert!(!is_taken(&api, &without).await);
}

#[tokio::test]
async fn a_server_starts_without_its_identity_provider() {
    let Some(idp) = idp().await else { return };
    idp.fail().await;
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_SSO_AUTHORITY", idp.issuer())
        .env("KEYSTILE_SSO_AUDIENCE", AUDIENCE);
    let server = Server::start(&options).await;
    let api = server.admin();
    api.get(ME).await.expect(200);
    let token = idp.sign(json!({ "typ": "at+jwt" }), super::claims::fresh(&idp)).await;
    let down = bearing(&api, &token).get(ME).await.expect(503).problem("unavailable");
    assert!(!down.header("retry-after").is_empty(), "{down}");
}

#[tokio::test]
async fn settings_that_make_no_sense_stop_the_start_and_are_named() {
    for (variables, named) in [
        (vec![("KEYSTILE_SSO_AUDIENCE", "a")], "KEYSTILE_SSO_AUTHORITY"),
        (vec![("KEYSTILE_SSO_AUTHORITY", "https://login.example")], "KEYSTILE_SSO_AUDIENCE"),
        (
            vec![
                ("KEYSTILE_SSO_AUTHORITY", "http://login.example"),
                ("KEYSTILE_SSO_AUDIENCE", "a"),
            ],
            "KEYSTILE_SSO_AUTHORITY",
        ),
        (
            vec![
                ("KEYSTILE_SSO_AUTHORITY", "https://login.example"),
                ("KEYSTILE_SSO_AUDIENCE", "a"),
                ("KEYSTILE_SSO_CLIENT_SECRET", SECRET),
            ],
            "KEYSTILE_SSO_CLIENT_ID",
        ),
        (
            vec![
                ("KEYSTILE_SSO_AUTHORITY", "https://login.example"),
                ("KEYSTILE_SSO_AUDIENCE", "a"),
                ("KEYSTILE_SSO_API_SCOPE", "a b"),
            ],
            "KEYSTILE_SSO_API_SCOPE",
        ),
    ] {
        let plain = Options::on(&Database::Sqlite);
        let options =
            variables.iter().fold(plain, |options, (name, value)| options.env(name, value));
        let ended = Server::try_start(&options).await.expect_err("it must not start");
        assert!(ended.stderr.contains(named), "{named}: {ended:#?}");
        ended.assert_silent([SECRET]);
    }
}

/// The provider that the settings describe.
async fn provider(admin: &acceptance::Api) -> Value {
    let list = admin.get(&format!("{PROVIDERS}?kind=oidc")).await.expect(200);
    let [provider] = list.body["data"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!(provider["identifier"], "sso");
    provider.clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

const SECRET: &str = "a-client-secret-nobody-may-see";

//! What the pages "API Authentication" and "API Keys" of JIM promise, sentence by sentence: the two
//! ways in with a real identity provider, and for each cmdlet the request that it makes.
//!
//! That "you are prompted for confirmation", and `-WhatIf` and `-Confirm` themselves, are the command
//! line's and tested there. Still to come: with the console "navigate to the API Keys management
//! page"; with the PowerShell module the cmdlets themselves, `Connect-JIM` and the pipelines' objects.

use std::time::{Duration, UNIX_EPOCH};

use acceptance::{
    Answer, Api, Caller, Certificates, Database, Options, Server, on_each_database, scratch, until,
};
use keystile_domain::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::oidc::{self, AUDIENCE, KEYS, ME, PROVIDERS, SCOPE, jane};

#[tokio::test]
async fn people_come_with_jwts_and_programs_with_keys() {
    let Some(idp) = oidc::idp().await else { return };
    // "OIDC/SSO must be configured on your JIM instance", "The JIM_SSO_API_SCOPE environment
    // variable must be configured".
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_SSO_AUTHORITY", idp.issuer())
        .env("KEYSTILE_SSO_AUDIENCE", AUDIENCE)
        .env("KEYSTILE_SSO_API_SCOPE", SCOPE);
    let server = Server::start(&options).await;
    let admin = server.admin();
    let with = async |name: &str, value: &str| admin.send(Method::GET, ME, &[(name, value)]).await;

    // "All API requests must be authenticated."
    admin.send(Method::GET, ME, &[]).await.expect(401).problem("missing_credential");

    // "Obtain a token via your identity provider's OIDC token endpoint, then include it in the
    // Authorization header".
    let token = idp.access_token(&jane(), AUDIENCE, SCOPE).await;
    let me = with("Authorization", &format!("Bearer {token}")).await.expect(200);
    assert_eq!(me.body["principal"]["name"], "jane");

    // "Standard JWT claims (expiry, audience, issuer) are enforced."
    for (claim, value) in [
        ("exp", json!(oidc::now() - 120)),
        ("aud", json!("api://other")),
        ("iss", json!("https://other.example")),
    ] {
        let mut claims = oidc::claims::fresh(&idp);
        claims[claim] = value;
        let token = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
        with("Authorization", &format!("Bearer {token}")).await.expect(401);
    }

    // "All API keys are prefixed with jim_ for easy identification."
    as_jim(&admin).await;
    let key = new(&admin, json!({ "name": "script" })).await;
    assert!(key.text_of("key").starts_with("jim_"), "{key}");
    // "Include the API key in the X-Api-Key header".
    let me = with("X-Api-Key", key.text_of("key")).await.expect(200);
    assert_eq!(me.body["principal"]["kind"], "api_key");
}

/// "JIM enforces TLS 1.2 or higher for all API traffic"; which versions there are is measured where
/// the transport is tested.
#[tokio::test]
async fn keys_travel_over_https_and_nothing_else() {
    let certificates = Certificates::make(&scratch::directory("certificates"));
    let server = Server::start(&Options::on(&Database::Sqlite).tls(&certificates)).await;
    let admin = server.admin();
    as_jim(&admin).await;
    let key = new(&admin, json!({ "name": "script" })).await;
    used(&admin, &key, ME).await.expect(200);

    // "Never transmit tokens or API keys over unencrypted connections."
    let unencrypted = Api::new(&format!("http://{}", server.address()), Caller::Anonymous);
    let key = key.text_of("key").to_owned();
    let request = unencrypted.with(Caller::Header(key)).request(Method::GET, ME);
    assert!(Answer::to(request).await.is_err());
}

on_each_database! {
    async fn new_jim_api_key(database: Database) {
        let (_server, admin) = started(&database).await;
        // New-JIMApiKey -Name "Monitoring Service" -Description "Read-only monitoring" `
        //     -RoleIds @(1, 3) -ExpiresAt (Get-Date).AddDays(90)
        let monitoring = json!({
            "name": "Monitoring Service",
            "description": "Read-only monitoring",
            "role_ids": [1, 3],
            "expires_at": "2099-01-01T00:00:00Z",
        });
        let made = new(&admin, monitoring.clone()).await;
        for (member, value) in monitoring.as_object().unwrap() {
            assert_eq!(made.body[member], *value, "{member}");
        }

        // "The full API key value is only visible at creation time", "only the key prefix is
        // returned for identification purposes".
        let secret = made.text_of("key");
        assert!(secret.starts_with(made.text_of("key_prefix")));
        let shown = admin.get(&path(&made)).await.expect(200);
        assert!(!shown.text.contains(secret));
        assert_eq!(shown.body["key_prefix"], made.body["key_prefix"]);

        // "If omitted, the key has no role assignments", "A key with no roles has no administrative
        // access"; "If omitted, the key does not expire."
        let plain = new(&admin, json!({ "name": "Deployment Automation" })).await;
        let of_plain = (&plain.body["role_ids"], &plain.body["expires_at"]);
        assert_eq!(of_plain, (&json!([]), &Value::Null));
        used(&admin, &plain, ME).await.expect(200);
        used(&admin, &plain, KEYS).await.expect(403);

        // "use -WhatIf … to preview"
        let before = admin.get(KEYS).await.expect(200).body["total"].clone();
        let preview = format!("{KEYS}?dry_run=true");
        let preview = admin.post(&preview, json!({ "name": "preview" })).await.expect(200);
        assert!(preview.body.get("key").is_none(), "{preview}");
        assert_eq!(admin.get(KEYS).await.expect(200).body["total"], before);
    }

    async fn get_jim_api_key(database: Database) {
        let (_server, admin) = started(&database).await;
        for name in ["CI Pipeline", "ci nightly", "Monitoring"] {
            new(&admin, json!({ "name": name })).await;
        }
        // "Filter API keys by name. Supports wildcards (e.g., "CI*")."
        let found = admin.get(&format!("{KEYS}?name=CI*&sort=name")).await.expect(200);
        assert_eq!(names(&found), ["ci nightly", "CI Pipeline"]);
        // "Unique identifier of the API key to retrieve."
        let id = found.body["data"][0]["id"].as_str().unwrap();
        let one = admin.get(&format!("{KEYS}/{id}")).await.expect(200);
        assert_eq!(one.body, found.body["data"][0]);
        // "The full key value is never included".
        assert!(one.body.get("key").is_none(), "{one}");
    }

    async fn set_jim_api_key(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = new(&admin, json!({ "name": "CI Pipeline", "role_ids": [3] })).await;
        let set = async |patch: Value| admin.patch(&path(&key), patch).await.expect(200);

        // -Name "CI Pipeline v2"
        let changed = set(json!({ "name": "CI Pipeline v2" })).await;
        assert_eq!(changed.body["name"], "CI Pipeline v2");
        // -Description "New description"
        let changed = set(json!({ "description": "New description" })).await;
        assert_eq!(changed.body["description"], "New description");
        assert_eq!(changed.body["name"], "CI Pipeline v2");
        let shown = admin.get(&path(&key)).await.expect(200);
        assert_eq!(shown.body["description"], "New description");
        // "Replaces all existing role assignments."
        assert_eq!(set(json!({ "role_ids": [4] })).await.body["role_ids"], json!([4]));
        // "Disabled keys reject all authentication attempts."
        set(json!({ "enabled": false })).await;
        used(&admin, &key, ME).await.expect(401);
        // -Enable -ExpiresAt (Get-Date).AddDays(30)
        let end = "2099-01-01T00:00:00Z";
        let changed = set(json!({ "enabled": true, "expires_at": end })).await;
        assert_eq!(changed.body["expires_at"], end);
        used(&admin, &key, ME).await.expect(200);
        // "Setting -ExpiresAt $null removes the expiry".
        assert_eq!(set(json!({ "expires_at": null })).await.body["expires_at"], Value::Null);
        // "The key value itself cannot be changed."
        let other = json!({ "key": "jim_chosen" });
        admin.patch(&path(&key), other).await.expect(400).problem("unknown_fields");
        // "use -WhatIf"
        let preview = format!("{}?dry_run=true", path(&key));
        let preview = admin.patch(&preview, json!({ "name": "preview" })).await.expect(200);
        assert_eq!(preview.body["name"], "preview");
        let kept = admin.get(&path(&key)).await.expect(200);
        assert_eq!(kept.body["name"], "CI Pipeline v2");

        // Get-JIMApiKey | Where-Object { $_.ExpiresAt -and $_.ExpiresAt -lt (Get-Date) } |
        //     Set-JIMApiKey -Disable
        new(&admin, json!({ "name": "alive", "expires_at": end })).await;
        set(json!({ "expires_at": soon() })).await;
        let expired = async || admin.get(&format!("{KEYS}?expired=true")).await.expect(200);
        until("it ends", async || !names(&expired().await).is_empty()).await;
        let expired = expired().await;
        assert_eq!(names(&expired), ["CI Pipeline v2"]);
        let disabled = set(json!({ "enabled": false })).await;
        assert_eq!(disabled.body["enabled"], false);
    }

    async fn remove_jim_api_key(database: Database) {
        let (_server, admin) = started(&database).await;
        for name in ["temp-1", "temp-2", "kept"] {
            new(&admin, json!({ "name": name })).await;
        }
        let last = new(&admin, json!({ "name": "temp-3" })).await;
        // "use -WhatIf"
        admin.delete(&format!("{}?dry_run=true", path(&last))).await.expect(200);
        used(&admin, &last, ME).await.expect(200);

        // Get-JIMApiKey | Where-Object { $_.Name -like "temp-*" } | Remove-JIMApiKey -Force
        let found = admin.get(&format!("{KEYS}?name=temp-*")).await.expect(200);
        assert_eq!(found.body["total"], 3);
        for key in found.body["data"].as_array().unwrap() {
            admin.delete(&format!("{KEYS}/{}", key["id"].as_str().unwrap())).await.expect(204);
        }
        // "Any requests using this key will fail immediately after deletion."
        used(&admin, &last, ME).await.expect(401).problem("invalid_credential");
        // "Deletion is permanent and cannot be undone."
        admin.patch(&path(&last), json!({ "enabled": true })).await.expect(404);
        assert_eq!(admin.get(&format!("{KEYS}?name=temp-*")).await.expect(200).body["total"], 0);
    }

    async fn the_security_recommendations_can_be_followed(database: Database) {
        let (_server, admin) = started(&database).await;
        // "Rotate API keys regularly."
        let key = new(&admin, json!({ "name": "script" })).await;
        let rotate = format!("{}/rotate", path(&key));
        let rotated = admin.post(&rotate, json!({})).await.expect(200);
        used(&admin, &key, ME).await.expect(401);
        used(&admin, &rotated, ME).await.expect(200);

        // "Create separate API keys for different integrations so that keys can be revoked
        // independently"; "if a key is compromised, revoke it immediately".
        let other = new(&admin, json!({ "name": "other" })).await;
        admin.delete(&path(&other)).await.expect(204);
        used(&admin, &other, ME).await.expect(401);
        used(&admin, &rotated, ME).await.expect(200);

        // "Monitor API key usage. Review API access logs and revoke unused keys."
        admin.get(&format!("{}/usage", path(&key))).await.expect(200);
        let unused = format!("{KEYS}?unused_since=2020-01-01T00:00:00Z");
        assert_eq!(admin.get(&unused).await.expect(200).body["total"], 0);
    }
}

/// A server on an empty database that makes keys as JIM does, and its API for the administrator.
async fn started(database: &Database) -> (Server, Api) {
    let (server, admin) = acceptance::started(database).await;
    as_jim(&admin).await;
    (server, admin)
}

/// Keys of JIM, where a request names no provider.
async fn as_jim(admin: &Api) {
    let jim = json!({ "name": "JIM", "kind": "api_key", "prefix": "jim_", "default": true });
    admin.post(PROVIDERS, jim).await.expect(201);
}

async fn new(admin: &Api, key: Value) -> Answer {
    admin.post(KEYS, key).await.expect(201)
}

/// "Include the API key in the X-Api-Key header".
async fn used(admin: &Api, key: &Answer, path: &str) -> Answer {
    admin.send(Method::GET, path, &[("X-Api-Key", key.text_of("key"))]).await
}

/// Late enough to be in the future when the server reads it.
fn soon() -> String {
    let now = UNIX_EPOCH.elapsed().unwrap() + Duration::from_secs(1);
    Timestamp::from_millis(now.as_millis().try_into().unwrap()).to_string()
}

fn path(key: &Answer) -> String {
    format!("{KEYS}/{}", key.text_of("id"))
}

fn names(list: &Answer) -> Vec<&str> {
    let keys = list.body["data"].as_array().unwrap();
    keys.iter().map(|key| key["name"].as_str().unwrap()).collect()
}

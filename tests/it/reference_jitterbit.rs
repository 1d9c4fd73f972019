//! What the page "API key security provider" of Jitterbit App Builder promises, sentence by
//! sentence. Its keys belong to users: here they are tokens of a provider of that kind.
//!
//! Still to come, with the console: "Go to IDE > Security Providers", the Provider and Properties
//! dialogs, User Management, and the order of "the login form" (its data is `priority`).

use acceptance::{Answer, Api, Database, Options, Server, on_each_database};
use keystile_domain::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    async fn a_provider_is_set_up_as_in_the_dialogs(database: Database) {
        let app = AppBuilder::start(&database).await;
        let provider = app.admin.get(&app.provider).await.expect(200);
        for (field, value) in [
            ("name", json!("API Key")),
            ("kind", json!("personal_access_token")),
            ("priority", json!(5)),
            ("enabled", json!(true)),
            // "This field is automatically generated".
            ("identifier", json!("api-key")),
            ("default_expiry_minutes", json!(60 * 24)),
            ("max_expiry_minutes", json!(60 * 24 * 30)),
            ("key_length", json!(16)),
            // "None of these parameters is required."
            ("allow_query_string", json!(false)),
            ("allow_insecure_http", json!(false)),
            ("header_name", json!("x-api-key")),
            ("query_parameter_name", json!("apiKey")),
        ] {
            assert_eq!(provider.body[field], value, "{field}");
        }

        // "Default Expiry", "Max Expiry"
        let key = app.key(json!({ "description": "sales" })).await;
        assert_eq!(minutes(&key), 60 * 24);
        let longest = json!({ "expires_in_minutes": 60 * 24 * 30 });
        assert_eq!(minutes(&app.key(longest).await), 60 * 24 * 30);
        let longer = json!({ "provider": "api-key", "expires_in_minutes": 60 * 24 * 30 + 1 });
        app.admin.post(&app.tokens, longer).await.expect(422);

        // "(Altering this field does not affect existing keys.)", three times over.
        let altered = json!({
            "default_expiry_minutes": 10, "max_expiry_minutes": 20, "key_length": 32,
        });
        app.change(altered).await;
        let path = format!("{}/{}", app.tokens, key.text_of("id"));
        let kept = app.admin.get(&path).await.expect(200);
        assert_eq!(kept.body["expires_at"], key.body["expires_at"]);
        app.customers(&[("X-API-Key", key.text_of("token"))]).await.expect(200);
        let new = app.key(json!({})).await;
        assert_eq!((minutes(&new), new.text_of("token").len()), (10, 43));
    }

    async fn keys_are_128_random_bits_in_base64url(database: Database) {
        let app = AppBuilder::start(&database).await;
        let key = app.key(json!({})).await;
        let token = key.text_of("token");
        // "DLOo9sPS5slJEMHpXBFt3g"
        assert_eq!(token.len(), "DLOo9sPS5slJEMHpXBFt3g".len());
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{token}");
        assert_ne!(token, app.key(json!({})).await.text_of("token"));

        // "They can survive a password reset."
        let reset = json!({ "password": "a password after the reset" });
        app.admin.patch(&format!("{USERS}/{}", app.user), reset).await.expect(200);
        app.customers(&[("X-API-Key", token)]).await.expect(200);

        // "They can be rotated."
        let path = format!("{}/{}", app.tokens, key.text_of("id"));
        let rotated = app.admin.post(&format!("{path}/rotate"), json!({})).await.expect(200);
        app.customers(&[("X-API-Key", token)]).await.expect(401);
        app.customers(&[("X-API-Key", rotated.text_of("token"))]).await.expect(200);

        // "They can be easily revoked."
        app.admin.delete(&path).await.expect(204);
        app.customers(&[("X-API-Key", rotated.text_of("token"))]).await.expect(401);
    }

    async fn a_key_says_who_asks_and_what_they_may(database: Database) {
        let app = AppBuilder::start(&database).await;
        // "Because each API key is associated with an individual user, this provides both
        // authentication and authorization."
        let key = app.key(json!({ "description": "sales" })).await;
        let shown = [("X-API-Key", key.text_of("token"))];
        let answer = app.customers(&shown).await.expect(200);
        assert_eq!(answer.header("x-keystile-principal"), app.user);
        assert_eq!(answer.header("x-keystile-principal-name"), "ann");
        let other = "/Vinyl/rest/v1/stock/items";
        app.admin.ask_at_gateway(Method::GET, other, &shown).await.expect(403);

        // "Enabled: Click this checkbox to activate the new security provider."
        app.change(json!({ "enabled": false })).await;
        app.customers(&shown).await.expect(401);
        app.change(json!({ "enabled": true })).await;
        app.customers(&shown).await.expect(200);
    }

    async fn a_key_is_passed_as_the_properties_say(database: Database) {
        let app = AppBuilder::start(&database).await;
        let key = app.key(json!({})).await;
        let token = key.text_of("token");
        let at = |parameter: &str| format!("{CUSTOMERS}?{parameter}={token}&page=2");
        let asked = async |uri: &str| app.admin.ask_at_gateway(Method::GET, uri, &[]).await;

        // GET /Vinyl/rest/v1/sales/customers with "X-API-Key: ABCd0eFG1hiJKLMnOPQr2s"
        app.customers(&[("X-API-Key", token)]).await.expect(200);

        // "AllowApiKeyInQueryString: … The default value is False."
        asked(&at("apiKey")).await.expect(401);
        app.change(json!({ "allow_query_string": true })).await;
        // GET /Vinyl/rest/v1/sales/customers?apiKey=ABCd0eFG1hiJKLMnOPQr2s
        let answer = asked(&at("apiKey")).await.expect(200);
        assert_eq!(answer.header("x-keystile-uri"), format!("{CUSTOMERS}?page=2"));

        // "QueryStringParameterName: … change the parameter's name from the default name apiKey".
        app.change(json!({ "query_parameter_name": "code" })).await;
        asked(&at("code")).await.expect(200);
        asked(&at("apiKey")).await.expect(401);

        // "HttpHeaderName: … change the name of the HTTP header".
        app.change(json!({ "header_name": "X-Vinyl-Key" })).await;
        app.customers(&[("x-vinyl-key", token)]).await.expect(200);
        app.customers(&[("X-API-Key", token)]).await.expect(401);
    }

    async fn a_key_over_http_is_refused_unless_allowed(database: Database) {
        let options = Options::on(&database).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
        let app = AppBuilder::start_as(&options).await;
        let key = app.key(json!({})).await;
        let shown = |scheme: &'static str| {
            [
                ("X-Forwarded-For", "192.0.2.7"),
                ("X-Forwarded-Proto", scheme),
                ("X-API-Key", key.text_of("token")),
            ]
        };
        app.customers(&shown("https")).await.expect(200);
        // "AllowInsecureHttp: … instead of a secure HTTPS request. The default value is False."
        app.customers(&shown("http")).await.expect(401).problem("insecure_transport");
        // "HTTPS connections may be prematurely terminated. To work around this issue …"
        app.change(json!({ "allow_insecure_http": true })).await;
        app.customers(&shown("http")).await.expect(200);
    }
}

/// App Builder, as a customer of it sets Keystile up.
struct AppBuilder {
    _server: Server,
    admin: Api,
    /// The path of the security provider.
    provider: String,
    user: String,
    /// The path of the user's keys.
    tokens: String,
}

impl AppBuilder {
    async fn start(database: &Database) -> Self {
        Self::start_as(&Options::on(database)).await
    }

    async fn start_as(options: &Options) -> Self {
        let server = Server::start(options).await;
        let admin = server.admin();
        // "+ User Authentication": Name, Type, Priority, Enabled; Default Expiry, Max Expiry, Length.
        let new = json!({
            "name": "API Key",
            "kind": "personal_access_token",
            "priority": 5,
            "prefix": "",
            "encoding": "base64url",
            "key_length": 16,
            "default_expiry_minutes": 60 * 24,
            "max_expiry_minutes": 60 * 24 * 30,
            "admin_may_create": true,
        });
        let made = admin.post("/api/v1/providers", new).await.expect(201);
        let provider = format!("/api/v1/providers/{}", made.text_of("id"));
        let sales = json!({
            "name": "sales",
            "endpoints": [{ "methods": ["GET"], "path": "/Vinyl/rest/v1/sales/**" }],
        });
        let sales = admin.post("/api/v1/roles", sales).await.expect(201).body["id"].clone();
        let ann = json!({ "username": "ann", "role_ids": [sales] });
        let user = admin.post(USERS, ann).await.expect(201).text_of("id").to_owned();
        let tokens = format!("{USERS}/{user}/tokens");
        Self { _server: server, admin, provider, user, tokens }
    }

    /// "click More > Keys", "Create", "select the API key security provider", "Save".
    async fn key(&self, mut more: Value) -> Answer {
        more["provider"] = json!("api-key");
        self.admin.post(&self.tokens, more).await.expect(201)
    }

    /// "+ Property", "Save".
    async fn change(&self, properties: Value) {
        self.admin.patch(&self.provider, properties).await.expect(200);
    }

    /// The request of the page's examples.
    async fn customers(&self, headers: &[(&str, &str)]) -> Answer {
        self.admin.ask_at_gateway(Method::GET, CUSTOMERS, headers).await
    }
}

/// The life of a new key, in minutes.
fn minutes(key: &Answer) -> i64 {
    let at = |member: &str| key.text_of(member).parse::<Timestamp>().unwrap().as_millis();
    (at("expires_at") - at("created_at")) / 60_000
}

const USERS: &str = "/api/v1/users";
const CUSTOMERS: &str = "/Vinyl/rest/v1/sales/customers";

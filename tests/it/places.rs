//! Where a credential may stand in a request, and how it may look, as the providers say it.

mod formats;
mod names;
mod nodes;
mod own_api;
mod settings;
mod silence;

use acceptance::{Answer, Api, Caller};
use reqwest::Method;
use serde_json::{Value, json};

/// A provider of API keys that a test made, by its path and its identifier.
struct Provider {
    path: String,
    identifier: String,
}

impl Provider {
    /// One with these settings.
    async fn with(admin: &Api, name: &str, settings: Value) -> Self {
        let mut new = json!({ "name": name, "kind": "api_key" });
        new.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let made = admin.post(PROVIDERS, new).await.expect(201);
        let path = made.header("location").to_owned();
        Self { path, identifier: made.text_of("identifier").to_owned() }
    }

    async fn change(&self, admin: &Api, patch: Value) {
        admin.patch(&self.path, patch).await.expect(200);
    }

    /// A new key of it.
    async fn key(&self, admin: &Api) -> String {
        key(admin, &self.identifier).await.1
    }
}

/// A new key of a provider, without roles: its path, and the key.
async fn key(admin: &Api, provider: &str) -> (String, String) {
    let new = json!({ "name": "k", "provider": provider });
    let made = admin.post(KEYS, new).await.expect(201);
    (format!("{KEYS}/{}", made.text_of("id")), made.text_of("key").to_owned())
}

/// The path of a provider that the first start made.
async fn built_in(admin: &Api, kind: &str) -> String {
    let list = admin.get(&format!("{PROVIDERS}?kind={kind}")).await.expect(200);
    format!("{PROVIDERS}/{}", list.body["data"][0]["id"].as_str().unwrap())
}

/// What the server says to whoever shows this in a header.
async fn in_header(api: &Api, name: &str, value: &str) -> Answer {
    api.send(Method::GET, ME, &[(name, value)]).await
}

/// What the server says to whoever shows this as a bearer token.
async fn as_bearer(api: &Api, key: &str) -> Answer {
    in_header(api, "authorization", &format!("Bearer {key}")).await
}

/// What the server says to whoever shows nothing but this query.
async fn in_query(api: &Api, query: &str) -> Answer {
    api.with(Caller::Anonymous).get(&format!("{ME}?{query}")).await
}

const PROVIDERS: &str = "/api/v1/providers";
const KEYS: &str = "/api/v1/api-keys";
const ME: &str = "/api/v1/me";

//! Tickets: URLs that let one request in as whoever made them.

mod fall;
mod gateways;
mod makers;
mod once;
mod rules;

use acceptance::{Answer, Api, Caller};
use reqwest::Method;
use serde_json::{Value, json};

/// A new API key with these roles: its path, and the API for whoever holds it.
async fn key(admin: &Api, roles: &[i64]) -> (String, Api) {
    let made = admin.post(KEYS, json!({ "name": "key", "role_ids": roles })).await.expect(201);
    let path = format!("{KEYS}/{}", made.text_of("id"));
    (path, admin.with(Caller::Header(made.text_of("key").to_owned())))
}

/// A new ticket of whoever asks, as a URL.
async fn ticket(api: &Api, method: &str, path: &str) -> String {
    let new = json!({ "method": method, "path": path });
    api.post(TICKETS, new).await.expect(201).text_of("url").to_owned()
}

/// The URL, opened by somebody who has nothing else.
async fn open(api: &Api, url: &str) -> Answer {
    api.send(Method::GET, url, &[]).await
}

/// What a credential says of itself.
async fn me(api: &Api) -> Value {
    api.get(ME).await.expect(200).body
}

const TICKETS: &str = "/api/v1/tickets";
const KEYS: &str = "/api/v1/api-keys";
const USERS: &str = "/api/v1/users";
const ME: &str = "/api/v1/me";
const AUDITOR: i64 = 3;

//! The OAuth endpoints, seen from outside.

mod clients;
mod climbing;
mod exchange;
mod introspect;
mod revoke;

use acceptance::{Answer, Api, Caller, Key};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// A key that holds one role with these permissions.
async fn permitted(admin: &Api, permissions: &[&str]) -> Key {
    let role = json!({ "name": permissions.join(" "), "permissions": permissions });
    let role = admin.post(ROLES, role).await.expect(201).body["id"].clone();
    Key::made(admin, json!({ "name": "a key", "role_ids": [role] })).await
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()))
}

/// A form to an endpoint, without any other credential.
fn form(api: &Api, endpoint: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let api = api.with(Caller::Anonymous);
    api.request(Method::POST, &format!("/oauth2/{endpoint}")).form(fields)
}

async fn sent(request: RequestBuilder) -> Answer {
    Answer::to(request).await.expect("the server answers")
}

/// Trades a key for an access token with these further wishes.
async fn traded(api: &Api, secret: &str, wishes: &[(&str, &str)]) -> Answer {
    let fields = [EXCHANGE, ("subject_token", secret), OPAQUE];
    sent(form(api, "token", &[&fields, wishes].concat())).await
}

/// An access token for a key.
async fn token_of(api: &Api, secret: &str) -> String {
    traded(api, secret, &[]).await.expect(200).text_of("access_token").to_owned()
}

/// The refusal of an OAuth endpoint: a word and a sentence, and nothing else.
#[track_caller]
fn refusal(answer: &Answer, status: u16, word: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer}");
    assert_eq!(answer.header("content-type"), "application/json", "{answer}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer}");
    assert_eq!(answer.body["error"], word, "{answer}");
    assert!(answer.body["error_description"].is_string(), "{answer}");
    assert_eq!(answer.body.as_object().map(serde_json::Map::len), Some(2), "{answer}");
}

/// What a JWT says, unverified.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
}

fn as_bearer(api: &Api, token: &str) -> Api {
    api.with(Caller::Bearer(token.to_owned()))
}

const KEYS: &str = "/api/v1/api-keys";
const ROLES: &str = "/api/v1/roles";
const ME: &str = "/api/v1/me";
const VERIFY: &str = "/api/v1/verify";
const EXCHANGE: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const OPAQUE: (&str, &str) =
    ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");

//! Keys that come from other stores, of which nobody but their holders has the secrets.

mod bounds;
mod django;
mod fates;
mod forms;
mod slow;

use acceptance::{Answer, Api, Caller};
use serde_json::{Value, json};

/// A key to be imported: its name and what is known of it.
fn with_hash(name: &str, hash: Value) -> Value {
    json!({ "name": name, "hash": hash })
}

/// Imports keys in one batch, all of them.
async fn import(admin: &Api, keys: Vec<Value>) -> Answer {
    let made = batch(admin, keys).await;
    assert_eq!(made.body["refused"], 0, "{made}");
    made
}

/// Imports keys in one batch, some of which may be refused.
async fn batch(admin: &Api, keys: Vec<Value>) -> Answer {
    admin.post(BATCH, json!({ "api_keys": keys })).await.expect(200)
}

/// What the server says to whoever shows this secret: a status.
async fn shown(api: &Api, secret: &str) -> u16 {
    let caller = api.with(Caller::Header(secret.to_owned()));
    caller.get(ME).await.status.as_u16()
}

/// What `/verify` says of a secret, in one word.
async fn code(admin: &Api, secret: &str) -> String {
    let verdict = admin.post(VERIFY, json!({ "credential": secret })).await.expect(200);
    verdict.text_of("code").to_owned()
}

/// The names of the keys that nobody has shown yet.
async fn unseen(admin: &Api) -> Vec<String> {
    let list = format!("{KEYS}?unseen_import=true&limit=100&sort=name");
    let list = admin.get(&list).await.expect(200);
    let keys = list.body["data"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["unseen_import"] == true), "{list}");
    keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

/// Each refused item of a batch: its status, and the pointers of what is wrong.
#[track_caller]
fn refusals(answer: &Answer) -> Vec<(i64, Vec<String>)> {
    let items = answer.body["data"].as_array().unwrap();
    let refused = items.iter().filter(|item| item["status"].is_number());
    let pointer = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
    refused
        .map(|item| {
            let errors = item["errors"].as_array().unwrap().iter().map(pointer).collect();
            (item["status"].as_i64().unwrap(), errors)
        })
        .collect()
}

const BATCH: &str = "/api/v1/api-keys/batch";
const EVENTS: &str = "/api/v1/audit-events";
const KEYS: &str = "/api/v1/api-keys";
const ME: &str = "/api/v1/me";
const VERIFY: &str = "/api/v1/verify";

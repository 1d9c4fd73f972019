//! Limits: how often a credential may be used, in a time and at all, on one node and on several.

mod failures;
mod members;
mod quotas;
mod rates;
mod redis;

use acceptance::{Answer, Api, Key};
use serde_json::{Value, json};

/// What a check of a key says that costs so much.
async fn check(admin: &Api, key: &Key, cost: i64) -> Value {
    let question = json!({ "credential": key.secret, "cost": cost });
    admin.post(VERIFY, question).await.expect(200).body
}

/// How much is left of the quota of a key.
async fn remaining(admin: &Api, key: &Key) -> i64 {
    admin.get(&key.at("")).await.expect(200).body["quota"]["remaining"].as_i64().unwrap()
}

/// So many uses a day: none comes back while a test runs.
fn a_day(limit: i64) -> Value {
    json!([{ "limit": limit, "window_seconds": 86_400 }])
}

/// The part of a header with `;`-parameters that has this name, such as `r` of `"default";r=4;t=9`.
#[track_caller]
fn parameter(answer: &Answer, header: &str, limit: &str, name: &str) -> i64 {
    let text = answer.header(header);
    let item = text.split(", ").find(|item| item.starts_with(&format!("\"{limit}\";")));
    let parts = item.unwrap_or_else(|| panic!("no {limit} in {header}: {answer}")).split(';');
    let value = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name);
    value.unwrap_or_else(|| panic!("no {name} in {header}: {answer}")).1.parse().unwrap()
}

/// How many uses a limit has left, by the header of an answer.
#[track_caller]
fn left(answer: &Answer) -> i64 {
    parameter(answer, "ratelimit", "default", "r")
}

const KEYS: &str = "/api/v1/api-keys";
const ME: &str = "/api/v1/me";
const VERIFY: &str = "/api/v1/verify";

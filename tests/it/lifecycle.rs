//! The life of every resource: what the API does, seen from outside, on both databases.

mod api_keys;
mod audit;
mod batch;
mod ceiling;
mod dry_run;
mod idempotency;
mod lists;
mod me;
mod patches;
mod roles;
mod verify;

use std::time::Duration;

use acceptance::{Answer, Api, Key, until};
use serde_json::{Value, json};

/// Makes a role with these permissions and returns its id.
async fn role(api: &Api, name: &str, permissions: &[&str]) -> i64 {
    role_made(api, json!({ "name": name, "permissions": permissions })).await
}

async fn role_made(api: &Api, new: Value) -> i64 {
    let created = api.post(ROLES, new).await.expect(201);
    created.body["id"].as_i64().unwrap()
}

/// What `/verify` says of a secret, in one word.
async fn code(api: &Api, secret: &str) -> String {
    let verdict = api.post(VERIFY, json!({ "credential": secret })).await.expect(200);
    verdict.text_of("code").to_owned()
}

/// Asks until `/verify` says that the secret has ended.
async fn until_expired(api: &Api, secret: &str) {
    until("it has ended", async || code(api, secret).await == "expired").await;
}

/// The moment so many seconds from now, by the server's own clock: the end of an old secret.
async fn moment(admin: &Api, seconds: i64) -> String {
    let clock = Key::holding(admin, "clock", &[]).await;
    admin.post(&clock.at("/rotate"), json!({ "overlap_seconds": seconds })).await.expect(200);
    let rotation = admin.get(&clock.at("/rotation")).await.expect(200);
    rotation.text_of("old_secret_expires_at").to_owned()
}

/// Deletes the user `admin`, so that nobody but keys may do everything.
async fn without_the_person(admin: &Api) {
    let list = admin.get(&format!("{USERS}?username=admin")).await.expect(200);
    let id = list.body["data"][0]["id"].as_str().unwrap();
    admin.delete(&format!("{USERS}/{id}")).await.expect(204);
}

/// The end of the audit log: it moves with every change, and with nothing else.
async fn head(admin: &Api) -> Value {
    let report = admin.get(&format!("{EVENTS}/verify")).await.expect(200);
    assert_eq!(report.body["valid"], true, "{report}");
    report.body["head"].clone()
}

/// Everything that can be listed, and the end of the audit log; not when keys were used, which is
/// written at some time after they were.
async fn everything(admin: &Api) -> Value {
    let mut keys = admin.get(&format!("{KEYS}?limit=100")).await.expect(200);
    for key in keys.body["data"].as_array_mut().unwrap() {
        key["last_used_at"].take();
    }
    let roles = admin.get(&format!("{ROLES}?limit=100")).await.expect(200);
    json!({ "keys": keys.body, "roles": roles.body, "head": head(admin).await })
}

/// One member of each item of a list.
#[track_caller]
fn each(answer: &Answer, member: &str) -> Vec<Value> {
    let items = answer.body["data"].as_array().unwrap_or_else(|| panic!("no data in {answer}"));
    items.iter().map(|item| item[member].clone()).collect()
}

/// The pointers of all broken rules, in the order of the answer.
#[track_caller]
fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("none in {answer}"));
    errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
}

const KEYS: &str = "/api/v1/api-keys";
const ROLES: &str = "/api/v1/roles";
const USERS: &str = "/api/v1/users";
const EVENTS: &str = "/api/v1/audit-events";
const VERIFY: &str = "/api/v1/verify";
const ME: &str = "/api/v1/me";

const ADMINISTRATOR: i64 = 1;
const KEY_MANAGER: i64 = 2;
const AUDITOR: i64 = 3;
const VERIFIER: i64 = 4;

const DEADLINE: Duration = Duration::from_secs(30);

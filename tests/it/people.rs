//! Users, service accounts, and the tokens that act as them, seen from outside.

mod ceiling;
mod idor;
mod narrowing;
mod offboarding;
mod old_secrets;
mod passwords;
mod rotation;
mod tokens;
mod users;

use acceptance::{Answer, Api, Caller};
use serde_json::{Value, json};

/// A user or service account that a test made.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
}

impl Account {
    async fn made(api: &Api, new: Value) -> Self {
        Self { id: api.post(USERS, new).await.expect(201).text_of("id").to_owned() }
    }

    /// A service account of this name with these roles.
    pub(crate) async fn service(api: &Api, username: &str, roles: &[i64]) -> Self {
        let new = json!({ "username": username, "is_service_account": true, "role_ids": roles });
        Self::made(api, new).await
    }

    /// A person of this name with these roles, and with [`PASSWORD`].
    pub(crate) async fn person(api: &Api, username: &str, roles: &[i64]) -> Self {
        let new = json!({ "username": username, "password": PASSWORD, "role_ids": roles });
        Self::made(api, new).await
    }

    /// Its path, and what stands below it.
    pub(crate) fn at(&self, rest: &str) -> String {
        format!("{USERS}/{}{rest}", self.id)
    }

    /// A new token of it, if `api` may make one.
    async fn token(&self, api: &Api, new: Value) -> Token {
        Token::of(&api.post(&self.at("/tokens"), new).await.expect(201))
    }
}

/// A token that a test made, with the secret of that time.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Token {
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        Self { id: answer.text_of("id").to_owned(), secret: answer.text_of("token").to_owned() }
    }

    /// A new token of whoever asks.
    async fn own(api: &Api, new: Value) -> Self {
        Self::of(&api.post(TOKENS, new).await.expect(201))
    }

    /// Its path for its owner, and what stands below it.
    pub(crate) fn at(&self, rest: &str) -> String {
        format!("{TOKENS}/{}{rest}", self.id)
    }

    /// The API for whoever holds the secret.
    pub(crate) fn api(&self, api: &Api) -> Api {
        api.with(Caller::Bearer(self.secret.clone()))
    }
}

/// A service account with these roles, and the API for a token of it.
async fn program(admin: &Api, username: &str, roles: &[i64]) -> (Account, Api) {
    let account = Account::service(admin, username, roles).await;
    let token = account.token(admin, json!({ "name": "all" })).await;
    (account, token.api(admin))
}

/// The API for somebody who signs in with this name and [`PASSWORD`].
pub(crate) async fn signed_in(api: &Api, username: &str) -> Api {
    let login = sign_in(api, username, PASSWORD).await.expect(200);
    api.with(Caller::Bearer(login.text_of("access_token").to_owned()))
}

pub(crate) async fn sign_in(api: &Api, username: &str, password: &str) -> Answer {
    let login = json!({ "username": username, "password": password });
    api.with(Caller::Anonymous).post("/api/v1/auth/login", login).await
}

/// A new API key with these roles.
pub(crate) async fn key(admin: &Api, roles: &[i64]) -> Api {
    let made = admin.post(KEYS, json!({ "name": "key", "role_ids": roles })).await.expect(201);
    admin.with(Caller::Header(made.text_of("key").to_owned()))
}

/// Makes a role with these permissions and returns its id.
pub(crate) async fn role(api: &Api, name: &str, permissions: &[&str]) -> i64 {
    let new = json!({ "name": name, "permissions": permissions });
    api.post("/api/v1/roles", new).await.expect(201).body["id"].as_i64().unwrap()
}

/// The id of the user `admin`, which every server has.
async fn first_admin(admin: &Api) -> Account {
    let list = admin.get(&format!("{USERS}?username=admin")).await.expect(200);
    Account { id: list.body["data"][0]["id"].as_str().unwrap().to_owned() }
}

/// What `/verify` says of a secret, in one word.
async fn code(api: &Api, secret: &str) -> String {
    let verdict = api.post("/api/v1/verify", json!({ "credential": secret })).await.expect(200);
    verdict.text_of("code").to_owned()
}

/// The end of the audit log: it moves with every change, and with nothing else.
async fn head(admin: &Api) -> Value {
    let report = admin.get(&format!("{EVENTS}/verify")).await.expect(200);
    assert_eq!(report.body["valid"], true, "{report}");
    report.body["head"].clone()
}

/// What the newest events say was done, the newest first.
async fn actions(admin: &Api, filter: &str) -> Vec<Value> {
    each(&admin.get(&format!("{EVENTS}?limit=100&{filter}")).await.expect(200), "action")
}

/// One member of each item of a list.
#[track_caller]
pub(crate) fn each(answer: &Answer, member: &str) -> Vec<Value> {
    let items = answer.body["data"].as_array().unwrap_or_else(|| panic!("no data in {answer}"));
    items.iter().map(|item| item[member].clone()).collect()
}

/// The pointers of all broken rules, in the order of the answer.
#[track_caller]
pub(crate) fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("none in {answer}"));
    errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
}

#[track_caller]
fn too_high(answer: Answer) {
    answer.expect(403).problem("ceiling_exceeded");
}

pub(crate) const USERS: &str = "/api/v1/users";
pub(crate) const TOKENS: &str = "/api/v1/me/tokens";
const KEYS: &str = "/api/v1/api-keys";
const EVENTS: &str = "/api/v1/audit-events";
pub(crate) const ME: &str = "/api/v1/me";
/// An id that was never given.
pub(crate) const NO_ID: &str = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";
pub(crate) const PASSWORD: &str = "mulberry tractor envelope seventeen";

const ADMINISTRATOR: i64 = 1;
pub(crate) const KEY_MANAGER: i64 = 2;
const AUDITOR: i64 = 3;
pub(crate) const VERIFIER: i64 = 4;

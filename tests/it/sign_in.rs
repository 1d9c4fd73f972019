//! Signing in with a name and a password: sessions, refresh tokens, passwords, and the keys that
//! everybody may check the access tokens with.

mod commands;
mod parallel;
mod passwords;
mod published;
mod sessions;
mod uniform;

use acceptance::{Answer, Api, Caller, Database, Server};
use serde_json::{Value, json};

/// A server on an empty database with the user `ann`, and the administrator's API.
async fn started(database: &Database) -> (Server, Api) {
    let (server, admin) = acceptance::started(database).await;
    person(&admin, "ann", &[VERIFIER]).await;
    (server, admin)
}

/// Makes somebody with the password [`PASSWORD`], and returns their path.
async fn person(admin: &Api, username: &str, roles: &[i64]) -> String {
    let new = json!({ "username": username, "password": PASSWORD, "role_ids": roles });
    format!("{USERS}/{}", admin.post(USERS, new).await.expect(201).text_of("id"))
}

/// What signing in gave.
#[derive(Clone, Debug)]
struct Session {
    api: Api,
    refresh_token: String,
}

impl Session {
    /// Signs `ann` in.
    async fn of_ann(api: &Api) -> Self {
        Self::of(api, &login(api, "ann", PASSWORD).await.expect(200))
    }

    #[track_caller]
    fn of(api: &Api, answer: &Answer) -> Self {
        let caller = Caller::Bearer(answer.text_of("access_token").to_owned());
        Self { api: api.with(caller), refresh_token: answer.text_of("refresh_token").to_owned() }
    }

    async fn refresh(&self) -> Answer {
        let anybody = self.api.with(Caller::Anonymous);
        anybody.post(REFRESH, json!({ "refresh_token": self.refresh_token })).await
    }

    async fn refreshed(&self) -> Self {
        Self::of(&self.api, &self.refresh().await.expect(200))
    }

    async fn log_out(&self) {
        let anybody = self.api.with(Caller::Anonymous);
        anybody.post(LOGOUT, json!({ "refresh_token": self.refresh_token })).await.expect(204);
    }

    async fn works(&self) {
        self.api.get(ME).await.expect(200);
    }

    /// Neither token is good for anything any more.
    async fn is_over(&self) {
        self.api.get(ME).await.expect(401).problem("invalid_credential");
        self.refresh().await.expect(401).problem("invalid_refresh_token");
    }
}

async fn login(api: &Api, username: &str, password: &str) -> Answer {
    let typed = json!({ "username": username, "password": password });
    api.with(Caller::Anonymous).post(LOGIN, typed).await
}

/// The actions of the newest events, the newest first.
async fn actions(admin: &Api) -> Vec<Value> {
    let events = admin.get("/api/v1/audit-events?limit=100").await.expect(200);
    let events = events.body["data"].as_array().unwrap().iter();
    events.map(|event| event["action"].clone()).collect()
}

/// How many events tell of an action.
async fn count(admin: &Api, action: &str) -> usize {
    actions(admin).await.iter().filter(|it| **it == action).count()
}

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";
const ME: &str = "/api/v1/me";
const OWN_PASSWORD: &str = "/api/v1/me/password";
const USERS: &str = "/api/v1/users";
const PROVIDERS: &str = "/api/v1/providers";

const KEY_MANAGER: i64 = 2;
const VERIFIER: i64 = 4;

const PASSWORD: &str = "correct horse battery staple";

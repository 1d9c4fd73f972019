//! API keys as tests have them.

use serde_json::{Value, json};

use crate::{Answer, Api, Caller};

/// A key that a test made, with the secret of that time.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

impl Key {
    /// A new key with these members.
    ///
    /// # Panics
    /// If `api` may not make it.
    pub async fn made(api: &Api, new: Value) -> Self {
        Self::of(&api.post(KEYS, new).await.expect(201))
    }

    /// A new key of this name with these roles, and nothing else.
    ///
    /// # Panics
    /// If `api` may not make it.
    pub async fn holding(api: &Api, name: &str, roles: &[i64]) -> Self {
        Self::made(api, json!({ "name": name, "role_ids": roles })).await
    }

    /// The key of an answer that shows its secret.
    ///
    /// # Panics
    /// If it shows none.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        Self { id: answer.text_of("id").to_owned(), secret: answer.text_of("key").to_owned() }
    }

    /// Its path, and what stands below it.
    pub fn at(&self, rest: &str) -> String {
        format!("{KEYS}/{}{rest}", self.id)
    }

    /// Whoever holds the secret, and shows it in a header.
    pub fn caller(&self) -> Caller {
        Caller::Header(self.secret.clone())
    }

    /// The API for whoever holds the secret.
    pub fn api(&self, api: &Api) -> Api {
        api.with(self.caller())
    }
}

const KEYS: &str = "/api/v1/api-keys";

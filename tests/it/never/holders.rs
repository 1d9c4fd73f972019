//! Somebody with a credential, of every kind there is.

use acceptance::{Api, Caller};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{World, answer};

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ApiKey,
    /// An access token for the id and secret of a key.
    ClientToken,
    /// A personal access token that is narrowed to some scopes.
    NarrowedToken,
    /// An access token for a key, narrowed to some scopes.
    NarrowedTrade,
    /// A personal access token of a person.
    PersonalToken,
    /// A token of a service account.
    ProgramToken,
    /// An access token of somebody who signed in.
    Session,
    /// An access token for a key.
    TradedKey,
    /// An access token for a token of a service account.
    TradedToken,
}

/// Somebody who has a credential, and what it stands on.
#[derive(Clone, Debug)]
pub struct Holder {
    pub kind: Kind,
    pub secret: String,
    /// The path of the key or token that it is, or that it was traded for.
    pub credential: Option<String>,
    /// The path of the user that it acts as.
    pub account: Option<String>,
    /// What ends its session.
    pub refresh_token: Option<String>,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::ApiKey,
        Self::ClientToken,
        Self::NarrowedToken,
        Self::NarrowedTrade,
        Self::PersonalToken,
        Self::ProgramToken,
        Self::Session,
        Self::TradedKey,
        Self::TradedToken,
    ];

    /// Whether it allows less than what it stands on.
    pub fn is_narrowed(self) -> bool {
        matches!(self, Self::NarrowedToken | Self::NarrowedTrade)
    }

    /// A new one for somebody with this role, narrowed to these scopes if it is of such a kind.
    pub async fn made(self, world: &World, role: &Value, scopes: &[&str]) -> Holder {
        match self {
            Self::ApiKey => key(world, role, &Value::Null).await,
            Self::ClientToken => client(world, key(world, role, &Value::Null).await).await,
            Self::NarrowedToken => token(world, role, json!({ "scopes": scopes })).await,
            Self::NarrowedTrade => {
                let scope = if scopes.is_empty() { "invoices.read" } else { &scopes.join(" ") };
                traded(world, key(world, role, &Value::Null).await, &[("scope", scope)]).await
            }
            Self::PersonalToken => token(world, role, json!({})).await,
            Self::ProgramToken => program(world, role).await,
            Self::Session => session(world, role).await,
            Self::TradedKey => traded(world, key(world, role, &Value::Null).await, &[]).await,
            Self::TradedToken => traded(world, program(world, role).await, &[]).await,
        }
        .of_kind(self)
    }
}

impl Holder {
    /// Whoever shows the credential, at every place where it may stand.
    pub fn callers(&self) -> Vec<Caller> {
        let bearer = Caller::Bearer(self.secret.clone());
        match self.kind {
            Kind::ApiKey | Kind::NarrowedToken | Kind::PersonalToken | Kind::ProgramToken => {
                let secret = || self.secret.clone();
                vec![bearer, Caller::Header(secret()), Caller::Query(secret())]
            }
            _ => vec![bearer],
        }
    }

    fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}

/// A key that ends at some time.
pub async fn key(world: &World, role: &Value, end: &Value) -> Holder {
    let new = json!({ "name": "caller", "role_ids": [role], "expires_at": end });
    let made = world.admin.post("/api/v1/api-keys", new).await.expect(201);
    Holder {
        kind: Kind::ApiKey,
        secret: made.text_of("key").to_owned(),
        credential: Some(format!("/api/v1/api-keys/{}", made.text_of("id"))),
        account: None,
        refresh_token: None,
    }
}

/// An access token for a key or token.
pub async fn traded(world: &World, holder: Holder, wishes: &[(&str, &str)]) -> Holder {
    let grant = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", &holder.secret),
    ];
    let secret = issued(&world.anonymous(), &[&grant, wishes].concat()).await;
    Holder { secret, ..holder }
}

async fn client(world: &World, holder: Holder) -> Holder {
    let (_, id) = holder.credential.as_ref().unwrap().rsplit_once('/').unwrap();
    let grant = ("grant_type", "client_credentials");
    let form = [grant, ("client_id", id), ("client_secret", &holder.secret)];
    let secret = issued(&world.anonymous(), &form).await;
    Holder { secret, ..holder }
}

async fn issued(api: &Api, form: &[(&str, &str)]) -> String {
    let issued = answer(api.request(Method::POST, "/oauth2/token").form(form)).await.expect(200);
    issued.text_of("access_token").to_owned()
}

async fn program(world: &World, role: &Value) -> Holder {
    let name = world.fresh_name().await;
    let new = json!({ "username": name, "is_service_account": true, "role_ids": [role] });
    let made = world.admin.post("/api/v1/users", new).await.expect(201);
    let account = format!("/api/v1/users/{}", made.text_of("id"));
    let made = world.admin.post(&format!("{account}/tokens"), json!({})).await.expect(201);
    Holder {
        kind: Kind::ProgramToken,
        secret: made.text_of("token").to_owned(),
        credential: Some(format!("{account}/tokens/{}", made.text_of("id"))),
        account: Some(account),
        refresh_token: None,
    }
}

async fn session(world: &World, role: &Value) -> Holder {
    let name = world.fresh_name().await;
    let new = json!({ "username": name, "password": PASSWORD, "role_ids": [role] });
    let made = world.admin.post("/api/v1/users", new).await.expect(201);
    let typed = json!({ "username": name, "password": PASSWORD });
    let signed_in = world.anonymous().post("/api/v1/auth/login", typed).await.expect(200);
    Holder {
        kind: Kind::Session,
        secret: signed_in.text_of("access_token").to_owned(),
        credential: None,
        account: Some(format!("/api/v1/users/{}", made.text_of("id"))),
        refresh_token: Some(signed_in.text_of("refresh_token").to_owned()),
    }
}

async fn token(world: &World, role: &Value, new: Value) -> Holder {
    let owner = session(world, role).await;
    let own = world.admin.with(Caller::Bearer(owner.secret));
    let made = own.post("/api/v1/me/tokens", new).await.expect(201);
    let account = owner.account.unwrap();
    Holder {
        kind: Kind::PersonalToken,
        secret: made.text_of("token").to_owned(),
        credential: Some(format!("{account}/tokens/{}", made.text_of("id"))),
        account: Some(account),
        refresh_token: None,
    }
}

const PASSWORD: &str = "mulberry tractor envelope seventeen";

//! Providers, and the tokens of OpenID providers that others wrote, seen from outside.

mod attacks;
mod bearer;
pub(crate) mod claims;
mod keycloak;
mod providers;
mod several;
mod sso;
mod trades;

use acceptance::{
    Answer, Api, Caller, Part,
    oidc::{OpenIdProvider, User},
};
use serde_json::{Value, json};

/// An identity provider, if this machine has one.
pub(crate) async fn idp() -> Option<OpenIdProvider> {
    if Part::OpenId.or_skip() { Some(OpenIdProvider::start().await) } else { None }
}

/// A provider that a test made.
struct Provider {
    id: String,
}

impl Provider {
    async fn made(admin: &Api, new: Value) -> Self {
        Self { id: admin.post(PROVIDERS, new).await.expect(201).text_of("id").to_owned() }
    }

    /// One that takes the tokens of `idp` for [`AUDIENCE`] and makes users, with more members.
    async fn of(admin: &Api, idp: &OpenIdProvider, more: Value) -> Self {
        let mut new = json!({
            "name": "Company",
            "kind": "oidc",
            "authority": idp.issuer(),
            "audience": AUDIENCE,
            "create_users": true,
        });
        let more = more.as_object().unwrap().clone();
        new.as_object_mut().unwrap().extend(more);
        Self::made(admin, new).await
    }

    fn path(&self) -> String {
        format!("{PROVIDERS}/{}", self.id)
    }

    async fn change(&self, admin: &Api, patch: Value) -> Answer {
        admin.patch(&self.path(), patch).await.expect(200)
    }
}

/// The API for whoever bears a token.
fn bearing(api: &Api, token: &str) -> Api {
    api.with(Caller::Bearer(token.to_owned()))
}

/// Whether a token is taken.
async fn is_taken(api: &Api, token: &str) -> bool {
    let answer = bearing(api, token).get(ME).await;
    assert!([200, 401].contains(&answer.status.as_u16()), "{answer}");
    answer.status == 200
}

/// Jane's access token for Keystile.
async fn token_of_jane(idp: &OpenIdProvider) -> String {
    idp.access_token(&jane(), AUDIENCE, SCOPE).await
}

pub(crate) fn jane() -> User {
    User::new("jane-1").claim("preferred_username", "jane")
}

/// Seconds since 1970, as tokens tell them.
pub(crate) fn now() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    now.as_secs().try_into().unwrap()
}

/// What a 401 says, but for the name of its request.
#[track_caller]
fn refusal(answer: &Answer) -> Value {
    assert_eq!(answer.status, 401, "{answer}");
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    json!({ "body": body, "challenge": answer.header("www-authenticate") })
}

pub(crate) const AUDIENCE: &str = "api://keystile";
pub(crate) const SCOPE: &str = "keys.read";
pub(crate) const ME: &str = "/api/v1/me";
pub(crate) const PROVIDERS: &str = "/api/v1/providers";
const USERS: &str = "/api/v1/users";
pub(crate) const KEYS: &str = "/api/v1/api-keys";
const EVENTS: &str = "/api/v1/audit-events";

const AUDITOR: i64 = 3;

//! `oidc-provider`, led by the test.

use serde_json::{Value, json};
use tokio::{process::Command, sync::Mutex};

use super::{User, browser::Registered, dialogue::Dialogue};
use crate::programs;

/// A running `oidc-provider` on a port of its own. Dropped, it is killed.
///
/// It grants whatever is asked, to every audience and without a word to the user.
#[derive(Debug)]
pub struct OpenIdProvider {
    issuer: String,
    client: Registered,
    dialogue: Mutex<Dialogue>,
}

impl OpenIdProvider {
    /// Starts a provider that signs with RS256, as most do.
    pub async fn start() -> Self {
        Self::start_with(SigningAlgorithm::Rs256).await
    }

    /// Starts a provider that signs with this algorithm.
    ///
    /// # Panics
    /// If it is not here (ask [`Part::OpenId`](crate::Part::OpenId) first) or does not start.
    pub async fn start_with(algorithm: SigningAlgorithm) -> Self {
        let (node, script) = programs::oidc_provider().expect("oidc-provider");
        let mut command = Command::new(node);
        command.arg(script);
        let mut dialogue = Dialogue::start(command);
        let ready = dialogue.answer().await;
        let provider = Self {
            issuer: text(&ready, "issuer"),
            client: Registered {
                id: text(&ready, "client_id"),
                secret: text(&ready, "client_secret"),
                callback: text(&ready, "callback"),
            },
            dialogue: Mutex::new(dialogue),
        };
        provider.replace_keys(algorithm).await;
        provider
    }

    /// Its `iss`, which is also its address: `http://127.0.0.1:…`, without a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The id of the client that signs users in here: `aud` of ID tokens, `client_id` of all others.
    pub fn client_id(&self) -> &str {
        &self.client.id
    }

    /// The password of that client.
    pub fn client_secret(&self) -> &str {
        &self.client.secret
    }

    /// The id of another client: a program on its user's own machine, which has no secret.
    pub fn native_client_id(&self) -> &'static str {
        "keystile-cli"
    }

    /// An access token (RFC 9068, five minutes) that the user let the client have by the
    /// authorization code flow. It has all the user's claims. The audience is an absolute URI
    /// (RFC 8707).
    pub async fn access_token(&self, user: &User, audience: &str, scope: &str) -> String {
        text(&self.sign_in(user, scope, &[("resource", audience)]).await, "access_token")
    }

    /// The ID token of the same flow (five minutes, with a nonce), whose audience is the client. It
    /// has the claims of the scopes `profile`, `email` and `groups`: `name`, `preferred_username`,
    /// `email`, `email_verified`, `groups`.
    pub async fn id_token(&self, user: &User) -> String {
        let scope = "openid profile email groups";
        text(&self.sign_in(user, scope, &[("nonce", "a-nonce")]).await, "id_token")
    }

    /// An access token for the client itself, by its credentials: `sub` is its id.
    pub async fn client_token(&self, audience: &str, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", audience), ("scope", scope)];
        text(&self.client.tokens(&self.issuer, &form).await, "access_token")
    }

    /// A JWT with these claims and no others, signed with the newest key; the header has `alg` and
    /// `kid`, unless `header` has others. So looks what a provider would not send by itself: an
    /// expired token, another's audience, or the ID token of a CI job.
    pub async fn sign(&self, header: Value, claims: Value) -> String {
        let signed = self.order(json!({"sign": {"header": header, "claims": claims}})).await;
        signed.as_str().expect("a signed token").to_owned()
    }

    /// Signs with a new key from now on, and publishes it beside the old ones. Returns its `kid`.
    pub async fn rotate_keys(&self, algorithm: SigningAlgorithm) -> String {
        self.new_key(algorithm, true).await
    }

    /// Signs with a new key from now on, and publishes no other. Returns its `kid`.
    pub async fn replace_keys(&self, algorithm: SigningAlgorithm) -> String {
        self.new_key(algorithm, false).await
    }

    /// Cuts every connection without an answer, until [`recover`](Self::recover). [`sign`](Self::sign)
    /// goes on; all other tokens are to be had before.
    pub async fn fail(&self) {
        self.order(json!({"down": true})).await;
    }

    /// Answers again, at the same address and with the same keys.
    pub async fn recover(&self) {
        self.order(json!({"down": false})).await;
    }

    /// How often its discovery document was asked for, answered or not.
    pub async fn discoveries(&self) -> u64 {
        self.count("/.well-known/openid-configuration").await
    }

    /// How often its keys were asked for, answered or not.
    pub async fn key_fetches(&self) -> u64 {
        self.count("/jwks").await
    }

    /// Learns what to say of this user, who may then sign in by their `sub` as `login_hint`.
    pub async fn know(&self, user: &User) {
        let User { subject, claims } = user;
        self.order(json!({"user": {"subject": subject, "claims": claims}})).await;
    }

    async fn sign_in(&self, user: &User, scope: &str, extra: &[(&str, &str)]) -> Value {
        self.know(user).await;
        let subject = &user.subject;
        self.client.sign_in(&self.issuer, subject, scope, extra).await
    }

    async fn new_key(&self, algorithm: SigningAlgorithm, keep: bool) -> String {
        let order = json!({"rotate": {"algorithm": algorithm.as_str(), "keep": keep}});
        text(&self.order(order).await, "kid")
    }

    async fn count(&self, path: &str) -> u64 {
        self.order(json!({"count": {"path": path}})).await.as_u64().expect("a number")
    }

    async fn order(&self, order: Value) -> Value {
        self.dialogue.lock().await.order(&order).await
    }
}

/// What a provider signs with (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, and a key of 2,048 bits.
    Rs256,
}

impl SigningAlgorithm {
    /// The name in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}")).to_owned()
}

//! A server, a way to it that can be cut, and verifiers behind that.

use std::time::Duration;

use acceptance::{Api, Database, Key, Options, Server, until};
use keystile_auth::{Refused, Verify};
use keystile_domain::{Context, CredentialText, Decision};
use keystile_remote::{Builder, RemoteVerifier};

use super::cable::Cable;
use super::verifier_key;

pub struct Stage {
    pub server: Server,
    pub admin: Api,
    pub cable: Cable,
    /// The key of verifiers.
    pub own: Key,
}

impl Stage {
    /// A server whose verifiers may answer from memory for [`LEASE`].
    pub async fn on(database: &Database) -> Self {
        Self::leasing(database, "1s").await
    }

    /// A server whose verifiers may answer from memory for so long.
    pub async fn leasing(database: &Database, lease: &str) -> Self {
        let server = Server::start(&Options::on(database).env("KEYSTILE_LEASE", lease)).await;
        let admin = server.admin();
        let cable = Cable::to(server.address()).await;
        let own = verifier_key(&admin).await;
        Self { server, admin, cable, own }
    }

    /// A verifier that has a lease.
    pub async fn trusting(&self, set: impl FnOnce(Builder) -> Builder) -> RemoteVerifier {
        let builder = RemoteVerifier::builder(&self.cable.url(), &self.own.secret).unwrap();
        let verifier = set(builder).start().unwrap();
        until("it has a lease", async || verifier.is_trusting()).await;
        verifier
    }

    /// Waits until the server itself has seen in the feed what it has changed.
    pub async fn caught_up(&self) {
        let has_seen_all = async || {
            let verifiers = self.admin.get("/api/v1/verifiers").await.expect(200).body;
            verifiers["data"][0]["position"] == verifiers["head"]
        };
        until("the server has seen all changes", has_seen_all).await;
    }

    /// Waits until a verifier knows a credential without asking.
    pub async fn remembered(&self, verifier: &RemoteVerifier, text: &str) {
        let is_remembered = async || {
            let asked = self.cable.count_carried(LOOKUP);
            code(verifier, text).await == "valid" && self.cable.count_carried(LOOKUP) == asked
        };
        until("it is remembered", is_remembered).await;
    }
}

/// How a check ends: `valid`, the rule that says no, or why there is nothing to judge.
pub async fn code(verifier: &RemoteVerifier, text: &str) -> String {
    code_of(verifier, text, &Context::default()).await
}

pub async fn code_of(verifier: &RemoteVerifier, text: &str, context: &Context<'_>) -> String {
    let text = CredentialText::parse(text).unwrap();
    match verifier.verify(&text, context).await {
        Ok(Decision::Allow(_)) => "valid".to_owned(),
        Ok(Decision::Deny(denial)) => denial.rule().to_string(),
        Err(Refused::Exceeded { limit, .. }) => format!("{limit:?}").to_lowercase(),
        Err(Refused::Unavailable(_)) => "unavailable".to_owned(),
        Err(Refused::Unknown(_)) => "unknown".to_owned(),
        Err(other) => panic!("{other:?}"),
    }
}

pub const LEASE: Duration = Duration::from_secs(1);

/// How a verifier asks about a credential.
pub const LOOKUP: &str = "POST /api/v1/credentials/lookup";

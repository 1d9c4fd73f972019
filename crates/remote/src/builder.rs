//! How a verifier is to behave, before it begins.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keystile_auth::{Ambiguity, Chain, SystemClock, Trust, Verifier};
use keystile_domain::{Formats, Secret, SecretError};
use reqwest::Client;
use url::Url;

use crate::RemoteVerifier;
use crate::follower::Follower;
use crate::server::Server;
use crate::store::RemoteStore;
use crate::tokens::Tokens;
use crate::uses::{Uses, tell};

/// How a verifier is to behave. The defaults are the safe ones.
#[derive(Debug)]
pub struct Builder {
    url: Url,
    key: Secret,
    client: Option<Client>,
    ambiguity: Ambiguity,
    staleness: Duration,
    cache_bytes: usize,
}

/// Why a verifier cannot begin. Whether the server can be reached is no reason: it may come later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuilderError {
    /// There is no HTTP client, for want of certificates say.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
    /// The text is no key or token.
    #[error("the key cannot be one")]
    Key(#[source] SecretError),
    /// There is no tokio runtime to follow the server in.
    #[error("a verifier begins inside a tokio runtime")]
    Runtime,
    /// The text is no address of a server.
    #[error("the address of the server must be an http or https URL")]
    Url,
}

impl Builder {
    pub(crate) fn new(url: &str, key: &str) -> Result<Self, BuilderError> {
        let url = Url::parse(url).or(Err(BuilderError::Url))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(BuilderError::Url);
        }
        let key = Secret::parse(key).map_err(BuilderError::Key)?;
        let cache_bytes = 64 * 1024 * 1024;
        let (ambiguity, staleness) = (Ambiguity::default(), Duration::ZERO);
        Ok(Self { url, key, client: None, ambiguity, staleness, cache_bytes })
    }

    /// What to do with a request that shows two credentials at places of the server's providers,
    /// whatever these are by then: it is refused unless told.
    ///
    /// A guard with a chain of its own goes by
    /// [`Chain::with_ambiguity`](keystile_auth::Chain::with_ambiguity) instead.
    #[must_use]
    pub fn ambiguity(self, ambiguity: Ambiguity) -> Self {
        Self { ambiguity, ..self }
    }

    /// How many bytes of memory it may take for what it remembers, about: 64 MiB unless told.
    #[must_use]
    pub fn cache_bytes(self, bytes: usize) -> Self {
        Self { cache_bytes: bytes, ..self }
    }

    /// Another HTTP client: with certificates of one's own, say. Requests have deadlines of their
    /// own.
    #[must_use]
    pub fn client(self, client: Client) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Goes on answering from memory for so long after its lease, when the server is away: a week
    /// at most. What was revoked meanwhile is let in for that time, and no revocation can wait for
    /// this verifier: it is counted as `unproven`.
    ///
    /// Without this it fails closed.
    #[must_use]
    pub fn fail_static(self, max_staleness: Duration) -> Self {
        Self { staleness: max_staleness.min(MAX_STALENESS), ..self }
    }

    /// Begins to follow the server. What is asked before the server has answered is looked up one
    /// by one.
    ///
    /// # Errors
    ///
    /// [`BuilderError`] if it cannot begin; never because the server is away.
    pub fn start(self) -> Result<RemoteVerifier, BuilderError> {
        let runtime = tokio::runtime::Handle::try_current().or(Err(BuilderError::Runtime))?;
        let client = match self.client {
            Some(client) => client,
            None => client().map_err(BuilderError::Client)?,
        };
        let server = Server::new(client, self.url, &self.key)?;
        let trust = Arc::<Trust>::default();
        // Until the server has told how keys look, nothing is too strange to ask about.
        let formats = Formats::default().and_any();
        let for_tokens = self.cache_bytes / SHARE_OF_TOKENS;
        let verifier = Verifier::new(RemoteStore::new(server.clone()), SystemClock, formats)
            .remembering(Arc::clone(&trust), self.cache_bytes - for_tokens);
        let tokens = Tokens::new(server.clone(), Arc::clone(&trust), for_tokens);
        let verifier = Arc::new(verifier);
        let chain = Chain::default().with_ambiguity(self.ambiguity);
        let chain = Arc::new(ArcSwap::from_pointee(chain));
        let follower = Follower::new(
            server.clone(),
            trust,
            Arc::clone(&verifier),
            Arc::clone(&chain),
            self.ambiguity,
            self.staleness,
        );
        let (uses, told) = Uses::new();
        let tasks = [runtime.spawn(follower.run()), runtime.spawn(tell(server.clone(), told))];
        Ok(RemoteVerifier::new(verifier, tokens, server, chain, uses, tasks))
    }
}

fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(Duration::from_secs(1))
        .redirect(reqwest::redirect::Policy::none())
        .tcp_keepalive(Duration::from_secs(15))
        .user_agent(concat!("keystile-remote/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// One part in so many of what may be remembered is for JWTs.
const SHARE_OF_TOKENS: usize = 4;
const MAX_STALENESS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_needs_the_address_of_a_server_and_a_key() {
        for url in ["", "keystile.example.com", "ftp://keystile.example.com", "http://"] {
            assert!(matches!(Builder::new(url, "ks_1"), Err(BuilderError::Url)), "{url}");
        }
        for key in ["", "two words"] {
            let built = Builder::new("http://localhost", key);
            assert!(matches!(built, Err(BuilderError::Key(_))), "{key}");
        }
    }

    #[test]
    fn a_builder_shows_no_key() {
        let builder = Builder::new("http://localhost:8080", "ks_secret").unwrap();
        assert!(!format!("{builder:?}").contains("ks_secret"));
    }

    #[test]
    fn without_a_runtime_nothing_begins() {
        let builder = Builder::new("http://localhost:8080", "ks_secret").unwrap();
        assert!(matches!(builder.start(), Err(BuilderError::Runtime)));
    }
}

//! What can go wrong on the way to an issuer's keys.

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;

use keystile_auth::jwt::KeySetError;

/// The issuer's keys are not to be had at the moment: an outage, never a verdict on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the issuer are not to be had")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct Unavailable;

/// Why an attempt to fetch an issuer's keys failed: for the log and for readiness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The answer is no discovery document (OpenID Connect Discovery 1.0, section 3).
    #[error("the answer is no discovery document")]
    Discovery(#[source] serde_json::Error),
    /// A URL is not `https`, or leads to where its authority has no business.
    #[error("the URL is not one that this issuer may send us to")]
    Forbidden,
    /// The discovery document is that of another issuer.
    #[error("the discovery document names another issuer")]
    Issuer,
    /// The answer is no set of keys.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// The server could not be reached or did not answer.
    #[error("the server did not answer")]
    Request(#[from] reqwest::Error),
    /// The answer is not 200; a redirect is not followed.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// It took too long.
    #[error("the server took too long")]
    TimedOut,
    /// The answer is larger than 1 MiB.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// The system's trust store could not be read when the program began.
    #[error("the trust store of the system could not be read")]
    TrustStore(#[source] Arc<reqwest::Error>),
}

impl FetchError {
    /// The error and everything that led to it, in one line.
    pub(crate) fn causes(&self) -> String {
        let error: &(dyn Error + 'static) = self;
        let causes = successors(Some(error), |error| (*error).source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

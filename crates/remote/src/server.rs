//! The server over HTTP: a few requests, each with a deadline, on connections that are kept.

use std::sync::Arc;
use std::time::Duration;

use keystile_api::leases::{Lease, LeaseRequest, VerifierSettings};
use keystile_api::lookups::{Lookup, LookupRequest};
use keystile_api::problem::Problem;
use keystile_api::verify::{VerifyBatch, VerifyRequest};
use keystile_domain::Secret;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use crate::BuilderError;

/// A Keystile server, asked with one key.
#[derive(Clone, Debug)]
pub(crate) struct Server(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    client: Client,
    base: String,
    /// Marked as sensitive, so that nothing shows it.
    authorization: HeaderValue,
}

/// Why the server gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It refused the question itself: the verifier's own key is not valid or lacks
    /// `keystile.keys.verify`, say.
    #[error("the server answers {status} {code}")]
    #[non_exhaustive]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What went wrong, as the server calls it.
        code: String,
    },
    /// It cannot be reached, or did not answer in time.
    #[error("the server does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It answered what this version does not understand.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(&'static str),
}

impl ServerError {
    /// Whether the server has said that this verifier may not ask it.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 403, .. })
    }
}

/// How a check went that the server made and counted.
pub(crate) enum Counted {
    Valid,
    /// A limit of the credential is used up.
    Exceeded {
        code: String,
        retry_after: Duration,
    },
    /// It is not valid, or not any more.
    Invalid {
        code: String,
    },
}

impl Server {
    pub(crate) fn new(client: Client, url: Url, key: &Secret) -> Result<Self, BuilderError> {
        let text = Zeroizing::new(format!("Bearer {}", key.expose()));
        // A secret has visible characters alone.
        let mut authorization =
            HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"));
        authorization.set_sensitive(true);
        let base = format!("{}/api/v1", url.as_str().trim_end_matches('/'));
        Ok(Self(Arc::new(Connection { client, base, authorization })))
    }

    pub(crate) async fn look_up(
        &self,
        asked: &LookupRequest,
    ) -> Result<Lookup<'static>, ServerError> {
        self.post("/credentials/lookup", asked).await
    }

    pub(crate) async fn extend_lease(&self, asked: &LeaseRequest) -> Result<Lease, ServerError> {
        self.post("/verifiers/lease", asked).await
    }

    pub(crate) async fn settings(&self) -> Result<VerifierSettings, ServerError> {
        let request = self.request(Method::GET, "/verifiers/settings").timeout(DEADLINE);
        read(answer(request).await?).await
    }

    /// Has a check made and counted at the server.
    pub(crate) async fn count(&self, asked: &VerifyRequest) -> Result<Counted, ServerError> {
        let request = self.request(Method::POST, "/verify").json(asked).timeout(DEADLINE);
        let response = request.send().await.map_err(ServerError::Unreachable)?;
        let status = response.status().as_u16();
        if response.status().is_success() {
            return Ok(Counted::Valid);
        }
        let retry_after = retry_after(&response);
        let code = code(response).await;
        match (status, code.as_str()) {
            (429, "quota_exceeded" | "rate_limited") => Ok(Counted::Exceeded { code, retry_after }),
            (401, "invalid_credential" | "missing_credential") | (400 | 429 | 500.., _) => {
                Err(ServerError::Refused { status, code })
            }
            (403, "insufficient_permissions") => Err(ServerError::Refused { status, code }),
            _ => Ok(Counted::Invalid { code }),
        }
    }

    /// Has checks counted at the server, however they end there.
    pub(crate) async fn count_all(&self, asked: &VerifyBatch) -> Result<(), ServerError> {
        let request = self.request(Method::POST, "/verify/batch").json(asked).timeout(DEADLINE);
        answer(request).await.map(drop)
    }

    /// The stream of changes, which goes on without a deadline.
    pub(crate) async fn follow(&self) -> Result<Response, ServerError> {
        let request = self.request(Method::GET, "/changes").header(ACCEPT, "text/event-stream");
        answer(request).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ServerError> {
        let request = self.request(Method::POST, path).json(body).timeout(DEADLINE);
        read(answer(request).await?).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let connection = &self.0;
        let request = connection.client.request(method, format!("{}{path}", connection.base));
        request.header(AUTHORIZATION, connection.authorization.clone())
    }
}

async fn answer(request: RequestBuilder) -> Result<Response, ServerError> {
    let response = request.send().await.map_err(ServerError::Unreachable)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    Err(ServerError::Refused { status, code: code(response).await })
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ServerError> {
    let body = response.bytes().await.map_err(ServerError::Unreachable)?;
    serde_json::from_slice(&body).or(Err(ServerError::Unreadable("it is of another version")))
}

/// The word of a problem document.
async fn code(response: Response) -> String {
    let body = response.bytes().await.unwrap_or_default();
    serde_json::from_slice(&body).map_or_else(|_| String::new(), |problem: Problem| problem.code)
}

fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Duration::from_secs(seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(1))
}

/// How long an answer may take: as long as a client of the service would wait for it.
const DEADLINE: Duration = Duration::from_secs(2);

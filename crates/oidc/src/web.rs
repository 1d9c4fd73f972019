//! The one way out of this crate: every limit on what is fetched stands here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keystile_domain::Authority;
use reqwest::header::CACHE_CONTROL;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use crate::FetchError;
use crate::cache_control::max_age;
use crate::guard::{GuardedResolver, permits};

/// Fetches small documents of identity providers: straight from where they are, over `https`,
/// without redirects, proxies or credentials, at most 1 MiB, within 5 seconds in all.
///
/// Certificates are judged by the trust store of the system, which is read once. Without one, this
/// reaches nobody, but exists. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    client: Result<Client, Arc<reqwest::Error>>,
    patience: Duration,
}

/// What was fetched.
pub(crate) struct Document {
    pub(crate) body: Vec<u8>,
    pub(crate) max_age: Option<Duration>,
}

impl Web {
    /// Reads the trust store.
    #[must_use]
    pub fn new() -> Self {
        let client = Client::builder()
            .user_agent("keystile")
            .redirect(Policy::none())
            .referer(false)
            // A proxy would look names up on its own, past the guard.
            .no_proxy()
            .dns_resolver(GuardedResolver)
            // A kept connection belongs to the runtime that opened it, and dies or sleeps with it.
            .pool_max_idle_per_host(0)
            .build();
        Self { client: client.map_err(Arc::new), patience: Duration::from_secs(5) }
    }

    /// The same with another patience for all that one attempt takes.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Fetches a document to which the configuration or the authority's own document led.
    pub(crate) async fn fetch(
        &self,
        authority: &Authority,
        url: Url,
    ) -> Result<Document, FetchError> {
        if !permits(authority, &url) {
            return Err(FetchError::Forbidden);
        }
        let client = self.client.as_ref().map_err(|error| FetchError::TrustStore(error.clone()))?;
        let mut answer = client.get(url).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let cache_control = answer.headers().get(CACHE_CONTROL);
        let max_age = cache_control.and_then(|header| max_age(header.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Document { body, max_age })
    }
}

impl Default for Web {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").field("patience", &self.patience).finish_non_exhaustive()
    }
}

const MAX_BODY_BYTES: usize = 1024 * 1024;

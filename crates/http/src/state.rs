//! What every handler can reach.

use std::sync::Arc;
use std::time::Duration;

use keystile_auth::{Networks, TrustedProxies};
use keystile_service::Keystile;
use tokio::sync::Semaphore;

use crate::{Health, Metrics};

/// What every handler can reach.
pub struct State {
    /// The use cases.
    pub keystile: Keystile,
    /// Whose word about the client is taken.
    pub trusted_proxies: TrustedProxies,
    /// Whose plain HTTP counts as secure.
    pub insecure_http_from: Networks,
    /// How much of a request is read, and for how long.
    pub limits: Limits,
    /// Whether the server takes requests.
    pub health: Health,
    /// How many batches are held in memory at once.
    pub batches: Batches,
    /// What is counted of requests.
    pub metrics: Metrics,
}

/// Bounds the memory that batches take: four of them are held at once, the others wait.
#[derive(Clone, Debug)]
pub struct Batches(pub(crate) Arc<Semaphore>);

impl Default for Batches {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(4)))
    }
}

/// How much of a request is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a whole request may take to arrive.
    pub request_timeout: Duration,
    /// How many bytes the names and values of all headers may have, with four for each.
    pub max_header_bytes: usize,
    /// How many bytes a body may have.
    pub max_body_bytes: usize,
}

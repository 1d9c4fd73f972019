//! What every handler can reach.

use std::time::Duration;

use keystile_auth::{Chain, Networks, TrustedProxies};
use keystile_service::Keystile;

use crate::Health;

/// What every handler can reach.
#[expect(clippy::exhaustive_structs, reason = "the binary builds it field by field")]
pub struct State {
    /// The use cases.
    pub keystile: Keystile,
    /// Where credentials are looked for.
    pub chain: Chain,
    /// Whose word about the client is taken.
    pub trusted_proxies: TrustedProxies,
    /// Whose plain HTTP counts as secure.
    pub insecure_http_from: Networks,
    /// How much of a request is read, and for how long.
    pub limits: Limits,
    /// Whether the server takes requests.
    pub health: Health,
}

/// How much of a request is read, and for how long.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the binary builds it field by field")]
pub struct Limits {
    /// How long a whole request may take to arrive.
    pub request_timeout: Duration,
    /// How many bytes a body may have.
    pub max_body_bytes: usize,
}

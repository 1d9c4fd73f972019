//! Limits on the wire.

use serde::{Deserialize, Serialize};

/// At most `limit` uses at once, then one each `window_seconds / limit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "name": "default",
    "limit": 100,
    "window_seconds": 60
})))]
pub struct RateLimit {
    /// What it is called: 1 to 40 of `a-z`, `0-9`, `_` and `-`, and not `quota`; each name once.
    /// Left out: `default`.
    #[serde(default = "default_name")]
    #[cfg_attr(feature = "openapi", schema(default = "default", min_length = 1, max_length = 40))]
    pub name: String,
    /// How many uses there are: 1 to 1,000,000,000.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000_000))]
    pub limit: i64,
    /// After how many seconds without a use all of them are free again: 1 to 2,678,400.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_678_400))]
    pub window_seconds: i64,
}

/// How often a key may be used at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "limit": 10000,
    "refill": "month",
    "remaining": 9977
})))]
pub struct Quota {
    /// How many uses there are until the next refill.
    pub limit: i64,
    /// When they are all there again, in UTC: with every `day` or `month`, or `none`: never.
    pub refill: String,
    /// How many are left. What other servers hold ready, a small part of it, counts as used.
    pub remaining: i64,
}

/// How often a key shall be usable at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"limit": 10000, "refill": "month"})))]
pub struct NewQuota {
    /// How many uses there are until the next refill: 0 to 1,000,000,000,000.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000_000_000_i64))]
    pub limit: i64,
    /// When they are all there again, in UTC: with every `day` or `month`, or `none`: never.
    pub refill: String,
    /// How many are left from now on, up to `limit`. Left out: all of a new quota, or of one with
    /// another refill; of any other what was not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub remaining: Option<i64>,
}

/// How a limit stands after a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "name": "default",
    "limit": 100,
    "window_seconds": 60,
    "remaining": 99,
    "reset_seconds": 1
})))]
pub struct RateLimitState {
    /// What it is called.
    pub name: String,
    /// How many uses there are.
    pub limit: i64,
    /// After how many seconds without a use all of them are free again.
    pub window_seconds: i64,
    /// How many are free.
    pub remaining: i64,
    /// In how many seconds all of them are, rounded up.
    pub reset_seconds: i64,
}

fn default_name() -> String {
    "default".to_owned()
}

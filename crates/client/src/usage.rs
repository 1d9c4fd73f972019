//! Which part of a credential's usage is asked: the same of keys and of tokens.

use serde::Serialize;

/// Which checks are counted, and how. The default: those of the last seven days, by day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageFilter {
    /// `day` or `hour`, both in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// From this time on (RFC 3339), from the beginning of its hour or day: at most 31 days before
    /// `until` by hour, 366 by day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The hours that began before this time (RFC 3339); `None`: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

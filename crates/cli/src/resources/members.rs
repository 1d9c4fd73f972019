//! The flags of members that several kinds of things have: limits, a quota, metadata.

use clap::Args;
use keystile_api::limits::{NewQuota, RateLimit};
use keystile_api::patch::Patch;
use serde_json::{Map, Value};

use super::pair;
use crate::spans::span;

/// How often something may be used in a time.
#[derive(Args)]
#[group(multiple = true)]
pub struct Limits {
    /// Each limit that it has, as in 100/1m, or burst=20/1s where there are several
    #[arg(long, value_name = "[NAME=]LIMIT/WINDOW", value_parser = rate_limit)]
    rate_limit: Vec<RateLimit>,
    /// It has none of these
    #[arg(long, conflicts_with = "rate_limit")]
    no_rate_limit: bool,
}

/// How often something may be used at all.
#[derive(Args)]
#[group(multiple = false)]
pub struct QuotaFlags {
    /// How often it may be used in each month or day, as in 10000/month, or ever, as in 10000
    #[arg(long, value_name = "LIMIT[/REFILL]", value_parser = quota)]
    quota: Option<NewQuota>,
    /// As often as anybody likes
    #[arg(long)]
    no_quota: bool,
}

/// What is kept beside something.
#[derive(Args)]
pub struct Metadata {
    /// Something to keep beside it, as in team=billing; repeat it for more; `set` leaves the others,
    /// and removes one with team=null
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, Value)>,
    /// Nothing is kept beside it
    #[arg(long, conflicts_with = "metadata")]
    no_metadata: bool,
}

impl Limits {
    pub fn values(self) -> Vec<RateLimit> {
        self.rate_limit
    }

    pub fn patch(self) -> Patch<Vec<RateLimit>> {
        match (self.no_rate_limit, self.rate_limit) {
            (true, _) => Patch::Null,
            (false, limits) if limits.is_empty() => Patch::Absent,
            (false, limits) => Patch::Value(limits),
        }
    }
}

impl QuotaFlags {
    pub fn value(self) -> Option<NewQuota> {
        self.quota
    }

    pub fn patch(self) -> Patch<NewQuota> {
        match (self.no_quota, self.quota) {
            (true, _) => Patch::Null,
            (false, None) => Patch::Absent,
            (false, Some(quota)) => Patch::Value(quota),
        }
    }
}

impl Metadata {
    pub fn values(self) -> Map<String, Value> {
        self.metadata.into_iter().collect()
    }

    pub fn patch(self) -> Patch<Map<String, Value>> {
        match (self.no_metadata, self.values()) {
            (true, _) => Patch::Null,
            (false, members) if members.is_empty() => Patch::Absent,
            (false, members) => Patch::Value(members),
        }
    }
}

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    let wrong = || "it looks like 100/1m, or burst=20/1s".to_owned();
    let (name, limit) = text.split_once('=').unwrap_or((DEFAULT, text));
    let (limit, window) = limit.split_once('/').ok_or_else(wrong)?;
    Ok(RateLimit {
        name: name.to_owned(),
        limit: limit.parse().or(Err(wrong()))?,
        window_seconds: span(window)?.as_secs(),
    })
}

fn quota(text: &str) -> Result<NewQuota, String> {
    let (limit, refill) = text.split_once('/').unwrap_or((text, "none"));
    let limit = limit.parse().or(Err("it looks like 10000/month, 500/day or 10000"))?;
    Ok(NewQuota { limit, refill: refill.to_owned(), remaining: None })
}

/// What the only limit of a thing is called.
const DEFAULT: &str = "default";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_in_a_time() {
        let limit = |name: &str, limit, window_seconds| RateLimit {
            name: name.to_owned(),
            limit,
            window_seconds,
        };
        assert_eq!(rate_limit("100/1m"), Ok(limit("default", 100, 60)));
        assert_eq!(rate_limit("burst=20/1s"), Ok(limit("burst", 20, 1)));
        for wrong in ["100", "many/1m", "100/soon", "100/0s", ""] {
            assert!(rate_limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_quota_is_a_number_and_when_it_begins_anew() {
        for (text, refill) in [("10000/month", "month"), ("10000", "none")] {
            let read = quota(text).unwrap();
            assert_eq!((read.limit, read.refill.as_str()), (10_000, refill));
        }
        assert!(quota("many").is_err());
    }
}

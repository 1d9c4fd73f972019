//! The flags that say when something ends.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use keystile_api::patch::Patch;

use crate::failure::Failure;
use crate::moments::at;
use crate::spans::span;

/// When something ends; at most one of these.
#[derive(Args)]
#[group(multiple = false)]
pub struct Expiry {
    /// When it ends, as in 2027-01-31T12:00:00Z, or 2027-01-31 for midnight UTC
    #[arg(long, value_name = "TIME", value_parser = at)]
    expires_at: Option<Timestamp>,
    /// In how long it ends, as in 90d or 12h
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expires_in: Option<SignedDuration>,
    /// It never ends
    #[arg(long)]
    no_expiry: bool,
}

impl Expiry {
    /// As a member of a body; absent if none of the flags was given.
    pub fn patch(&self, now: Timestamp) -> Result<Patch<String>, Failure> {
        if self.no_expiry {
            return Ok(Patch::Null);
        }
        let at = match (self.expires_at, self.expires_in) {
            (Some(at), _) => at,
            (None, Some(length)) => now
                .checked_add(length)
                .or(Err(Failure::Usage("--expires-in: that is too far away".into())))?,
            (None, None) => return Ok(Patch::Absent),
        };
        Ok(Patch::Value(at.to_string()))
    }
}

/// Whether something that ends then has ended. What has no end never does.
pub fn has_ended(expires_at: Option<&str>, now: Timestamp) -> bool {
    expires_at.and_then(|at| at.parse::<Timestamp>().ok()).is_some_and(|at| at <= now)
}

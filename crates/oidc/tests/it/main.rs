//! Key sources against identity providers on real sockets, with the time handed in.

#![cfg(test)]

mod idp;
mod issuers;
mod refresh;
mod refusals;

use std::time::Duration;

use keystile_domain::Timestamp;
use keystile_oidc::{KeySource, Web};

use idp::Idp;

const COOL_DOWN: Duration = Duration::from_secs(30);

/// A moment of the tests' own time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000 * (1_800_000_000 + seconds))
}

/// A source of the keys of `idp`.
fn source(idp: &Idp) -> KeySource {
    KeySource::new(idp.authority(), Web::new(), COOL_DOWN)
}

//! The way to the server: TLS and its certificate, both versions of HTTP, proxies, and clients that
//! take their time or more than their share.

mod certificates;
mod floods;
mod frames;
mod http2;
mod proxies;
mod slow;
mod sslyze;
mod stopping;
mod tls;

use std::time::Duration;

use acceptance::{Certificates, Database, Options, scratch};

/// A server over TLS, and what its certificate is made with.
fn over_tls() -> (Options, Certificates) {
    let certificates = Certificates::make(&scratch::directory("certificates"));
    (Options::on(&Database::Sqlite).tls(&certificates), certificates)
}

/// How long the server may take at most for anything here.
const DEADLINE: Duration = Duration::from_secs(30);

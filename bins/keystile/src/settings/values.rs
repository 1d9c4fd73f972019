//! From the text of a setting to its type: one function for each kind of value, none with a side
//! effect.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use keystile_auth::{Networks, TrustedProxies, TrustedProxiesError};
use keystile_domain::{JwtAlgorithm, Secret};
use keystile_service::MasterKey;
use keystile_service::cluster::Lease;
use secrecy::SecretString;
use url::Url;

use super::problem::Rule;

/// The server's address as the world sees it: no slash at the end, no query, no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The text of the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An address with its port.
pub fn socket_address(text: &str) -> Result<SocketAddr, Rule> {
    text.parse().ok().ok_or(Rule("must be an address with a port, as in 127.0.0.1:8080"))
}

/// The path of a directory, which need not exist.
pub fn directory(text: &str) -> Result<PathBuf, Rule> {
    path(text).ok_or(Rule("must be the path of a directory"))
}

/// The path of a file, which is looked for when it is needed.
pub fn file(text: &str) -> Result<PathBuf, Rule> {
    path(text).ok_or(Rule("must be the path of a file"))
}

/// An absolute URL that paths can be appended to.
pub fn public_url(text: &str) -> Result<PublicUrl, Rule> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let url = url.ok_or(Rule("must be an absolute http:// or https:// URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Rule("must not contain a user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Rule("must have neither a query nor a fragment"));
    }
    Ok(PublicUrl(url.as_str().trim_end_matches('/').to_owned()))
}

/// Networks or single addresses, divided by commas.
pub fn networks(text: &str) -> Result<Networks, Rule> {
    text.parse().or(Err(Rule("must be networks or addresses, as in 10.0.0.0/8,::1")))
}

/// As [`networks`], but never everybody: who trusts every peer lets every client say where it is.
pub fn proxies(text: &str) -> Result<TrustedProxies, Rule> {
    if text.trim() == "*" {
        return Err(NOT_EVERYBODY);
    }
    text.parse().map_err(|error| match error {
        TrustedProxiesError::Everybody => NOT_EVERYBODY,
        _ => Rule("must be networks or addresses, as in 10.0.0.0/8,::1"),
    })
}

/// A number of threads.
pub fn workers(text: &str) -> Result<usize, Rule> {
    number(text, 1..=1024).ok_or(Rule("must be a whole number from 1 to 1024"))
}

/// What access tokens are signed with.
pub fn jwt_algorithm(text: &str) -> Result<JwtAlgorithm, Rule> {
    let signing = [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256];
    let named = signing.into_iter().find(|algorithm| algorithm.as_str() == text);
    named.ok_or(Rule("must be EdDSA, ES256 or RS256"))
}

/// The longest headers of a request, in bytes.
pub fn header_bytes(text: &str) -> Result<usize, Rule> {
    number(text, 1024..=32 * 1024).ok_or(Rule("must be a whole number of bytes from 1024 to 32768"))
}

/// The longest body of a request, in bytes.
pub fn body_bytes(text: &str) -> Result<usize, Rule> {
    number(text, 1024..=64 * 1024 * 1024)
        .ok_or(Rule("must be a whole number of bytes from 1024 to 67108864"))
}

/// Memory, in bytes.
pub fn cache_bytes(text: &str) -> Result<usize, Rule> {
    number(text, 0..=64 * 1024 * 1024 * 1024)
        .ok_or(Rule("must be a whole number of bytes from 0 to 68719476736"))
}

/// How long to believe without asking.
pub fn lease(text: &str) -> Result<Lease, Rule> {
    let lease = duration(text, Duration::ZERO).and_then(|lease| Lease::try_from(lease).ok());
    lease.ok_or(Rule("must be a duration from 0s to 60s, as in 2s or 500ms"))
}

/// A time that may be zero.
pub fn delay(text: &str) -> Result<Duration, Rule> {
    duration(text, Duration::ZERO)
        .ok_or(Rule("must be a duration from 0s to 1h, as in 5s or 500ms"))
}

/// A time in which something has to be done.
pub fn deadline(text: &str) -> Result<Duration, Rule> {
    duration(text, Duration::from_millis(100))
        .ok_or(Rule("must be a duration from 100ms to 1h, as in 10s"))
}

/// A number of days.
pub fn days(text: &str) -> Result<Duration, Rule> {
    let days = text.parse::<u32>().ok().filter(|days| (1..=3650).contains(days));
    let days = days.ok_or(Rule("must be a whole number of days from 1 to 3650"))?;
    Ok(days * DAY)
}

/// 32 bytes in base64, padded or not.
pub fn master_key(text: &str) -> Result<MasterKey, Rule> {
    MasterKey::parse(text).or(Err(Rule("must be 32 bytes in base64")))
}

/// The text of an API key, of any format: it is imported, not generated.
pub fn admin_key(text: &str) -> Result<Secret, Rule> {
    let secret = Secret::parse(text).ok().filter(|_| text.len() >= 20);
    secret.ok_or(Rule("must have 20 to 512 visible ASCII characters"))
}

/// A password that the built-in provider accepts.
pub fn admin_password(text: &str) -> Result<SecretString, Rule> {
    if text.chars().count() < 15 || text.len() > 1024 || text.contains(char::is_control) {
        return Err(Rule(
            "must have 15 characters or more, 1024 bytes at most, none of them control",
        ));
    }
    Ok(text.into())
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.into())
}

fn number(text: &str, range: RangeInclusive<usize>) -> Option<usize> {
    text.parse().ok().filter(|number| range.contains(number))
}

fn duration(text: &str, shortest: Duration) -> Option<Duration> {
    let duration = text.parse::<SignedDuration>().ok()?;
    Duration::try_from(duration).ok().filter(|duration| (shortest..=LONGEST).contains(duration))
}

/// Far above any use, and far below what a clock cannot add.
const LONGEST: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const NOT_EVERYBODY: Rule =
    Rule("must not be everybody: any client could then claim any address and https");

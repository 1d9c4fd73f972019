//! Which database, read from its URL.
//!
//! Only what a person can get wrong is judged here; how the connection is made, TLS included, is
//! the storage's business.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::effective::Effective;
use super::problem::Rule;

/// The database that the server keeps everything in.
#[derive(Debug)]
pub enum Database {
    /// Any number of servers share it.
    Postgres {
        /// `postgres://…`, possibly with several hosts.
        url: SecretString,
        /// A way around a pooler, for what needs a session of its own: the event feed and
        /// migrations. The same as `url` where none is set.
        direct_url: SecretString,
    },
    /// One file, one server.
    Sqlite {
        /// Where the file is.
        path: PathBuf,
    },
}

impl Database {
    /// Reads the database's settings, and the rules between them and others.
    pub fn read(effective: &mut Effective) -> Option<Self> {
        let url = effective.parse("database_url", parse_url);
        let direct_url = effective.parse("database_direct_url", parse_postgres);
        match url? {
            ParsedUrl::Postgres(url) => {
                if effective.value("master_key").is_none() {
                    effective.refuse("master_key", MASTER_KEY_REQUIRED);
                }
                Some(Self::Postgres { direct_url: direct_url.unwrap_or_else(|| url.clone()), url })
            }
            ParsedUrl::Sqlite(path) => {
                if direct_url.is_some() {
                    effective.refuse("database_direct_url", DIRECT_IS_FOR_POSTGRES);
                }
                Some(Self::Sqlite { path })
            }
        }
    }
}

impl Database {
    /// The way around a pooler, where there may be one.
    pub fn direct_url(&self) -> Option<&SecretString> {
        match self {
            Self::Postgres { direct_url, .. } => Some(direct_url),
            Self::Sqlite { .. } => None,
        }
    }
}

/// The URL with its password, if it has one, masked.
pub fn without_password(url: &str) -> String {
    let masked = || {
        let parts = Parts::split(url)?;
        let (user, _) = parts.user?.split_once(':')?;
        Some(format!("{}://{user}:{MASK}@{}{}", parts.scheme, parts.hosts, parts.rest))
    };
    masked().unwrap_or_else(|| url.to_owned())
}

/// What stands for a secret where it may not be shown.
pub const MASK: &str = "********";

enum ParsedUrl {
    Postgres(SecretString),
    Sqlite(PathBuf),
}

fn parse_url(text: &str) -> Result<ParsedUrl, Rule> {
    match text.strip_prefix("sqlite://") {
        Some(path) => parse_sqlite(path).map(ParsedUrl::Sqlite),
        None => parse_postgres(text).map(ParsedUrl::Postgres).map_err(|rule| match rule {
            NOT_POSTGRES => Rule("must be sqlite://PATH or postgres://…"),
            rule => rule,
        }),
    }
}

fn parse_sqlite(path: &str) -> Result<PathBuf, Rule> {
    match path {
        "" => Err(Rule("must name a file after sqlite://")),
        ":memory:" => Err(Rule("must name a file: a database in memory has one connection only")),
        _ if path.contains('?') => Err(Rule("must be sqlite://PATH without parameters")),
        _ if path.contains(char::is_control) => Err(Rule("must not contain control characters")),
        _ => Ok(path.into()),
    }
}

fn parse_postgres(text: &str) -> Result<SecretString, Rule> {
    let parts =
        Parts::split(text).filter(|parts| ["postgres", "postgresql"].contains(&parts.scheme));
    let Parts { scheme, user, hosts, rest } = parts.ok_or(NOT_POSTGRES)?;
    // A `/`, `?` or `#` in a password ends the host early and leaves the `@` behind.
    if text.matches('@').count() > usize::from(user.is_some()) {
        return Err(Rule("must have the special characters of its password percent-encoded"));
    }
    // PostgreSQL's URLs may list hosts with commas, which no other URL may.
    for host in hosts.split(',') {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let url = Url::parse(&format!("{scheme}://{user}{host}{rest}"));
        let url = url.ok().ok_or(Rule("must be a valid URL"))?;
        check_parameters(&url)?;
    }
    Ok(text.into())
}

fn check_parameters(url: &Url) -> Result<(), Rule> {
    let mut modes = url.query_pairs().filter(|(name, _)| name == "sslmode").map(|(_, mode)| mode);
    if modes.next().is_some_and(|mode| !SSL_MODES.contains(&mode.as_ref())) {
        return Err(Rule(
            "must have as sslmode disable, prefer, require, verify-ca or verify-full",
        ));
    }
    if modes.next().is_some() {
        return Err(Rule("must have one sslmode"));
    }
    if url.query_pairs().any(|(name, _)| name == "password") {
        return Err(Rule("must have its password before the @, where it is masked"));
    }
    Ok(())
}

/// A URL cut at the places that every other step relies on.
struct Parts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    hosts: &'a str,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn split(url: &'a str) -> Option<Self> {
        let (scheme, url) = url.split_once("://")?;
        let (authority, rest) =
            url.split_at_checked(url.find(['/', '?', '#']).unwrap_or(url.len()))?;
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Some(Self { scheme, user, hosts, rest })
    }
}

/// `allow` is missing on purpose: it means an encrypted connection only after a clear one failed.
const SSL_MODES: &[&str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];

const DIRECT_IS_FOR_POSTGRES: Rule = Rule("must be left out with SQLite, which has no pooler");
const MASTER_KEY_REQUIRED: Rule = Rule(
    "must be set with PostgreSQL: 32 bytes in base64, as `openssl rand -base64 32` makes them",
);
const NOT_POSTGRES: Rule = Rule("must be postgres://…");

//! Tickets: URLs for clients that cannot set a header, each good for one request.

use std::str::FromStr;
use std::time::Duration;

use crate::endpoint::is_rule_method;
use crate::{Endpoint, EndpointError, Prefix, RequestPath, SecretFormat};

/// The query parameter that a ticket rides in.
pub const TICKET_PARAMETER: &str = "ticket";

impl SecretFormat {
    /// How tickets look: `ks_tk_`, and 49 characters more.
    #[must_use]
    pub fn of_tickets() -> Self {
        Self {
            prefix: Prefix::of_tickets(),
            encoding: Default::default(),
            key_length: Default::default(),
        }
    }
}

/// The one request that a ticket is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct TicketTarget {
    /// With which method.
    pub method: TicketMethod,
    /// Of what.
    pub path: TicketPath,
}

impl TicketTarget {
    /// Whether a request is the one: with this method or, for `GET`, with `HEAD`, and for the same
    /// path however it is encoded. What stands in its query is not asked.
    #[must_use]
    pub fn is(&self, asked: &Endpoint) -> bool {
        let method = self.method.as_str();
        let is_method = asked.method() == method || (method == "GET" && asked.method() == "HEAD");
        is_method && *asked.path() == self.path.read
    }
}

/// The method of the request that a ticket is for, in upper case (RFC 9110, section 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketMethod(String);

impl TicketMethod {
    /// The method.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TicketMethod {
    type Err = TicketError;

    fn from_str(text: &str) -> Result<Self, TicketError> {
        if is_rule_method(text) { Ok(Self(text.to_owned())) } else { Err(TicketError::Method) }
    }
}

/// The path of the request that a ticket is for: up to 2,048 bytes, read like the paths of endpoint
/// rules, and without a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketPath {
    text: String,
    read: RequestPath,
}

impl TicketPath {
    /// The path as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for TicketPath {
    type Err = TicketError;

    fn from_str(text: &str) -> Result<Self, TicketError> {
        if text.len() > MAX_PATH_BYTES {
            return Err(TicketError::PathLength);
        }
        if text.contains('?') {
            return Err(TicketError::Query);
        }
        let read = RequestPath::parse(text).map_err(TicketError::Path)?;
        Ok(Self { text: text.to_owned(), read })
    }
}

/// How long a ticket can be used: 1 to 300 seconds, by default 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketLifetime(Duration);

impl TicketLifetime {
    /// Takes a number of seconds.
    ///
    /// # Errors
    ///
    /// [`TicketError::Lifetime`] below 1 and above 300.
    pub fn from_seconds(seconds: i64) -> Result<Self, TicketError> {
        match u64::try_from(seconds) {
            Ok(seconds @ 1..=300) => Ok(Self(Duration::from_secs(seconds))),
            _ => Err(TicketError::Lifetime),
        }
    }

    /// The time itself.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl Default for TicketLifetime {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

/// Why no ticket is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// No time at all, or too much.
    #[error("must be from 1 to 300")]
    Lifetime,
    /// No method, or one that no request has.
    #[error("must be one method, in upper case")]
    Method,
    /// A path that not everybody reads in the same way.
    #[error("{0}")]
    Path(EndpointError),
    /// Too long a path.
    #[error("must have at most 2048 bytes")]
    PathLength,
    /// A path with a query.
    #[error("must be a path without a query, which a ticket does not fix")]
    Query,
}

const MAX_PATH_BYTES: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fit, Formats};

    fn is(method: &str, path: &str, asked: (&str, &str)) -> bool {
        let target = TicketTarget { method: method.parse().unwrap(), path: path.parse().unwrap() };
        target.is(&Endpoint::new(asked.0, asked.1).unwrap())
    }

    #[test]
    fn a_ticket_is_for_one_method_and_one_path() {
        assert!(is("GET", "/a/b", ("GET", "/a/b")));
        for other in [("POST", "/a/b"), ("get", "/a/b"), ("GET", "/a/B"), ("GET", "/a/b/")] {
            assert!(!is("GET", "/a/b", other), "{other:?}");
        }
        assert!(!is("GET", "/a/*", ("GET", "/a/b")), "a star is a star");
    }

    #[test]
    fn a_ticket_for_get_does_for_head_and_not_the_other_way_round() {
        assert!(is("GET", "/a", ("HEAD", "/a")));
        assert!(!is("HEAD", "/a", ("GET", "/a")));
    }

    #[test]
    fn neither_the_encoding_of_the_path_nor_the_query_makes_a_difference() {
        assert!(is("GET", "/caf%C3%A9", ("GET", "/%63af%c3%a9?page=2&x=/../")));
    }

    #[test]
    fn what_is_no_method_or_no_path_has_no_ticket() {
        for method in ["", "get", "*", "GET POST", "G*", "GÉT"] {
            assert_eq!(method.parse::<TicketMethod>(), Err(TicketError::Method), "{method}");
        }
        for path in ["", "a", "//a", "/a/../b", "/a#b", "/a%2fb", "/a b", "http://h/a"] {
            let refused = path.parse::<TicketPath>();
            assert!(matches!(refused, Err(TicketError::Path(_))), "{path}: {refused:?}");
        }
        assert_eq!("/a?b".parse::<TicketPath>(), Err(TicketError::Query));
        assert!(format!("/{}", "a".repeat(2_047)).parse::<TicketPath>().is_ok());
        let long = format!("/{}", "a".repeat(2_048));
        assert_eq!(long.parse::<TicketPath>(), Err(TicketError::PathLength));
    }

    #[test]
    fn a_ticket_lives_up_to_five_minutes() {
        assert_eq!(TicketLifetime::default().duration(), Duration::from_secs(60));
        assert!([1, 300].iter().all(|seconds| TicketLifetime::from_seconds(*seconds).is_ok()));
        for seconds in [0, -1, 301, i64::MAX, i64::MIN] {
            assert_eq!(TicketLifetime::from_seconds(seconds), Err(TicketError::Lifetime));
        }
    }

    #[test]
    fn a_ticket_is_told_from_junk_without_a_look_up_and_is_not_shown() {
        let format = SecretFormat::of_tickets();
        let ticket = format.generate(&mut getrandom::SysRng).unwrap();
        let text = ticket.expose();
        assert!(text.starts_with("ks_tk_") && text.len() == 55, "{text}");
        assert_eq!(format.fit(&text.to_uppercase()), Fit::Other);
        let formats = Formats::new(vec![format]);
        assert_eq!(formats.redact(&format!("GET /a?ticket={text}")), "GET /a?ticket=[redacted]");
    }
}

//! Why a call fails: one type, because callers ask the same of every call. Did the server refuse
//! it, and why? May it have been done all the same? Is it worth another try?

mod cause;
mod refusal;

use std::time::Duration;

pub use self::refusal::{Code, Refusal};
pub(crate) use self::refusal::{REQUEST_ID, retry_after, text};
use crate::operations::Operation;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request cannot be sent at all: a header with letters that none may have, say.
    #[error("the request cannot be made: {0}")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server refused it.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// There is no server there. Nothing was done.
    #[error("the server{} cannot be reached: {}", at(.0), cause::innermost(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The server is not who it should be, or does not speak TLS. Nothing was done.
    #[error("the server's certificate or its TLS is not accepted: {}", cause::innermost(.0))]
    Tls(#[source] reqwest::Error),
    /// The connection broke before the answer was whole. A change may have been made.
    #[error("the connection broke before the answer came: {}", cause::innermost(.0))]
    Lost(#[source] reqwest::Error),
    /// No answer within the time-out. A change may have been made.
    #[error("the server did not answer in time")]
    TimedOut,
    /// Somebody answered, but not as a Keystile server does: the address is of something else, or a
    /// proxy stands between.
    #[error("the answer {status} is not Keystile's: is this the address of a Keystile server?")]
    #[non_exhaustive]
    NotKeystile {
        /// The HTTP status.
        status: u16,
        /// When it is worth another try, as whoever answered says.
        retry_after: Option<Duration>,
    },
    /// The server did as it was asked, and answered what this version does not understand: it is
    /// older or newer.
    #[error(
        "the server's answer to {operation} lacks or changes {member}: it is of another version"
    )]
    #[non_exhaustive]
    Unreadable {
        /// Where in the body it was not understood: the member that is missing, or another one.
        member: String,
        /// What was asked, as the OpenAPI document calls it.
        operation: &'static str,
    },
}

impl Error {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        Some(self.refusal()?.status)
    }

    /// What the server calls the request that it refused.
    pub fn request_id(&self) -> Option<&str> {
        self.refusal()?.request_id.as_deref()
    }

    /// Whether there is nothing, or nothing that the caller may see.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether the caller's credential is missing, not valid, or not enough.
    pub fn is_not_allowed(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// Whether the server may have done what it was asked, although nobody knows.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Lost(_) | Self::TimedOut | Self::Unreadable { .. } => true,
            Self::NotKeystile { status, .. } => matches!(status, 200..=299 | 500..),
            Self::Refused(refusal) => refusal.status >= 500,
            Self::Request(_) | Self::Unreachable(_) | Self::Tls(_) => false,
        }
    }

    /// A request that cannot be made.
    pub(crate) fn request(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Request(Box::new(error))
    }

    /// An answer that is not understood at this place. What stands there is not told: it may be a
    /// secret.
    pub(crate) fn unreadable(operation: Operation, place: &str, error: &serde_json::Error) -> Self {
        let told = error.to_string();
        let missing = told.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let member = match (place, missing) {
            (".", Some(missing)) => missing.to_owned(),
            (place, Some(missing)) => format!("{place}.{missing}"),
            (place, None) => place.to_owned(),
        };
        Self::Unreadable { member, operation: operation.id }
    }

    /// What became of a request that got no answer.
    pub(crate) fn unanswered(error: reqwest::Error) -> Self {
        // Of the address, what somebody may have got wrong: the rest is too long for a line.
        let server = error.url().map(|url| url.origin().ascii_serialization());
        let server = server.and_then(|server| server.parse().ok());
        let error = match server {
            Some(server) => error.with_url(server),
            None => error.without_url(),
        };
        if error.is_builder() {
            Self::request(error)
        } else if cause::is_tls(&error) {
            Self::Tls(error)
        } else if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Lost(error)
        }
    }

    /// Whether whoever is there does not speak TLS: the address should begin with `http://`, say.
    pub fn is_no_tls(&self) -> bool {
        matches!(self, Self::Tls(error) | Self::Unreachable(error) if cause::is_no_tls(error))
    }

    /// Whether the same request may have another outcome a moment later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) | Self::TimedOut => true,
            Self::Refused(refusal) => matches!(refusal.status, 429 | 503),
            Self::NotKeystile { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Self::Request(_) | Self::Tls(_) | Self::Unreadable { .. } => false,
        }
    }

    /// When the server, or a proxy before it, says that it is worth another try.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotKeystile { retry_after, .. } => *retry_after,
            error => error.refusal()?.retry_after,
        }
    }

    /// Success, but of somebody else.
    pub(crate) fn not_keystile() -> Self {
        Self::NotKeystile { status: 200, retry_after: None }
    }
}

fn at(error: &reqwest::Error) -> String {
    let server = error.url().map(|url| url.as_str().trim_end_matches('/'));
    server.map(|server| format!(" at {server}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_travels_between_threads_and_is_small() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<Error>();
        assert!(size_of::<Error>() <= 40);
    }
}

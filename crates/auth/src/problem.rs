//! What a refused client is told, in the form of RFC 9457: the same words as the server's own, in
//! one table for every adapter.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::json;

/// What a refused client is told: a problem document (RFC 9457) and the headers beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    status: u16,
    code: &'static str,
    detail: &'static str,
    challenge: Option<&'static str>,
}

impl Problem {
    /// The type of the body.
    pub const CONTENT_TYPE: &str = "application/problem+json";

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.kind.status
    }

    /// What went wrong, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code
    }

    /// What went wrong, for people.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.detail
    }

    /// `WWW-Authenticate`: what to show, and in which scheme (RFC 6750, section 3).
    #[must_use]
    pub const fn challenge(&self) -> Option<&'static str> {
        self.kind.challenge
    }

    /// `Retry-After`, in seconds, rounded up.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let round_up = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        self.retry_after.map(round_up)
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (kind, title) = status(self.kind.status);
        json!({
            "type": kind,
            "title": title,
            "status": self.kind.status,
            "code": self.kind.code,
            "detail": self.detail,
        })
        .to_string()
    }

    pub(crate) fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    pub(crate) fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self { kind, detail: kind.detail.into(), retry_after: None }
    }
}

/// The section that defines a status, and the status in words.
fn status(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("https://tools.ietf.org/html/rfc9110#section-15.5.1", "Bad Request"),
        401 => ("https://tools.ietf.org/html/rfc7235#section-3.1", "Unauthorized"),
        403 => ("https://tools.ietf.org/html/rfc9110#section-15.5.4", "Forbidden"),
        429 => ("https://tools.ietf.org/html/rfc6585#section-4", "Too Many Requests"),
        _ => ("https://tools.ietf.org/html/rfc9110#section-15.6.4", "Service Unavailable"),
    }
}

const fn kind(
    status: u16,
    code: &'static str,
    detail: &'static str,
    challenge: Option<&'static str>,
) -> Kind {
    Kind { status, code, detail, challenge }
}

pub(crate) const AMBIGUOUS_CREDENTIALS: Kind = kind(
    400,
    "ambiguous_credentials",
    "The request carries more than one credential, or one twice.",
    Some(r#"Bearer realm="keystile", error="invalid_request""#),
);
pub(crate) const BAD_REQUEST: Kind =
    kind(400, "bad_request", "The request does not tell where it comes from.", None);
pub(crate) const INVALID_CREDENTIAL: Kind = kind(
    401,
    "invalid_credential",
    "The credential is not valid.",
    Some(r#"Bearer realm="keystile", error="invalid_token""#),
);
pub(crate) const MISSING_CREDENTIAL: Kind = kind(
    401,
    "missing_credential",
    "The request needs a credential.",
    Some(r#"Bearer realm="keystile""#),
);
pub(crate) const INSECURE_TRANSPORT: Kind = kind(
    401,
    "insecure_transport",
    "Credentials are not accepted over plain HTTP.",
    Some(r#"Bearer realm="keystile", error="invalid_token""#),
);
pub(crate) const IP_NOT_ALLOWED: Kind =
    kind(403, "ip_not_allowed", "The credential may not be used from this address.", None);
pub(crate) const ENDPOINT_NOT_ALLOWED: Kind =
    kind(403, "endpoint_not_allowed", "The credential does not open this endpoint.", None);
pub(crate) const INSUFFICIENT_PERMISSIONS: Kind = kind(
    403,
    "insufficient_permissions",
    "The credential lacks a permission.",
    Some(r#"Bearer realm="keystile", error="insufficient_scope""#),
);
pub(crate) const QUOTA_EXCEEDED: Kind =
    kind(429, "quota_exceeded", "The quota of the credential is used up.", None);
pub(crate) const RATE_LIMITED: Kind =
    kind(429, "rate_limited", "The credential was used too often in a short time.", None);
pub(crate) const UNAVAILABLE: Kind =
    kind(503, "unavailable", "The credential cannot be checked at the moment; try again.", None);

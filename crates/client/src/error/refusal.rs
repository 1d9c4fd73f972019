//! What a server says when it says no (RFC 9457).

use std::fmt;
use std::time::Duration;

use keystile_api::oauth::OAuthError;
use keystile_api::problem::{ErrorCode, FieldError, Problem};
use keystile_api::tokens::LiveToken;
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

/// The server's no, as it says it.
///
/// Shown with `{}` it is one line, with every member that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for programs.
    pub code: Code,
    /// The status in words.
    pub title: String,
    /// What went wrong, for people.
    pub detail: String,
    /// Each member of the request that breaks a rule.
    pub errors: Vec<FieldError>,
    /// Each token that stands in the way of deleting its owner.
    pub tokens: Vec<LiveToken>,
    /// What the server calls the request.
    pub request_id: Option<String>,
    /// After how long it is worth another try.
    pub retry_after: Option<Duration>,
}

/// After how long it is worth another try, if that is said in seconds (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    text(headers, &RETRY_AFTER)?.parse().ok().map(Duration::from_secs)
}

impl Refusal {
    /// Reads a refusal; `None` if it is not Keystile's.
    pub(crate) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Option<Box<Self>> {
        let retry_after = retry_after(headers);
        if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
            return Some(Box::new(Self {
                status,
                code: Code::new(problem.code),
                title: problem.title,
                detail: problem.detail,
                errors: problem.errors,
                tokens: problem.tokens,
                request_id: Some(problem.request_id),
                retry_after,
            }));
        }
        let refused: OAuthError = serde_json::from_slice(body).ok()?;
        Some(Box::new(Self {
            status,
            title: refused.error.clone(),
            code: Code::new(refused.error),
            detail: refused.error_description,
            errors: Vec::new(),
            tokens: Vec::new(),
            request_id: text(headers, &REQUEST_ID).map(str::to_owned),
            retry_after,
        }))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        for (n, error) in self.errors.iter().enumerate() {
            let before = if n == 0 { " " } else { "; " };
            write!(f, "{before}{} {}", error.pointer, error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// The word for what went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// One that this version knows.
    Known(ErrorCode),
    /// One that it does not: of a newer server, or of OAuth (RFC 6749, section 5.2).
    Other(String),
}

impl Code {
    fn new(word: String) -> Self {
        let known = ErrorCode::ALL.iter().find(|known| known.as_str() == word);
        known.map_or(Self::Other(word), |known| Self::Known(*known))
    }

    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(code) => code.as_str(),
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<ErrorCode> for Code {
    fn eq(&self, other: &ErrorCode) -> bool {
        matches!(self, Self::Known(code) if code == other)
    }
}

/// The text of a header.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

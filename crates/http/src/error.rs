//! From what went wrong inside to what is said outside.
//!
//! The cause stays here: it is written to the log once, by the edge, and never sent.

use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use keystile_api::problem::{ErrorCode, FieldError, Problem};
use keystile_auth::{Refusal, Rejection};
use keystile_domain::Rule;
use keystile_service::{Broken, Refused, ServiceError, StoreError};

/// An answer that says no.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    /// A more exact word than the code's own.
    pub(crate) word: Option<&'static str>,
    /// A more exact text than the code's own.
    pub(crate) detail: Option<String>,
    pub(crate) errors: Vec<FieldError>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self { code, word: None, detail: None, errors: Vec::new(), cause: None }
    }

    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(crate) fn errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// One member breaks one rule.
    pub(crate) fn field(code: ErrorCode, pointer: &str, detail: impl fmt::Display) -> Self {
        let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_string() };
        Self::new(code).errors(vec![error])
    }

    pub(crate) fn because(self, cause: impl fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// The document, for the request of this name.
    pub(crate) fn problem(self, request_id: &str) -> Problem {
        Problem {
            kind: self.code.kind().to_owned(),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            code: self.word.unwrap_or_else(|| self.code.as_str()).to_owned(),
            detail: self.detail.unwrap_or_else(|| self.code.text().to_owned()),
            request_id: request_id.to_owned(),
            errors: self.errors,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// An empty response that carries the error: the edge, which knows the request, writes it out.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status());
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        (&error).into()
    }
}

impl From<&ServiceError> for ApiError {
    fn from(error: &ServiceError) -> Self {
        match error {
            ServiceError::Broken(broken) => {
                let errors = broken.iter().cloned();
                Self::new(ErrorCode::InvalidRequest).errors(
                    errors
                        .map(|Broken { pointer, detail }| FieldError { pointer, detail })
                        .collect(),
                )
            }
            ServiceError::Ceiling(breach) => {
                Self::new(ErrorCode::CeilingExceeded).detail(sentence(&breach.to_string()))
            }
            ServiceError::Conflict(conflict) => {
                Self::new(ErrorCode::Conflict).detail(conflict.to_string())
            }
            ServiceError::KeyReused => Self::new(ErrorCode::IdempotencyKeyReused),
            ServiceError::Lacking(permission) => Self::new(ErrorCode::InsufficientPermissions)
                .detail(format!("The credential lacks the permission {permission}.")),
            ServiceError::NotFound => Self::new(ErrorCode::NotFound),
            ServiceError::OldSecret => {
                Self::new(ErrorCode::CeilingExceeded).detail(sentence(&error.to_string()))
            }
            ServiceError::Outdated => Self::new(ErrorCode::PreconditionFailed),
            ServiceError::Unauthenticated => Self::new(ErrorCode::InvalidCredential),
            ServiceError::Store(error) => error.into(),
            other => Self::new(ErrorCode::Internal).because(causes(other)),
        }
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        let code = match error {
            StoreError::ForeignMark => ErrorCode::InvalidCursor,
            StoreError::NotFound => ErrorCode::NotFound,
            StoreError::Conflict(_) => ErrorCode::Conflict,
            StoreError::Busy | StoreError::Unavailable(_) => ErrorCode::Unavailable,
            _ => ErrorCode::Internal,
        };
        Self::new(code).because(causes(error))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Ambiguous => Self::new(ErrorCode::AmbiguousCredentials),
            Refusal::Malformed(_) => Self::new(ErrorCode::InvalidCredential).because(refusal),
        }
    }
}

impl From<Refused> for ApiError {
    /// Unknown, malformed, disabled, expired and deleted look alike from outside.
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rejected(Rejection::Store(error)) => (&error).into(),
            Refused::Rejected(rejection) => {
                Self::new(ErrorCode::InvalidCredential).because(rejection)
            }
            Refused::Denied(denial) => {
                let code = match denial.rule() {
                    Rule::IpAllowed => ErrorCode::IpNotAllowed,
                    Rule::TransportSecure => ErrorCode::InsecureTransport,
                    Rule::PermissionsHeld => ErrorCode::InsufficientPermissions,
                    Rule::EndpointAllowed => ErrorCode::EndpointNotAllowed,
                    Rule::Enabled
                    | Rule::NotExpired
                    | Rule::ProviderEnabled
                    | Rule::SourceAllowed => ErrorCode::InvalidCredential,
                };
                Self::new(code).because(format_args!(
                    "the rule {} refuses {}",
                    denial.rule(),
                    denial.credential().id
                ))
            }
        }
    }
}

/// An error with everything that led to it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

//! From what went wrong inside to what is said outside.
//!
//! The cause stays here: it is written to the log once, by the edge, and never sent.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use keystile_api::oauth::OAuthError;
use keystile_api::problem::{ErrorCode, FieldError, Problem};
use keystile_api::tokens::LiveToken;
use keystile_auth::{Refusal, Rejection};
use keystile_domain::Rule;
use keystile_service::limits::{Exceeded, LimitKind, Standing};
use keystile_service::passwords::HashError;
use keystile_service::{Broken, Conflict, LookupError, Refused, ServiceError, StoreError};

use crate::edge::PROBLEM;
use crate::limits::seconds;
use crate::tokens::live_token;

/// An answer that says no.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    /// A more exact word than the code's own.
    pub(crate) word: Option<&'static str>,
    /// A more exact text than the code's own.
    pub(crate) detail: Option<Box<str>>,
    pub(crate) errors: Box<[FieldError]>,
    pub(crate) tokens: Box<[LiveToken]>,
    /// Whether an OAuth endpoint answers, as its RFC says and not with a problem document.
    pub(crate) oauth: bool,
    /// How the limits of the credential stand.
    pub(crate) limits: Box<[Standing]>,
    /// When to try again, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// Another status than the code's own, for a gateway that does not know that one.
    pub(crate) shown_as: Option<StatusCode>,
    /// For the log alone.
    pub(crate) cause: Option<Box<str>>,
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self {
            code,
            word: None,
            detail: None,
            errors: Box::default(),
            tokens: Box::default(),
            oauth: false,
            limits: Box::default(),
            retry_after: None,
            shown_as: None,
            cause: None,
        }
    }

    /// A refusal of an OAuth endpoint, in the words of RFC 6749, section 5.2.
    pub(crate) fn oauth(word: &'static str, description: impl Into<Box<str>>) -> Self {
        let code = match word {
            "invalid_client" => ErrorCode::InvalidCredential,
            _ => ErrorCode::BadRequest,
        };
        Self { oauth: true, word: Some(word), ..Self::new(code).detail(description) }
    }

    pub(crate) fn detail(self, detail: impl Into<Box<str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(crate) fn errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors: errors.into(), ..self }
    }

    /// One member breaks one rule.
    pub(crate) fn field(code: ErrorCode, pointer: &str, detail: impl fmt::Display) -> Self {
        let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_string() };
        Self::new(code).errors(vec![error])
    }

    pub(crate) fn because(self, cause: impl fmt::Display) -> Self {
        Self { cause: Some(cause.to_string().into()), ..self }
    }

    /// Without what looks like a secret among names that nobody knows: they are the client's own,
    /// and somebody may have put a key where its name belongs.
    pub(crate) fn redacted(mut self, redact: impl Fn(&str) -> Cow<'_, str>) -> Self {
        if self.code == ErrorCode::UnknownFields {
            self.detail = self.detail.map(|detail| redact(&detail).into());
            for error in &mut self.errors {
                error.pointer = redact(&error.pointer).into_owned();
            }
        }
        self
    }

    /// The document, for the request of this name.
    pub(crate) fn problem(self, request_id: &str) -> Problem {
        Problem {
            kind: self.code.kind().to_owned(),
            title: self.code.title().to_owned(),
            status: self.status().as_u16(),
            code: self.word.unwrap_or_else(|| self.code.as_str()).to_owned(),
            detail: self.detail.map_or_else(|| self.code.text().to_owned(), String::from),
            request_id: request_id.to_owned(),
            errors: self.errors.into_vec(),
            tokens: self.tokens.into_vec(),
        }
    }

    /// The body of the answer, with its type.
    pub(crate) fn body(self, request_id: &str) -> (&'static str, Vec<u8>) {
        let (kind, body) = if self.oauth {
            let error = self.word.unwrap_or_else(|| self.code.as_str()).to_owned();
            let text = || self.code.text().to_owned();
            let error_description = self.detail.map_or_else(text, String::from);
            ("application/json", serde_json::to_vec(&OAuthError { error, error_description }))
        } else {
            (PROBLEM, serde_json::to_vec(&self.problem(request_id)))
        };
        (kind, body.unwrap_or_default())
    }

    /// An empty response that carries the error: the edge, which knows the request, writes it out.
    pub(crate) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status());
        response.extensions_mut().insert(self);
        response
    }

    pub(crate) fn status(&self) -> StatusCode {
        let own = || StatusCode::from_u16(self.code.status()).ok();
        self.shown_as.or_else(own).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
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

    fn error_response(&self) -> HttpResponse {
        self.clone().into_response()
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
            ServiceError::Conflict(conflict) => conflict.into(),
            ServiceError::KeyReused => Self::new(ErrorCode::IdempotencyKeyReused),
            ServiceError::Lacking(permission) => Self::new(ErrorCode::InsufficientPermissions)
                .detail(format!("The credential lacks the permission {permission}.")),
            ServiceError::NoAccount => Self::new(ErrorCode::AccountRequired),
            ServiceError::NotFound => Self::new(ErrorCode::NotFound),
            ServiceError::NotForOthers
            | ServiceError::OldSecret
            | ServiceError::Outlives
            | ServiceError::OwnPassword
            | ServiceError::TicketOnlyReads => {
                Self::new(ErrorCode::CeilingExceeded).detail(sentence(&error.to_string()))
            }
            ServiceError::Outdated => Self::new(ErrorCode::PreconditionFailed),
            ServiceError::Unauthenticated => Self::new(ErrorCode::InvalidCredential),
            ServiceError::Exceeded(exceeded) => (&**exceeded).into(),
            ServiceError::Hash(HashError::Busy) => {
                Self::new(ErrorCode::Unavailable).because(causes(error))
            }
            ServiceError::InsecureTransport => Self::new(ErrorCode::InsecureTransport),
            ServiceError::RefreshToken(_) => {
                Self::new(ErrorCode::InvalidRefreshToken).because(error)
            }
            ServiceError::SessionRequired => Self::new(ErrorCode::SessionRequired),
            ServiceError::SignIn(why) => Self::new(ErrorCode::InvalidLogin).because(why),
            ServiceError::TooManyAttempts(wait) => {
                Self { retry_after: Some(seconds(*wait)), ..Self::new(ErrorCode::TooManyAttempts) }
            }
            ServiceError::Lookup(error) => (&**error).into(),
            ServiceError::Behind => Self::new(ErrorCode::Unavailable),
            ServiceError::TooManyFollowers => Self::new(ErrorCode::TooManyFollowers),
            ServiceError::Store(error) => error.into(),
            other => Self::new(ErrorCode::Internal).because(causes(other)),
        }
    }
}

impl From<&Conflict> for ApiError {
    fn from(conflict: &Conflict) -> Self {
        let error = Self::new(ErrorCode::Conflict).detail(conflict.to_string());
        match conflict {
            Conflict::LiveTokens(tokens) => {
                Self { tokens: tokens.iter().map(live_token).collect(), ..error }
            }
            Conflict::UsernameTaken => {
                let (pointer, detail) = ("/username".to_owned(), "is taken".to_owned());
                error.errors(vec![FieldError { pointer, detail }])
            }
            _ => error,
        }
    }
}

impl From<&Exceeded> for ApiError {
    fn from(exceeded: &Exceeded) -> Self {
        let code = match exceeded.limit {
            LimitKind::Quota => ErrorCode::QuotaExceeded,
            LimitKind::Rate => ErrorCode::RateLimited,
        };
        Self {
            limits: exceeded.standings.clone().into(),
            retry_after: Some(seconds(exceeded.retry_after)),
            ..Self::new(code)
        }
    }
}

impl From<&LookupError> for ApiError {
    fn from(error: &LookupError) -> Self {
        match error {
            LookupError::Admission(error) | LookupError::SigningKeys(error) => (&**error).into(),
            LookupError::Import(HashError::Busy) | LookupError::Issuer(_) => {
                Self::new(ErrorCode::Unavailable).because(causes(error))
            }
            LookupError::Store(error) => error.into(),
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
            Refused::Rejected(Rejection::Outdated) => Self::new(ErrorCode::Unavailable),
            Refused::Rejected(Rejection::Store(error)) => (&*error).into(),
            Refused::Rejected(rejection) => {
                Self::new(ErrorCode::InvalidCredential).because(rejection)
            }
            Refused::Exceeded(exceeded) => (&exceeded).into(),
            Refused::Denied(denial) => {
                let code = match denial.rule() {
                    Rule::IpAllowed => ErrorCode::IpNotAllowed,
                    Rule::TransportSecure => ErrorCode::InsecureTransport,
                    Rule::PermissionsHeld => ErrorCode::InsufficientPermissions,
                    Rule::EndpointAllowed => ErrorCode::EndpointNotAllowed,
                    Rule::Enabled
                    | Rule::NotExpired
                    | Rule::OwnerEnabled
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

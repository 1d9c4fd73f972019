//! What goes wrong, in the form of RFC 9457.

use serde::{Deserialize, Serialize};

use crate::tokens::LiveToken;

/// The body of every error, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "type": "https://tools.ietf.org/html/rfc7235#section-3.1",
    "title": "Unauthorized",
    "status": 401,
    "code": "invalid_credential",
    "detail": "The credential is not valid.",
    "request_id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10"
})))]
pub struct Problem {
    /// The section that defines the status.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for programs.
    pub code: String,
    /// What went wrong, for people.
    pub detail: String,
    /// The request it happened in, as in the header `X-Request-Id`.
    pub request_id: String,
    /// Each member of the request that breaks a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Each token that stands in the way of deleting its owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<LiveToken>,
}

/// One member of a request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Which member: a JSON pointer (RFC 6901) into the body, or the name of a query parameter or
    /// header.
    #[cfg_attr(feature = "openapi", schema(example = "/expires_at"))]
    pub pointer: String,
    /// Which rule.
    #[cfg_attr(feature = "openapi", schema(example = "must be in the future"))]
    pub detail: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $status:literal $word:literal $text:literal,)+) => {
        /// What can go wrong: for each code its status, its word on the wire, and what people read
        /// where nothing more exact is known.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $variant,)+ }

        impl ErrorCode {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The HTTP status that it comes with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The word on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What people read.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// More than one credential in one request.
    AmbiguousCredentials = 400 "ambiguous_credentials"
        "The request carries more than one credential, or one twice.",
    /// Something about the request as HTTP.
    BadRequest = 400 "bad_request" "The request cannot be understood.",
    /// The cursor is not one of ours, or belongs to another list.
    InvalidCursor = 400 "invalid_cursor" "The cursor does not belong to this list.",
    /// The body is no JSON.
    MalformedBody = 400 "malformed_body" "The body is not valid JSON.",
    /// A member or parameter that nobody knows.
    UnknownFields = 400 "unknown_fields" "The request has members that are not known here.",
    /// Not valid, whatever the reason.
    InvalidCredential = 401 "invalid_credential" "The credential is not valid.",
    /// Nobody signs in like that, whatever the reason.
    InvalidLogin = 401 "invalid_login" "Nobody can sign in with this name and this password.",
    /// A refresh token that is good for nothing, whatever the reason.
    InvalidRefreshToken = 401 "invalid_refresh_token" "The refresh token is not valid.",
    /// None where one is needed.
    MissingCredential = 401 "missing_credential" "The request needs a credential.",
    /// A strict check found the credential invalid.
    CredentialRefused = 401 "credential_refused" "The credential under test is not valid.",
    /// Over plain HTTP.
    InsecureTransport = 401 "insecure_transport" "Credentials are not accepted over plain HTTP.",
    /// A key or machine where a user or service account is needed.
    AccountRequired = 403 "account_required" "Only users and service accounts have tokens of their own.",
    /// More power than the caller has.
    CeilingExceeded = 403 "ceiling_exceeded" "The caller may not hand out or touch that much.",
    /// Valid, but not from here.
    IpNotAllowed = 403 "ip_not_allowed" "The credential may not be used from this address.",
    /// Valid, but not for this endpoint.
    EndpointNotAllowed = 403 "endpoint_not_allowed" "The credential does not open this endpoint.",
    /// Valid, but not for this.
    InsufficientPermissions = 403 "insufficient_permissions" "The credential lacks a permission.",
    /// A key or token where somebody must have signed in.
    SessionRequired = 403 "session_required" "Only somebody who signed in with a password may do this.",
    /// Not there, or not yours to see.
    NotFound = 404 "not_found" "There is nothing here.",
    /// There, but not with this method.
    MethodNotAllowed = 405 "method_not_allowed" "The method is not known here.",
    /// The request took too long to arrive.
    RequestTimeout = 408 "request_timeout" "The request took too long to arrive.",
    /// Against the present state.
    Conflict = 409 "conflict" "The request does not fit the present state.",
    /// Changed meanwhile.
    PreconditionFailed = 412 "precondition_failed" "The thing was changed meanwhile.",
    /// A body larger than allowed.
    BodyTooLarge = 413 "body_too_large" "The body is too large.",
    /// A target longer than allowed.
    UriTooLong = 414 "uri_too_long" "The request target is too long.",
    /// A body that is not JSON.
    UnsupportedMediaType = 415 "unsupported_media_type" "The body must be application/json.",
    /// A rule is broken.
    InvalidRequest = 422 "invalid_request" "The request breaks a rule.",
    /// The same idempotency key with another request.
    IdempotencyKeyReused = 422 "idempotency_key_reused"
        "The idempotency key was used with another request.",
    /// Too many passwords, names or credentials were tried.
    TooManyAttempts = 429 "too_many_attempts" "Too many attempts have failed; the next one must wait.",
    /// More verifiers than can be counted.
    TooManyFollowers = 429 "too_many_followers" "Too many verifiers follow with this credential.",
    /// More uses than the credential's quota has left.
    QuotaExceeded = 429 "quota_exceeded" "The quota of the credential is used up.",
    /// More uses in a time than a limit of the credential allows.
    RateLimited = 429 "rate_limited" "The credential was used too often in a short time.",
    /// More headers than allowed.
    HeadersTooLarge = 431 "headers_too_large" "The request headers are too large.",
    /// Our fault.
    Internal = 500 "internal" "Something went wrong inside Keystile; the request id finds it.",
    /// Not now.
    Unavailable = 503 "unavailable" "Keystile cannot answer at the moment; try again.",
}

impl ErrorCode {
    /// The status in words (RFC 9110, section 15).
    #[must_use]
    pub fn title(self) -> &'static str {
        match self.status() {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            412 => "Precondition Failed",
            413 => "Content Too Large",
            414 => "URI Too Long",
            415 => "Unsupported Media Type",
            422 => "Unprocessable Content",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        }
    }

    /// The section that defines the status.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self.status() {
            400 => "https://tools.ietf.org/html/rfc9110#section-15.5.1",
            401 => "https://tools.ietf.org/html/rfc7235#section-3.1",
            403 => "https://tools.ietf.org/html/rfc9110#section-15.5.4",
            404 => "https://tools.ietf.org/html/rfc9110#section-15.5.5",
            405 => "https://tools.ietf.org/html/rfc9110#section-15.5.6",
            408 => "https://tools.ietf.org/html/rfc9110#section-15.5.9",
            409 => "https://tools.ietf.org/html/rfc9110#section-15.5.10",
            412 => "https://tools.ietf.org/html/rfc9110#section-15.5.13",
            413 => "https://tools.ietf.org/html/rfc9110#section-15.5.14",
            414 => "https://tools.ietf.org/html/rfc9110#section-15.5.15",
            415 => "https://tools.ietf.org/html/rfc9110#section-15.5.16",
            422 => "https://tools.ietf.org/html/rfc9110#section-15.5.21",
            429 => "https://tools.ietf.org/html/rfc6585#section-4",
            431 => "https://tools.ietf.org/html/rfc6585#section-5",
            503 => "https://tools.ietf.org/html/rfc9110#section-15.6.4",
            _ => "https://tools.ietf.org/html/rfc9110#section-15.6.1",
        }
    }
}

//! The OAuth endpoints on the wire: forms in, JSON out, with the members that the RFCs name.

use serde::{Deserialize, Serialize};

/// What somebody asks of the token endpoint (RFC 6749, section 4.4.2; RFC 8693, section 2.1).
///
/// A form. `audience` and `resource` may be given several times, everything else once; members that
/// are not known are ignored, as RFC 6749, section 3.2, asks.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token": "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "scope": "invoices.read"
})))]
pub struct TokenRequest {
    /// `client_credentials` or `urn:ietf:params:oauth:grant-type:token-exchange`.
    pub grant_type: String,
    /// The id of a key, if it does not stand in `Authorization: Basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The key itself, if it does not stand in `Authorization: Basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What is traded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token` for a key or personal access token,
    /// `…:id_token` or `…:jwt` for a machine's token of another issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_token_type: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token` or `…:jwt`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
    /// The permissions that the token shall have, divided by spaces; without it all of the
    /// credential's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Who may take the token; without it and `resource` Keystile itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// The URL of a service that may take the token (RFC 8707, section 2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
}

/// An access token (RFC 6749, section 5.1; RFC 8693, section 2.2.1).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// The token.
    #[cfg_attr(feature = "openapi", schema(example = "eyJhbGciOiJFZERTQSJ9.e30.c2ln"))]
    pub access_token: String,
    /// `urn:ietf:params:oauth:token-type:access_token`, if one was exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<String>,
    /// `Bearer`.
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: String,
    /// How long it lives, in seconds.
    #[cfg_attr(feature = "openapi", schema(example = 900))]
    pub expires_in: u64,
    /// The permissions that it has, divided by spaces.
    #[cfg_attr(feature = "openapi", schema(example = "invoices.read"))]
    pub scope: String,
}

/// A token that somebody asks about or wants ended (RFC 7662, section 2.1; RFC 7009, section 2.1).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "token": "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH"
})))]
pub struct TokenForm {
    /// The token.
    pub token: String,
    /// What it may be; a wrong hint does no harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// What a token is worth (RFC 7662, section 2.2). One that is worth nothing has `active` alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Introspection {
    /// Whether it is worth anything.
    pub active: bool,
    /// What it allows, divided by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "invoices.read"))]
    pub scope: Option<String>,
    /// The id of the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The name of whoever it acts as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "CI pipeline"))]
    pub username: Option<String>,
    /// `Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: Option<String>,
    /// When it ends, in seconds since 1970; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Whoever it acts as, to its issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Who may take it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// Why an OAuth request was refused (RFC 6749, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthError {
    /// `invalid_client`, `invalid_request`, `invalid_scope`, `invalid_target`,
    /// `unauthorized_client`, `unsupported_grant_type` or `unsupported_token_type`.
    #[cfg_attr(feature = "openapi", schema(example = "invalid_request"))]
    pub error: String,
    /// The same, for people.
    #[cfg_attr(feature = "openapi", schema(example = "The subject token is not accepted."))]
    pub error_description: String,
}

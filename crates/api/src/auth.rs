//! Signing in, on the wire: what a page offers, sessions, and one's own password.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a sign-in page offers, in order of priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInProviders {
    /// The ways in.
    pub data: Vec<SignInProvider>,
}

/// One way to sign in. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "identifier": "local", "name": "Name and password", "kind": "password"
})))]
pub struct SignInProvider {
    /// Its name for programs.
    pub identifier: String,
    /// Its name for people.
    pub name: String,
    /// `password` or `oidc`.
    pub kind: String,
    /// Of `oidc`: the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Of `oidc`: what the issuer calls the sign-in page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Of `oidc`: whom an access token must be for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Of `oidc`: the scope that an access token must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A name and a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "username": "ann", "password": "correct horse battery staple"
})))]
pub struct Login {
    /// The name; case and width of its letters do not matter.
    pub username: String,
    /// The password, exactly as it was typed.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
}

/// A refresh token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "refresh_token": "ks_rt_0123456789abcdefghijABCDEFGHIJ0123456789xyz2V88Ji"
})))]
pub struct RefreshToken {
    /// The token.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub refresh_token: String,
}

/// What somebody has who signed in (RFC 6749, section 5.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTk5ZTdjNCJ9.c2ln",
    "token_type": "Bearer",
    "expires_in": 900,
    "refresh_token": "ks_rt_0123456789abcdefghijABCDEFGHIJ0123456789xyz2V88Ji"
})))]
pub struct SessionTokens {
    /// What requests show, as a bearer token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// How long the access token lives, in seconds.
    pub expires_in: u64,
    /// What gets the next of both, once.
    pub refresh_token: String,
}

/// A new password for oneself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "current_password": "correct horse battery staple",
    "new_password": "quiet otters fold paper boats"
})))]
pub struct PasswordChange {
    /// The present password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub current_password: String,
    /// The new one.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub new_password: String,
    /// Whether one's personal access tokens are deleted too; if not, they go on working.
    #[serde(default)]
    pub revoke_tokens: bool,
}

/// What came of a new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChanged {
    /// How many other sessions were ended.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub sessions_ended: usize,
    /// How many tokens were deleted.
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub tokens_revoked: usize,
    /// The tokens that go on working.
    pub tokens_left: Vec<TokenLeft>,
}

/// A token that goes on working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenLeft {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "laptop"))]
    pub name: String,
}

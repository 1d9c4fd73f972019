//! A token on its way to being believed, and the order of the steps.

use std::fmt;

use keystile_domain::{Jwt, Timestamp};
use serde_json::{Map, Value};

use super::json::parse_object;
use super::jws::Jws;
use super::{Claims, Expectations, KeySet, TokenError};

/// A token that has been read and not verified: anybody can have written it.
///
/// It says which issuer's keys to [`verify`](Self::verify) it with, and nothing else.
///
/// ```
/// use keystile_auth::jwt::{Audiences, Expectations, KeySet, Leeway, TokenUse, Unverified};
/// use keystile_domain::{Jwt, JwtAlgorithm, Timestamp};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The issuer's keys: here that of RFC 8037, appendix A.2.
/// let keys = KeySet::parse(
///     br#"{"keys": [{
///         "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
///     }]}"#,
/// )?;
/// let expectations = Expectations {
///     issuer: "https://login.example",
///     audiences: Audiences::OneOf(&["https://invoices.example"]),
///     authorized_party: None,
///     algorithms: &[JwtAlgorithm::EdDsa],
///     types: &["at+jwt"],
///     token_use: TokenUse::Access,
///     leeway: Leeway::NONE,
/// };
///
/// let jwt = Jwt::parse(concat!(
///     "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.",
///     "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiJ1LTEiLCJhdWQiOiJodHRwczovL2ludm9pY2Vz",
///     "LmV4YW1wbGUiLCJleHAiOjE4MDAwMDAwMDAsInNjb3BlIjoiaW52b2ljZXMucmVhZCJ9.",
///     "ifcgK2HKp8pQAC3U_jCanyAm6EDr2bw_4fic-qSlxU7nzNgvv-9z4idPV430ysDbMMRIVNeK_YUfBvFVj5s3Bw",
/// ))?;
/// let unverified = Unverified::parse(&jwt)?;
/// assert_eq!(unverified.unverified_issuer(), "https://login.example");
///
/// let now: Timestamp = "2026-11-22T12:00:00Z".parse()?;
/// let claims = unverified.verify(&keys, &expectations, now)?;
/// assert_eq!(claims.subject(), "u-1");
/// assert!(claims.scopes().any(|scope| scope == "invoices.read"));
/// # Ok(())
/// # }
/// ```
pub struct Unverified<'a> {
    jws: Jws<'a>,
    issuer: String,
    claims: Map<String, Value>,
}

impl<'a> Unverified<'a> {
    /// Reads header and claims, both strictly.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if one of them cannot be read, if the header has a member that is refused, or
    /// if no issuer is named.
    pub fn parse(jwt: &'a Jwt) -> Result<Self, TokenError> {
        let jws = Jws::parse(jwt.expose())?;
        let claims = parse_object(&jws.payload).ok_or(TokenError::Claims)?;
        let issuer = claims.get("iss").and_then(Value::as_str).ok_or(TokenError::Issuer)?;
        Ok(Self { issuer: issuer.to_owned(), jws, claims })
    }

    /// The issuer that the token claims: to find it among those configured, never to fetch from.
    #[must_use]
    pub fn unverified_issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that the token claims to be signed with: to look for it among the issuer's.
    #[must_use]
    pub fn unverified_key_id(&self) -> Option<&str> {
        self.jws.header.key_id.as_deref()
    }

    /// Verifies the signature with the keys of the expected issuer, then every claim.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: the first check that it did not pass.
    pub fn verify(
        self,
        keys: &KeySet,
        expectations: &Expectations<'_>,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        if !expectations.algorithms.contains(&self.jws.header.algorithm) {
            return Err(TokenError::Algorithm);
        }
        if !self.jws.header.is_of(expectations.types) {
            return Err(TokenError::Type);
        }
        self.jws.verify(keys)?;
        let claims = Claims::try_from(self.claims)?;
        expectations.judge(&claims, now)?;
        Ok(claims)
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(..)")
    }
}

/// Reads and verifies a token of an issuer whose keys are at hand.
///
/// # Errors
///
/// As for [`Unverified::parse`] and [`Unverified::verify`].
pub fn verify(
    jwt: &Jwt,
    keys: &KeySet,
    expectations: &Expectations<'_>,
    now: Timestamp,
) -> Result<Claims, TokenError> {
    Unverified::parse(jwt)?.verify(keys, expectations, now)
}

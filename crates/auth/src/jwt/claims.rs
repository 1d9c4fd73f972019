//! The claims of a verified token, each registered one read by its JSON type.

use std::fmt;
use std::time::Duration;

use keystile_domain::Timestamp;
use serde_json::{Map, Value};

use super::TokenError;

/// What a token says (RFC 7519, section 4), once its signature and all expectations have held.
///
/// Whom it names is a pair: the subject means nothing without the issuer. Its `Debug` shows
/// nothing, since claims are about people.
#[derive(Clone)]
pub struct Claims {
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    authorized_party: Option<String>,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    id: Option<String>,
    scopes: Vec<String>,
    all: Map<String, Value>,
}

impl Claims {
    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`: 1 to 255 bytes without control characters.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `aud`: one or more.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().map(String::as_str)
    }

    /// `azp`: the client that the token was issued to.
    #[must_use]
    pub fn authorized_party(&self) -> Option<&str> {
        self.authorized_party.as_deref()
    }

    /// `exp`, to the millisecond: from then on the token is refused, give or take the leeway.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// `nbf`.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// `iat`.
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// `jti`: 1 to 255 bytes without control characters.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The parts of `scope` between spaces, with their case; without a `scope`, those of `scp`,
    /// which some issuers write as a list.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Any claim by its exact name, registered or not, as the token has it.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// All claims, as the token has them.
    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.all
    }
}

impl TryFrom<Map<String, Value>> for Claims {
    type Error = TokenError;

    fn try_from(all: Map<String, Value>) -> Result<Self, TokenError> {
        Ok(Self {
            issuer: text(&all, "iss", TokenError::Issuer)?.ok_or(TokenError::Issuer)?,
            subject: text(&all, "sub", TokenError::Subject)?.ok_or(TokenError::Subject)?,
            audiences: audiences(&all).ok_or(TokenError::Audience)?,
            authorized_party: text(&all, "azp", TokenError::AuthorizedParty)?,
            expires_at: date(&all, "exp", TokenError::Expiry)?.ok_or(TokenError::Expiry)?,
            not_before: date(&all, "nbf", TokenError::NotBefore)?,
            issued_at: date(&all, "iat", TokenError::IssuedAt)?,
            id: text(&all, "jti", TokenError::JwtId)?,
            scopes: scopes(&all).ok_or(TokenError::Scope)?,
            all,
        })
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

/// A text that can be stored and compared: 1 to 255 bytes, as OpenID Connect Core 1.0, section 2,
/// bounds subjects, without control characters.
fn text(
    claims: &Map<String, Value>,
    name: &str,
    wrong: TokenError,
) -> Result<Option<String>, TokenError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let is_text = |text: &&str| {
        (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
    };
    let text = value.as_str().filter(is_text).ok_or(wrong)?;
    Ok(Some(text.to_owned()))
}

/// A `NumericDate` (RFC 7519, section 2): seconds since 1970, fractions allowed, to the year 9999.
fn date(
    claims: &Map<String, Value>,
    name: &str,
    wrong: TokenError,
) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().ok_or(wrong)?;
    let since_1970 = Duration::try_from_secs_f64(seconds).or(Err(wrong))?;
    if since_1970 >= YEAR_10000 {
        return Err(wrong);
    }
    Ok(Some(Timestamp::from_millis(0).after(since_1970)))
}

/// A string or a list of strings, at least one, none empty (RFC 7519, section 4.1.3).
fn audiences(claims: &Map<String, Value>) -> Option<Vec<String>> {
    let named = match claims.get("aud")? {
        Value::Array(items) => strings(items)?,
        value => vec![value.as_str()?.to_owned()],
    };
    (!named.is_empty() && !named.iter().any(String::is_empty)).then_some(named)
}

fn scopes(claims: &Map<String, Value>) -> Option<Vec<String>> {
    match (claims.get("scope"), claims.get("scp")) {
        (None, None) => Some(Vec::new()),
        (None, Some(Value::Array(items))) => strings(items),
        (Some(value), _) | (None, Some(value)) => Some(split(value.as_str()?)),
    }
}

/// RFC 6749, section 3.3.
fn split(scope: &str) -> Vec<String> {
    scope.split(' ').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn strings(items: &[Value]) -> Option<Vec<String>> {
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

const MAX_TEXT_BYTES: usize = 255;

const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);

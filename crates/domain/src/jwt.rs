//! JWTs as texts: what is known of one before its signature is looked at.

use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use sha2::{Digest, Sha256};

use crate::{Fingerprint, Secret};

/// A text with the shape of a signed JWT (RFC 7515, section 3.1): three parts of base64url, divided
/// by dots, at most 8 KiB. Nothing about it is verified.
///
/// Wiped from memory when dropped.
#[derive(Clone)]
pub struct Jwt(SecretString);

/// The text of a credential, as a request shows it.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a text is one or the other")]
pub enum CredentialText {
    /// Three parts: it says itself who issued it.
    Jwt(Jwt),
    /// Anything else: only a store knows what it is.
    Secret(Secret),
}

/// Looks at each character, with no branch for any: of the time that a JWT takes that was seen
/// before, a third went into the branches.
fn is_base64url(part: &str) -> bool {
    let is_of = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_');
    !part.is_empty() & part.bytes().fold(true, |all, byte| all & is_of(byte))
}

/// The text has not the shape of a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has not the shape of a JWT")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct JwtError;

impl Jwt {
    /// The longest that there is, in bytes.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Copies a text of the right shape.
    ///
    /// # Errors
    ///
    /// [`JwtError`] if it has another shape.
    pub fn parse(text: &str) -> Result<Self, JwtError> {
        if text.len() <= Self::MAX_BYTES && Self::is_shaped(text) {
            Ok(Self(text.into()))
        } else {
            Err(JwtError)
        }
    }

    /// The SHA-256 of the whole text: what it is remembered by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(Sha256::digest(self.expose()).into())
    }

    /// Whether a text, however long, has three parts of base64url.
    #[must_use]
    pub fn is_shaped(text: &str) -> bool {
        let mut parts = text.split('.');
        let three = [parts.next(), parts.next(), parts.next()];
        parts.next().is_none() && three.into_iter().all(|part| part.is_some_and(is_base64url))
    }

    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A text without what looks like a JWT, also if it is cut off or percent-encoded: every header
    /// is a JSON object, and each of those begins with `eyJ` in base64url.
    #[must_use]
    pub fn redact(text: &str) -> Cow<'_, str> {
        let in_jwt = |c: char| c.is_ascii_alphanumeric() || "-_.%".contains(c);
        let mut shown = String::new();
        let mut rest = text;
        while let Some((before, _)) = rest.split_once(HEADER) {
            let (_, run) = rest.split_at(before.len());
            let (run, behind) = run.split_at(run.find(|c| !in_jwt(c)).unwrap_or(run.len()));
            let is_jwt = run.contains(['.', '%']);
            shown.extend([before, if is_jwt { "[redacted]" } else { run }]);
            rest = behind;
        }
        if shown.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(shown + rest) }
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jwt(..)")
    }
}

impl CredentialText {
    /// Reads a text as what its shape says; nothing if it can be neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if Jwt::is_shaped(text) {
            Jwt::parse(text).ok().map(Self::Jwt)
        } else {
            Secret::parse(text).ok().map(Self::Secret)
        }
    }

    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Jwt(jwt) => jwt.expose(),
            Self::Secret(secret) => secret.expose(),
        }
    }
}

/// How a JSON object begins in base64url, if its first member follows at once.
const HEADER: &str = "eyJ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_has_three_parts_of_base64url() {
        for text in ["a.b.c", "aA0-_.bB1-_.cC2-_", &format!("a.{}.c", "b".repeat(8 * 1024 - 4))] {
            assert_eq!(Jwt::parse(text).unwrap().expose(), text);
        }
        let long = format!("a.{}.c", "b".repeat(8 * 1024 - 3));
        for text in [
            "",
            "a",
            "a.b",
            "a.b.",
            ".b.c",
            "a..c",
            "a.b.c.d",
            "a.b.c.d.e",
            "a.b.c=",
            "a.b. c",
            &long,
        ] {
            assert_eq!(Jwt::parse(text).map(|_| ()), Err(JwtError), "{text:?}");
        }
    }

    #[test]
    fn redaction_takes_what_looks_like_a_jwt_and_nothing_else() {
        for (text, shown) in [
            ("GET /x/eyJhbGciOiJub25lIn0.e30.c2ln?a=b", "GET /x/[redacted]?a=b"),
            ("eyJhbGci.e30", "[redacted]"),
            ("(eyJh.e30.c2ln)(eyJh.e30.c2ln)", "([redacted])([redacted])"),
            ("eyJh%2Ee30%2Ec2ln", "[redacted]"),
            ("heyJude plays é", "heyJude plays é"),
            ("a.b.c", "a.b.c"),
            ("", ""),
        ] {
            assert_eq!(Jwt::redact(text), shown);
        }
    }

    #[test]
    fn a_text_is_a_jwt_by_its_shape_and_never_falls_back_to_a_secret() {
        assert!(matches!(CredentialText::parse("a.b.c"), Some(CredentialText::Jwt(_))));
        assert!(matches!(CredentialText::parse("ks_x.y"), Some(CredentialText::Secret(_))));
        assert!(CredentialText::parse(&format!("a.{}.c", "b".repeat(9_000))).is_none());
        assert!(CredentialText::parse("").is_none());
        assert_eq!(format!("{:?}", CredentialText::parse("a.b.c").unwrap()), "Jwt(Jwt(..))");
    }
}

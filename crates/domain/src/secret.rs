//! The text that a holder has, and what is made of it: a module of its own, so that no other code
//! touches a secret's characters.
//!
//! ```text
//! SecretFormat ──generate──▶ Secret ──SHA-256──▶ Fingerprint ──HMAC under the Pepper──▶ Digest
//! Formats ────recognise────▶            caches, embedders                               storage
//! ```
//!
//! Nothing here shows a secret, or what could stand for one, when it is formatted with `{:?}`.

mod base62;
mod digest;
mod format;
mod formats;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub(crate) use self::digest::hex_digit;
pub use self::digest::{Digest, Fingerprint, FingerprintError, Pepper, SecretTag};
pub use self::format::{Encoding, Fit, FormatError, KeyLength, Prefix, SecretFormat};
pub use self::formats::{DrawError, Formats, Malformed};

/// A whole secret, as its holder presents it: 1 to 512 bytes of visible ASCII, of any format.
///
/// Wiped from memory when dropped. Two secrets are compared by their digests.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text, and wipes it where it was.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it has another length or other characters.
    pub fn new(text: String) -> Result<Self, SecretError> {
        // Not `SecretString::from(text)`: that may move the text and leave a copy behind.
        Self::parse(&Zeroizing::new(text))
    }

    /// Copies a text that belongs to somebody else.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        if !(1..=MAX_BYTES).contains(&text.len()) {
            return Err(SecretError::Length);
        }
        if !text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic()) {
            return Err(SecretError::Character);
        }
        Ok(Self(text.into()))
    }

    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The SHA-256 of the whole text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(Sha256::digest(self.expose()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a text cannot be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Something else than visible ASCII.
    #[error("a secret has only visible ASCII characters")]
    Character,
    /// Nothing, or more than 512 bytes.
    #[error("a secret has 1 to 512 bytes")]
    Length,
}

const MAX_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_visible_ascii_within_bounds() {
        for text in ["a", "!~", &"a".repeat(512)] {
            assert_eq!(Secret::new(text.to_owned()).unwrap().expose(), text);
        }
        for text in ["", &"a".repeat(513)] {
            assert_eq!(Secret::parse(text).unwrap_err(), SecretError::Length);
        }
        for text in [" a", "a ", "a b", "a\n", "a\0", "\u{7f}", "é", "ａ"] {
            assert_eq!(Secret::parse(text).unwrap_err(), SecretError::Character, "{text:?}");
        }
    }

    #[test]
    fn debugging_a_secret_shows_nothing_of_it() {
        let secret = Secret::parse("s3cr3t").unwrap();
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(..) Secret(..)");
    }
}

//! The three settings of a format: apart, since each is read from a provider's settings and has a
//! rule of its own.

use std::fmt;
use std::str::FromStr;

/// What a secret begins with: up to 32 of `a-z`, `0-9` and `_`, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Prefix(String);

impl Prefix {
    pub(crate) fn of_tickets() -> Self {
        Self("ks_tk_".to_owned())
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let in_alphabet = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if text.len() <= MAX_PREFIX_BYTES && text.bytes().all(in_alphabet) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FormatError::Prefix)
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the part of a secret that carries the entropy is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "another one would be another format")]
pub enum Encoding {
    /// Letters and digits, and a checksum of 6 more: a double click selects the whole key.
    #[default]
    Base62,
    /// Base64url without padding (RFC 4648 section 5), and no checksum.
    Base64Url,
}

impl Encoding {
    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base62 => "base62",
            Self::Base64Url => "base64url",
        }
    }
}

impl FromStr for Encoding {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let mut encodings = [Self::Base62, Self::Base64Url].into_iter();
        encodings.find(|encoding| encoding.as_str() == text).ok_or(FormatError::Encoding)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many bytes of entropy a secret carries: 16 to 64, by default 32.
///
/// Not the length of its text, which the encoding decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyLength(u8);

impl KeyLength {
    pub(super) const MAX_BYTES: usize = 64;

    /// Takes a number of bytes.
    ///
    /// # Errors
    ///
    /// [`FormatError::KeyLength`] below 16 and above 64.
    pub fn new(bytes: u8) -> Result<Self, FormatError> {
        if (MIN_BYTES..=Self::MAX_BYTES).contains(&bytes.into()) {
            Ok(Self(bytes))
        } else {
            Err(FormatError::KeyLength)
        }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u8 {
        self.0
    }
}

impl Default for KeyLength {
    fn default() -> Self {
        Self(32)
    }
}

/// Why a setting of a format is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// No encoding of this name.
    #[error("the encoding is `base62` or `base64url`")]
    Encoding,
    /// Too little entropy, or more than anybody needs.
    #[error("the key length is 16 to 64 bytes")]
    KeyLength,
    /// Too long, or with other characters.
    #[error("a prefix is at most 32 of a-z, 0-9 and _")]
    Prefix,
}

const MAX_PREFIX_BYTES: usize = 32;
const MIN_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_empty_or_a_short_word() {
        for text in ["", "ks_", "ks_pat_", "0", &"a".repeat(32)] {
            assert_eq!(text.parse::<Prefix>().unwrap().as_str(), text);
        }
        for text in ["KS_", "ks-", "k s", "é", &"a".repeat(33)] {
            assert_eq!(text.parse::<Prefix>(), Err(FormatError::Prefix), "{text}");
        }
    }

    #[test]
    fn encodings_are_read_by_their_names() {
        for encoding in [Encoding::Base62, Encoding::Base64Url] {
            assert_eq!(encoding.as_str().parse(), Ok(encoding));
        }
        assert_eq!("Base62".parse::<Encoding>(), Err(FormatError::Encoding));
    }

    #[test]
    fn a_key_length_is_16_to_64_bytes() {
        assert_eq!(KeyLength::new(16).map(KeyLength::bytes), Ok(16));
        assert_eq!(KeyLength::new(64).map(KeyLength::bytes), Ok(64));
        for bytes in [0, 15, 65, 255] {
            assert_eq!(KeyLength::new(bytes), Err(FormatError::KeyLength), "{bytes}");
        }
        assert_eq!(KeyLength::default().bytes(), 32);
    }
}

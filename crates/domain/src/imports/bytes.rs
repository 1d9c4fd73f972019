//! The bytes of hashes, salts and keys as other stores write them: what they stand for is told
//! apart from how it was written, so that one hash has one form here.

use std::fmt;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credential::words;
use crate::secret::hex_digit;

words!(
    /// How bytes are written.
    #[non_exhaustive]
    HashEncoding {
        /// RFC 4648, section 4, with padding or without.
        Base64 = "base64",
        /// RFC 4648, section 5, with padding or without.
        Base64Url = "base64url",
        /// RFC 4648, section 8, in either case.
        Hex = "hex",
        /// As they are, in UTF-8.
        Text = "text",
    }
);

/// Bytes of another store: 1 to 1,024 of them. Wiped from memory when dropped, and shown by nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HashBytes(Zeroizing<Vec<u8>>);

impl HashBytes {
    /// The most that there are.
    pub const MAX: usize = 1024;

    /// Reads bytes that are written so.
    ///
    /// # Errors
    ///
    /// [`HashBytesError`] if they are not, or are none, or too many.
    pub fn read(text: &str, encoding: HashEncoding) -> Result<Self, HashBytesError> {
        if text.len() > 2 * Self::MAX {
            return Err(HashBytesError::Length);
        }
        let unpadded = text.trim_end_matches('=');
        let bytes = match encoding {
            HashEncoding::Base64 => Base64Unpadded::decode_vec(unpadded).ok(),
            HashEncoding::Base64Url => Base64UrlUnpadded::decode_vec(unpadded).ok(),
            HashEncoding::Hex => base16(text),
            HashEncoding::Text => Some(text.as_bytes().to_vec()),
        };
        let bytes = Zeroizing::new(bytes.ok_or(HashBytesError::Encoding(encoding))?);
        let fits = (1..=Self::MAX).contains(&bytes.len());
        if fits { Ok(Self(bytes)) } else { Err(HashBytesError::Length) }
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for HashBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashBytes(..)")
    }
}

impl From<HashBytes> for String {
    fn from(bytes: HashBytes) -> Self {
        Base64Unpadded::encode_string(&bytes.0)
    }
}

impl TryFrom<String> for HashBytes {
    type Error = HashBytesError;

    fn try_from(text: String) -> Result<Self, HashBytesError> {
        Self::read(&Zeroizing::new(text), HashEncoding::Base64)
    }
}

/// Why a text stands for no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashBytesError {
    /// It is not written so.
    #[error("is not {0}")]
    Encoding(HashEncoding),
    /// Nothing, or too much.
    #[error("must have 1 to {} bytes", HashBytes::MAX)]
    Length,
}

fn base16(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|&[high, low]| Some(hex_digit(high)? << 4 | hex_digit(low)?)).collect()
}

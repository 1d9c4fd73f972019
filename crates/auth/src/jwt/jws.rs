//! The signature around a payload: all that is cryptography in a token, whatever the payload says.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::header::Header;
use super::{KeySet, TokenError};

/// A JSON Web Signature in compact form (RFC 7515, section 7.1), taken apart and not verified.
pub(super) struct Jws<'a> {
    pub(super) header: Header,
    pub(super) payload: Vec<u8>,
    /// What was signed: header and payload as they were received.
    input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenError> {
        let (input, signature) = text.rsplit_once('.').ok_or(TokenError::Encoding)?;
        let (header, payload) = input.split_once('.').ok_or(TokenError::Encoding)?;
        Ok(Self {
            header: Header::parse(&decode(header)?)?,
            payload: decode(payload)?,
            input,
            signature: decode(signature)?,
        })
    }

    /// Whether the one key of `keys` that the header means made the signature.
    pub(super) fn verify(&self, keys: &KeySet) -> Result<(), TokenError> {
        let key = keys
            .find(self.header.key_id.as_deref(), self.header.algorithm)
            .ok_or(TokenError::UnknownKey)?;
        if key.verifies(self.input.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(TokenError::Signature)
        }
    }
}

/// Base64url without padding and in its one canonical spelling, so that no token has two texts.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    Base64UrlUnpadded::decode_vec(part).or(Err(TokenError::Encoding))
}

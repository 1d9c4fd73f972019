//! What stands for a secret: apart from it, because these travel to caches, embedders and tables,
//! where the secret never goes.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{IdError, mac};

/// SHA-256 of a whole secret: what caches and embedders work with.
///
/// Not secret in the way the key is, yet shown by nothing: with it a made-up key can be checked
/// against a real one. It parses from 64 hexadecimal digits of either case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Takes the hash of a secret that was hashed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(FingerprintError) };
        let bytes = pairs.iter().map(|&[high, low]| Some(hex_digit(high)? << 4 | hex_digit(low)?));
        let bytes = bytes.collect::<Option<Vec<u8>>>().ok_or(FingerprintError)?;
        bytes.try_into().map(Self).ok().ok_or(FingerprintError)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// Names one secret of a credential, and tells nothing of it: the beginning of its digest.
///
/// What was made from a secret carries it, and so ends with that secret and not with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretTag([u8; TAG_BYTES]);

impl SecretTag {
    /// The least and the greatest digest that begin with it.
    #[must_use]
    pub fn bounds(&self) -> [Digest; 2] {
        [0, u8::MAX].map(|filler| {
            let mut bytes = [filler; 32];
            bytes.iter_mut().zip(self.0).for_each(|(slot, byte)| *slot = byte);
            Digest(bytes)
        })
    }
}

impl fmt::Display for SecretTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl FromStr for SecretTag {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut tag = [0; TAG_BYTES];
        match Base64UrlUnpadded::decode(text, &mut tag) {
            Ok(read) if read.len() == TAG_BYTES => Ok(Self(tag)),
            _ => Err(IdError),
        }
    }
}

/// The text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct FingerprintError;

/// HMAC-SHA-256 (RFC 2104) of a fingerprint under the pepper: what is stored.
///
/// Compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Takes a digest that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name of the secret among those of its credential.
    #[must_use]
    pub fn tag(&self) -> SecretTag {
        let mut tag = [0; TAG_BYTES];
        tag.iter_mut().zip(self.0).for_each(|(slot, byte)| *slot = byte);
        SecretTag(tag)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// The server-held secret without which a stolen table says nothing about fingerprints.
#[derive(Clone)]
pub struct Pepper(
    /// With the key already absorbed, so that a digest costs two blocks less.
    Hmac<Sha256>,
);

impl Pepper {
    /// Prepares a pepper; the caller wipes its own copy.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(mac::keyed(bytes))
    }

    /// The digest to store or to look up.
    #[must_use]
    pub fn digest(&self, fingerprint: &Fingerprint) -> Digest {
        let mac = self.0.clone().chain_update(fingerprint.0);
        Digest(mac.finalize().into_bytes().into())
    }

    /// What stands for something else than a fingerprint. It is made of more than 32 bytes, and each
    /// part goes in with its length: no two things are taken for each other.
    pub(crate) fn digest_of(&self, kind: &str, parts: &[&[u8]]) -> Digest {
        let parts = [kind.as_bytes()].into_iter().chain(parts.iter().copied());
        let mac = parts.fold(self.0.clone().chain_update([0; 32]), |mac, part| {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            mac.chain_update(length.to_be_bytes()).chain_update(part)
        });
        Digest(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// The value of a hexadecimal digit, in either case.
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A multiple of three: whole letters of base64.
const TAG_BYTES: usize = 9;

#[cfg(test)]
mod tests {
    use hmac::KeyInit;

    use super::super::Secret;
    use super::*;

    /// `printf abc | sha256sum`
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_whole_secret() {
        assert_eq!(Secret::parse("abc").unwrap().fingerprint(), OF_ABC.parse().unwrap());
        assert_eq!(OF_ABC.parse::<Fingerprint>(), OF_ABC.to_uppercase().parse());
    }

    #[test]
    fn anything_but_64_hexadecimal_digits_is_no_fingerprint() {
        let plus = OF_ABC.replacen("ba", "+a", 1);
        let wide = OF_ABC.replacen("ba", "é", 1);
        let long = format!("{OF_ABC}00");
        for text in ["", &OF_ABC[1..], &OF_ABC[2..], &long, &plus, &wide, &" ".repeat(64)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }

    #[test]
    fn a_digest_is_the_hmac_of_the_fingerprint() {
        let fingerprint = Secret::parse("abc").unwrap().fingerprint();
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(fingerprint.as_bytes());
        let digest = Pepper::from_bytes(&[7; 32]).digest(&fingerprint);
        assert_eq!(digest.as_bytes().as_slice(), mac.finalize().into_bytes().as_slice());
    }

    #[test]
    fn digests_differ_by_pepper_and_by_secret() {
        let [a, b] = ["a", "b"].map(|text| Secret::parse(text).unwrap().fingerprint());
        let (one, other) = (Pepper::from_bytes(&[1; 32]), Pepper::from_bytes(&[2; 32]));
        assert_eq!(one.digest(&a), one.digest(&a));
        assert_ne!(one.digest(&a), one.digest(&b));
        assert_ne!(one.digest(&a), other.digest(&a));
    }

    #[test]
    fn debugging_shows_nothing() {
        let (fingerprint, pepper) = (Fingerprint([3; 32]), Pepper::from_bytes(&[3; 32]));
        let text = format!("{fingerprint:?} {pepper:?} {:?}", pepper.digest(&fingerprint));
        assert_eq!(text, "Fingerprint(..) Pepper(..) Digest(..)");
    }

    #[test]
    fn a_tag_reads_back_and_lies_between_its_bounds() {
        let digest = Pepper::from_bytes(&[1; 32]).digest(&Fingerprint([3; 32]));
        let tag = digest.tag();
        assert_eq!(tag.to_string().parse(), Ok(tag));
        let [least, greatest] = tag.bounds();
        assert!((least.as_bytes()..=greatest.as_bytes()).contains(&digest.as_bytes()));
        assert_eq!((least.tag(), greatest.tag()), (tag, tag));
        for text in ["", "AAAAAAAAAAA", "AAAAAAAAAAAAA", "AAAAAAAAAAA=", "AAAAAAAAAAA!"] {
            assert_eq!(text.parse::<SecretTag>(), Err(IdError), "{text}");
        }
    }
}

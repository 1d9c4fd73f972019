//! How another store hashed: apart from the hashes, because all keys of a store share it.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::HashBytes;
use crate::Secret;
use crate::credential::words;

words!(
    /// The algorithms that other stores hash secrets with.
    #[non_exhaustive]
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    HashAlgorithm {
        /// RFC 9106, with all its parameters in the hash's text. Slow.
        Argon2 = "argon2",
        /// With its cost in the hash's text. Slow.
        Bcrypt = "bcrypt",
        /// RFC 2104.
        HmacSha256 = "hmac-sha256",
        /// RFC 8018, section 5.2, with its parameters in the hash's text. Slow.
        Pbkdf2 = "pbkdf2",
        /// RFC 3174. Old, and good enough for secrets that nobody can guess.
        Sha1 = "sha1",
        /// FIPS 180-4.
        Sha256 = "sha256",
        /// FIPS 180-4.
        Sha512 = "sha512",
    }
);

impl HashAlgorithm {
    /// How many bytes a hash has; `None`: it is slow, and its text says more than bytes.
    #[must_use]
    pub fn length(self) -> Option<usize> {
        match self {
            Self::Sha1 => Some(20),
            Self::HmacSha256 | Self::Sha256 => Some(32),
            Self::Sha512 => Some(64),
            Self::Argon2 | Self::Bcrypt | Self::Pbkdf2 => None,
        }
    }
}

/// What all keys of a store have in common. It may hold the pepper of that store, and is kept
/// sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashScheme {
    pub(super) algorithm: HashAlgorithm,
    pub(super) part: KeyPart,
    /// Where keys are found by their beginning, each has its own instead.
    pub(super) salt: Option<HashSalt>,
    pub(super) key: Option<HashBytes>,
    /// How many characters keys are found by; `None`: they are found by the hash.
    pub(super) prefix_length: Option<usize>,
}

impl HashScheme {
    /// How hashes are made.
    #[must_use]
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Whether its hashes are fingerprints, but for a salt that is each key's own.
    pub(super) fn is_fingerprint(&self) -> bool {
        let is_whole = self.part == KeyPart::default() && self.salt.is_none();
        is_whole && self.algorithm == HashAlgorithm::Sha256
    }

    /// What goes into the hash: the part of the secret, with the salt at its side. Nothing if the
    /// secret has no such part.
    #[must_use]
    pub fn input(&self, secret: &Secret, own: Option<&HashSalt>) -> Option<Zeroizing<Vec<u8>>> {
        let part = self.part.of(secret.expose())?.as_bytes();
        let salt = own.or(self.salt.as_ref());
        let bytes = salt.map_or(&[][..], |salt| salt.value.as_slice());
        Some(Zeroizing::new(match salt.map(|salt| salt.position) {
            Some(SaltPosition::Before) => [bytes, part].concat(),
            Some(SaltPosition::After) => [part, bytes].concat(),
            None => part.to_vec(),
        }))
    }

    /// The hash, if the algorithm is fast and the secret has what it hashes.
    pub(super) fn hash(&self, secret: &Secret, own: Option<&HashSalt>) -> Option<Vec<u8>> {
        let input = self.input(secret, own)?;
        match self.algorithm {
            HashAlgorithm::HmacSha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?.as_slice()).ok()?;
                Some(mac.chain_update(&*input).finalize().into_bytes().to_vec())
            }
            HashAlgorithm::Sha1 => Some(Sha1::digest(&*input).to_vec()),
            HashAlgorithm::Sha256 => Some(Sha256::digest(&*input).to_vec()),
            HashAlgorithm::Sha512 => Some(Sha512::digest(&*input).to_vec()),
            HashAlgorithm::Argon2 | HashAlgorithm::Bcrypt | HashAlgorithm::Pbkdf2 => None,
        }
    }
}

/// What the store hashed together with a secret: a salt, or a pepper that was no key of an HMAC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct HashSalt {
    /// The bytes.
    pub value: HashBytes,
    /// Where they stood.
    pub position: SaltPosition,
}

words!(
    /// At which side of a secret its salt was.
    #[non_exhaustive]
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    SaltPosition {
        /// Behind it.
        After = "after",
        /// In front of it.
        Before = "before",
    }
);

/// Which part of a secret was hashed.
///
/// What the part leaves out was never known to the old store, and so cannot be compared: the first
/// text that is presented with the right part becomes the key, in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart(Part);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    AfterFirst(String),
    AfterLast(String),
    Skip(usize),
    #[default]
    Whole,
}

impl KeyPart {
    /// What follows the first place of a mark.
    ///
    /// # Errors
    ///
    /// [`KeyPartError::Mark`] unless it is 1 to 16 characters of visible ASCII.
    pub fn after_first(mark: String) -> Result<Self, KeyPartError> {
        check_mark(&mark).map(|()| Self(Part::AfterFirst(mark)))
    }

    /// What follows the last place of a mark.
    ///
    /// # Errors
    ///
    /// As for [`after_first`](Self::after_first).
    pub fn after_last(mark: String) -> Result<Self, KeyPartError> {
        check_mark(&mark).map(|()| Self(Part::AfterLast(mark)))
    }

    /// What is left without so many characters.
    ///
    /// # Errors
    ///
    /// [`KeyPartError::Skip`] unless it is 1 to 256.
    pub fn skip(characters: i64) -> Result<Self, KeyPartError> {
        let characters = usize::try_from(characters).ok().filter(|n| (1..=MAX_SKIP).contains(n));
        characters.map(|n| Self(Part::Skip(n))).ok_or(KeyPartError::Skip)
    }

    /// Which part it is, in two words that no other part has.
    pub(super) fn words(&self) -> (&'static str, String) {
        match &self.0 {
            Part::AfterFirst(mark) => ("after_first", mark.clone()),
            Part::AfterLast(mark) => ("after_last", mark.clone()),
            Part::Skip(characters) => ("skip", characters.to_string()),
            Part::Whole => ("whole", String::new()),
        }
    }

    fn of<'s>(&self, secret: &'s str) -> Option<&'s str> {
        let part = match &self.0 {
            Part::AfterFirst(mark) => secret.split_once(mark.as_str())?.1,
            Part::AfterLast(mark) => secret.rsplit_once(mark.as_str())?.1,
            Part::Skip(characters) => secret.get(*characters..)?,
            Part::Whole => secret,
        };
        (!part.is_empty()).then_some(part)
    }
}

/// Why this can be no part of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPartError {
    /// No mark that a secret could have.
    #[error("must have 1 to {MAX_MARK} characters of visible ASCII")]
    Mark,
    /// No number of characters that a secret could have.
    #[error("must be from 1 to {MAX_SKIP}")]
    Skip,
}

fn check_mark(mark: &str) -> Result<(), KeyPartError> {
    let fits = (1..=MAX_MARK).contains(&mark.len());
    let fits = fits && mark.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(KeyPartError::Mark) }
}

const MAX_MARK: usize = 16;
const MAX_SKIP: usize = 256;

//! Secrets that another store hashed: a module of its own, because only here a secret is hashed in
//! the way of somebody else.
//!
//! What all keys of a store have in common is a [`HashScheme`], of which few are in use at once;
//! what is a key's own is a [`KeptHash`]. A presented secret is looked for in one of two ways:
//!
//! - by its hash, where the scheme alone gives it: one look-up for each scheme;
//! - by its beginning, where each key has a salt of its own or the hash is slow: the few keys that
//!   begin so are compared one by one.

mod bytes;
mod scheme;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use self::bytes::{HashBytes, HashBytesError, HashEncoding};
pub use self::scheme::{HashAlgorithm, HashSalt, HashScheme, KeyPart, KeyPartError, SaltPosition};
use crate::{Digest, Fingerprint, Pepper, Secret};

/// The hash that another store kept of a secret.
#[derive(Clone, Debug)]
pub struct ImportedHash {
    scheme: HashScheme,
    prefix: Option<KeyPrefix>,
    kept: KeptHash,
}

/// What is told of an imported hash, before it is known to make sense together.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "faces build it field by field")]
pub struct HashParts {
    /// How it was made.
    pub algorithm: HashAlgorithm,
    /// The hash: the bytes of a fast one, the whole text of a slow one.
    pub value: HashBytes,
    /// What of the secret was hashed.
    pub part: KeyPart,
    /// What was hashed with it.
    pub salt: Option<HashSalt>,
    /// The key of the HMAC.
    pub key: Option<HashBytes>,
    /// What the secret begins with.
    pub prefix: Option<KeyPrefix>,
}

impl ImportedHash {
    /// The hash, if its parts make sense together.
    ///
    /// # Errors
    ///
    /// [`HashPartsError`] if one is missing, or there for nothing, or of a wrong length.
    pub fn new(parts: HashParts) -> Result<Self, HashPartsError> {
        let HashParts { algorithm, value, part, salt, key, prefix } = parts;
        match algorithm.length() {
            Some(length) if value.as_slice().len() != length => {
                return Err(HashPartsError::Length(algorithm, length));
            }
            None if prefix.is_none() => return Err(HashPartsError::PrefixMissing(algorithm)),
            _ => {}
        }
        match (algorithm, &key) {
            (HashAlgorithm::HmacSha256, None) => return Err(HashPartsError::KeyMissing),
            (HashAlgorithm::HmacSha256, Some(_)) | (_, None) => {}
            (_, Some(_)) => return Err(HashPartsError::KeyUnused(algorithm)),
        }
        // A salt beside a prefix may be each key's own; without one it must be that of them all.
        let (shared, own) = if prefix.is_some() { (None, salt) } else { (salt, None) };
        let prefix_length = prefix.as_ref().map(|prefix| prefix.0.len());
        let scheme = HashScheme { algorithm, part, salt: shared, key, prefix_length };
        Ok(Self { scheme, prefix, kept: KeptHash { salt: own, value } })
    }

    /// What it has in common with the other hashes of its store.
    #[must_use]
    pub fn scheme(&self) -> &HashScheme {
        &self.scheme
    }

    /// What the secret begins with, if it is to be found by that.
    #[must_use]
    pub fn prefix(&self) -> Option<&KeyPrefix> {
        self.prefix.as_ref()
    }

    /// What is its own.
    #[must_use]
    pub fn kept(&self) -> &KeptHash {
        &self.kept
    }

    /// The fingerprint of the secret, if the hash happens to be that.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let is_plain = self.scheme.is_fingerprint() && self.kept.salt.is_none();
        let value = self.kept.value.as_slice().try_into().ok().filter(|_| is_plain);
        value.map(Fingerprint::from_bytes)
    }

    /// What stands for the secret until it is shown: one for one old hash, whatever it is found by.
    #[must_use]
    pub fn digest(&self, pepper: &Pepper) -> Digest {
        self.scheme.digest(pepper, self.kept.salt(), self.kept.value.as_slice())
    }

    /// What its beginning is looked up by.
    #[must_use]
    pub fn place(&self, pepper: &Pepper) -> Option<Digest> {
        self.prefix.as_ref().map(|prefix| by_prefix(pepper, &prefix.0))
    }
}

/// Where a presented secret may be found, if its key was imported under a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are these two ways")]
pub enum ImportPlace {
    /// At the key that this stands for, if it is found by its hash.
    Digest(Digest),
    /// Among the keys that begin so.
    Prefix(Digest),
}

impl HashScheme {
    /// Where to look for a presented secret. Nowhere if it has not what the scheme hashes.
    #[must_use]
    pub fn place(&self, pepper: &Pepper, secret: &Secret) -> Option<ImportPlace> {
        if let Some(length) = self.prefix_length {
            let (prefix, rest) = secret.expose().split_at_checked(length)?;
            let place = by_prefix(pepper, prefix);
            return (!rest.is_empty()).then_some(ImportPlace::Prefix(place));
        }
        self.digest_of(pepper, secret).map(ImportPlace::Digest)
    }

    /// What stands for a secret if it was imported under this scheme, without a salt of its own and
    /// by a fast hash.
    #[must_use]
    pub fn digest_of(&self, pepper: &Pepper, secret: &Secret) -> Option<Digest> {
        self.hash(secret, None).map(|hash| self.digest(pepper, None, &hash))
    }

    /// Of all that makes a hash what it is, and of nothing that only tells where to look for it.
    fn digest(&self, pepper: &Pepper, own: Option<&HashSalt>, hash: &[u8]) -> Digest {
        let salt = own.or(self.salt.as_ref());
        let position = salt.map_or("", |salt| salt.position.as_str());
        let salt = salt.map_or(&[][..], |salt| salt.value.as_slice());
        let key = self.key.as_ref().map_or(&[][..], HashBytes::as_slice);
        let (kind, mark) = self.part.words();
        let algorithm = self.algorithm.as_str().as_bytes();
        let parts = [algorithm, kind.as_bytes(), mark.as_bytes(), key, position.as_bytes(), salt];
        pepper.digest_of("imported hash", &[&parts[..], &[hash]].concat())
    }
}

/// What is a key's own of an imported hash. It is kept sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptHash {
    salt: Option<HashSalt>,
    value: HashBytes,
}

impl KeptHash {
    /// The hash itself: of a slow one its text.
    #[must_use]
    pub fn value(&self) -> &HashBytes {
        &self.value
    }

    /// What was hashed with the secret, if that is the key's own.
    #[must_use]
    pub fn salt(&self) -> Option<&HashSalt> {
        self.salt.as_ref()
    }

    /// Whether it is a fast hash of the secret, in constant time. A slow one never is.
    #[must_use]
    pub fn is_of(&self, secret: &Secret, scheme: &HashScheme) -> bool {
        let hash = scheme.hash(secret, self.salt());
        hash.is_some_and(|hash| hash.ct_eq(self.value.as_slice()).into())
    }
}

/// What a key begins with, as its old store shows it: 1 to 32 characters of visible ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// The longest that there is, in characters.
    pub const MAX: usize = 32;

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyPrefix {
    type Error = KeyPrefixError;

    fn try_from(text: String) -> Result<Self, KeyPrefixError> {
        let fits = (1..=Self::MAX).contains(&text.len());
        let fits = fits && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(KeyPrefixError) }
    }
}

/// The text cannot be the beginning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {} characters of visible ASCII", KeyPrefix::MAX)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct KeyPrefixError;

/// Why the parts of an imported hash make no sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashPartsError {
    /// An HMAC without its key.
    #[error("is needed for {}", HashAlgorithm::HmacSha256)]
    KeyMissing,
    /// A key for what has none.
    #[error("is not for {0}, which has none")]
    KeyUnused(HashAlgorithm),
    /// A hash of another length.
    #[error("must be the {1} bytes of {0}")]
    Length(HashAlgorithm, usize),
    /// A slow hash, and nothing to find it by.
    #[error("is needed for {0}, which is too slow to be tried on every key")]
    PrefixMissing(HashAlgorithm),
}

impl HashPartsError {
    /// The member that is wrong, as people call it.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            Self::KeyMissing | Self::KeyUnused(_) => "key",
            Self::Length(..) => "value",
            Self::PrefixMissing(_) => "prefix",
        }
    }
}

fn by_prefix(pepper: &Pepper, prefix: &str) -> Digest {
    pepper.digest_of("imported prefix", &[prefix.as_bytes()])
}

#[cfg(test)]
mod tests;

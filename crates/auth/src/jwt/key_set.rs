//! The public keys of one issuer, and which of them a token means.

use std::fmt;

use keystile_domain::JwtAlgorithm;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::parse_object;
use super::key::PublicKey;

/// The usable keys of one issuer (a JWK Set: RFC 7517, section 5).
///
/// Each key is for one algorithm: the one that it names, or that its curve allows, or RS256, the
/// default of OpenID Connect, for an RSA key that names none.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

impl KeySet {
    /// Reads the JSON of a JWK Set, whose size is for the caller to bound.
    ///
    /// Of its keys, the first 100 are considered. Those that are not for verifying one of our
    /// [`JwtAlgorithm`]s are skipped, as section 5 asks: other types, curves, algorithms and uses,
    /// RSA outside 2048 to 8192 bits or with a flaw that shows, a private or symmetric key,
    /// members missing, of a wrong type or twice. A set without usable keys is a set.
    ///
    /// # Errors
    ///
    /// [`KeySetError`] if it is no object with one list of `keys`.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let document: Document<'_> = serde_json::from_slice(json).or(Err(KeySetError))?;
        let considered = document.keys.into_iter().take(MAX_KEYS);
        let objects = considered.filter_map(|key| parse_object(key.get().as_bytes()));
        Ok(Self { keys: objects.filter_map(|jwk| PublicKey::parse(&jwk)).collect() })
    }

    /// Whether a key has this id, for any algorithm: if not, the set may be outdated.
    #[must_use]
    pub fn contains(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.id.as_deref() == Some(key_id))
    }

    /// How many keys are usable.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The one key with this id and algorithm; without an id, the one key with this algorithm.
    ///
    /// Keys that share an id are alternatives of different types (RFC 7517, section 4.5). If it
    /// still leaves a choice, there is none: a token is verified by one key or not at all, which
    /// also bounds what a token may cost.
    pub(super) fn find(&self, key_id: Option<&str>, algorithm: JwtAlgorithm) -> Option<&PublicKey> {
        let has_id = |key: &&PublicKey| key_id.is_none() || key.id.as_deref() == key_id;
        let mut fitting = self.keys.iter().filter(has_id).filter(|key| key.algorithm == algorithm);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.keys.iter().map(|key| (key.id.as_deref(), key.algorithm));
        f.write_str("KeySet ")?;
        f.debug_list().entries(names).finish()
    }
}

/// The document is no JWK Set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a JSON object with a list of keys (RFC 7517, section 5)")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct KeySetError;

/// Its keys as raw text: one that is broken must not take the others with it.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

const MAX_KEYS: usize = 100;

//! The chain that seals the audit log.
//!
//! Each event carries an HMAC-SHA-256 (RFC 2104) over its own contents and the hash before it,
//! under a key that the database never sees: whoever owns the database can break the chain, but
//! cannot forge it. `before`, `after` and `address` go in as salted digests, so that erasing
//! one of them (salt included) leaves the chain valid and nothing to guess from.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::{Actor, Event, mac};

/// Seals events. Derived from the master key.
#[derive(Clone)]
pub struct ChainKey(Hmac<Sha256>);

/// The seal of one event, and the beginning of the next one's.
///
/// Compared in constant time: whoever owns the database must not find a seal byte by byte.
#[derive(Clone, Copy)]
pub struct ChainHash([u8; 32]);

/// A digest that tells nothing of a text once its salt is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salted {
    salt: Option<[u8; 16]>,
    digest: [u8; 32],
}

/// The digests of the erasable parts of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage builds it field by field")]
pub struct EventDigests {
    /// Of `before`.
    pub before: Option<Salted>,
    /// Of `after`.
    pub after: Option<Salted>,
    /// Of `address`.
    pub address: Option<Salted>,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "storage builds it field by field")]
pub struct SealedEvent {
    /// What it says.
    pub event: Event,
    /// The digests of its erasable parts.
    pub digests: EventDigests,
    /// The seal of the event before it.
    pub previous: ChainHash,
    /// Its own seal.
    pub hash: ChainHash,
}

/// What is wrong with a sealed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A part does not match its digest.
    #[error("its contents were changed")]
    Content,
    /// It does not follow the event before it.
    #[error("it does not follow the event before it")]
    Link,
    /// Its seal was not made with this master key over these contents.
    #[error("its seal is wrong")]
    Seal,
}

impl ChainKey {
    /// Prepares a key; the caller wipes its own copy.
    #[must_use]
    pub fn from_bytes(key: &[u8; 32]) -> Self {
        Self(mac::keyed(key))
    }

    /// Seals `event`, which follows the one sealed `previous`; `salts` must come from a random
    /// generator.
    #[must_use]
    pub fn seal(&self, event: Event, previous: ChainHash, salts: [[u8; 16]; 3]) -> SealedEvent {
        let digests = EventDigests::of(&event, salts);
        let hash = self.hash(&event, &digests, previous);
        SealedEvent { event, digests, previous, hash }
    }

    /// Checks that a stored event is what was sealed and follows the one sealed `previous`.
    ///
    /// # Errors
    ///
    /// [`ChainError`] says what is wrong first.
    pub fn check(&self, sealed: &SealedEvent, previous: ChainHash) -> Result<(), ChainError> {
        let SealedEvent { event, digests, .. } = sealed;
        if sealed.previous != previous {
            return Err(ChainError::Link);
        }
        if self.hash(event, digests, previous) != sealed.hash {
            return Err(ChainError::Seal);
        }
        let draft = &event.draft;
        let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
        let parts = [
            (text(&draft.before), digests.before),
            (text(&draft.after), digests.after),
            (draft.address.map(|address| address.to_string()), digests.address),
        ];
        if parts.into_iter().all(|(text, salted)| Salted::matches(salted, text.as_deref())) {
            Ok(())
        } else {
            Err(ChainError::Content)
        }
    }

    fn hash(&self, event: &Event, digests: &EventDigests, previous: ChainHash) -> ChainHash {
        let mut fields = Fields(self.0.clone());
        let draft = &event.draft;
        fields.add(b"keystile event 1");
        fields.add(&previous.0);
        fields.add(&event.seq.0.to_be_bytes());
        fields.add(event.id.as_uuid().as_bytes());
        fields.add(&event.at.as_millis().to_be_bytes());
        match &draft.actor {
            Actor::System => fields.add(b"system"),
            Actor::Principal { principal, credential } => {
                fields.add(principal.kind.as_str().as_bytes());
                fields.add(principal.id.as_bytes());
                fields.add(principal.name.as_str().as_bytes());
                fields.add(credential.as_bytes());
            }
        }
        fields.add(draft.action.as_str().as_bytes());
        fields.add(draft.target.kind.as_str().as_bytes());
        fields.add(draft.target.id.as_bytes());
        fields.add(draft.target.name.as_bytes());
        for part in [digests.before, digests.after, digests.address] {
            fields.add_optional(part.as_ref().map(|salted| salted.digest.as_slice()));
        }
        fields.add_optional(draft.reason.as_ref().map(|reason| reason.as_str().as_bytes()));
        fields.add_optional(draft.request_id.as_ref().map(|id| id.as_str().as_bytes()));
        ChainHash(fields.0.finalize().into_bytes().into())
    }
}

impl EventDigests {
    fn of(event: &Event, salts: [[u8; 16]; 3]) -> Self {
        let [before, after, address] = salts;
        let draft = &event.draft;
        Self {
            before: draft.before.as_ref().map(|json| Salted::new(&json.to_string(), before)),
            after: draft.after.as_ref().map(|json| Salted::new(&json.to_string(), after)),
            address: draft.address.map(|ip| Salted::new(&ip.to_string(), address)),
        }
    }
}

impl Salted {
    /// The digest of a text under a random salt.
    #[must_use]
    pub fn new(text: &str, salt: [u8; 16]) -> Self {
        Self { salt: Some(salt), digest: digest(&salt, text) }
    }

    /// What a store keeps: the salt, unless it was erased, and the digest.
    #[must_use]
    pub fn to_parts(&self) -> (Option<[u8; 16]>, [u8; 32]) {
        (self.salt, self.digest)
    }

    /// What a store kept.
    #[must_use]
    pub fn from_parts(salt: Option<[u8; 16]>, digest: [u8; 32]) -> Self {
        Self { salt, digest }
    }

    /// Whether a text is the one that was digested; an erased text matches an erased salt.
    fn matches(salted: Option<Self>, text: Option<&str>) -> bool {
        match (salted, text) {
            (None, None) | (Some(Self { salt: None, .. }), None) => true,
            (Some(Self { salt: Some(salt), digest: stored }), Some(text)) => {
                digest(&salt, text) == stored
            }
            _ => false,
        }
    }
}

impl ChainHash {
    /// What stands before the first event.
    pub const START: Self = Self([0; 32]);

    /// The hash itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A stored hash.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for ChainHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for ChainHash {}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey(..)")
    }
}

/// Feeds fields with their lengths, so that no two lists of fields read alike.
struct Fields(Hmac<Sha256>);

impl Fields {
    fn add(&mut self, field: &[u8]) {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        self.0.update(&length.to_be_bytes());
        self.0.update(field);
    }

    fn add_optional(&mut self, field: Option<&[u8]>) {
        self.add(if field.is_some() { b"1" } else { b"0" });
        self.add(field.unwrap_or_default());
    }
}

fn digest(salt: &[u8; 16], text: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests;

//! The master key, and the keys that come from the root key, which is sealed under it.
//!
//! Each purpose has a key of its own, derived with HKDF-SHA-256 (RFC 5869) under a label of its
//! own: none of them tells anything of another, or of what it comes from.

use std::fmt;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use keystile_domain::{ChainKey, Mark, MarkKey};
use keystile_storage::{Store, StoreError};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::peppers::Peppers;
use crate::root_key::RootKey;
use crate::sealer::Sealer;
use crate::{ServiceError, random};

/// The one secret that the operator keeps: 32 bytes.
pub struct MasterKey(SecretBox<[u8; 32]>);

/// The text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes in base64")]
pub struct MasterKeyError;

/// The keys that come from the root key, and the peppers that came later.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) peppers: Peppers,
    pub(crate) chain: ChainKey,
    cursor: Hmac<Sha256>,
    sealer: Sealer,
    names: Hmac<Sha256>,
}

impl MasterKey {
    /// A master key out of random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// A new master key, from the operating system's generator.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Entropy`] if the generator fails.
    pub fn draw() -> Result<Self, ServiceError> {
        Ok(Self::from_bytes(random::bytes()?))
    }

    /// Reads base64 (RFC 4648, section 4), with padding or without.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError`] if it is not 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let unpadded = text.strip_suffix('=').unwrap_or(text);
        let mut bytes = Zeroizing::new([0; 32]);
        match base64ct::Base64Unpadded::decode(unpadded, bytes.as_mut()) {
            Ok(read) if read.len() == 32 => Ok(Self::from_bytes(*bytes)),
            _ => Err(MasterKeyError),
        }
    }

    /// The key as base64, to be kept in a file.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64::encode_string(self.0.expose_secret()))
    }

    /// What a database keeps to know its master key again; it tells nothing of it.
    #[must_use]
    pub fn check_value(&self) -> String {
        Base64::encode_string(&*self.derive("check value"))
    }

    /// What backups are sealed with.
    pub(crate) fn backup_seal(&self) -> Hmac<Sha256> {
        mac(&self.derive("backup"))
    }

    /// What the root key is sealed with.
    pub(crate) fn sealer(&self) -> Sealer {
        Sealer::new(self.derive("root key"))
    }

    pub(crate) fn as_root(&self) -> RootKey {
        RootKey::from_bytes(Zeroizing::new(*self.0.expose_secret()))
    }

    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        derive(self.0.expose_secret(), &[INSTALLATION, purpose])
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl Keys {
    pub(crate) fn new(root: &RootKey) -> Self {
        let derive = |purpose| derive(root.as_bytes(), &[INSTALLATION, purpose]);
        Self {
            peppers: Peppers::new(derive("pepper")),
            chain: ChainKey::from_bytes(&derive("audit chain")),
            cursor: mac(&derive("cursor")),
            sealer: Sealer::new(derive("sealing")),
            names: mac(&derive("names")),
        }
    }

    /// The keys of a database.
    pub(crate) async fn read(store: &Store, master: &MasterKey) -> Result<Self, StoreError> {
        let mut conn = store.read().await?;
        let keys = Self::new(&RootKey::read(&mut conn, master).await?);
        keys.learn_peppers(&mut conn).await?;
        Ok(keys)
    }

    /// Seals what only this installation may read again; `label` says what it is, and opens it.
    pub(crate) fn seal(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, ServiceError> {
        self.sealer.seal(label, secret)
    }

    /// What was sealed under the label; nothing if it was not.
    pub(crate) fn open(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer.open(label, sealed)
    }

    /// As [`open`](Self::open), for what is a key itself.
    pub(crate) fn open_key(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        self.sealer.open_key(label, sealed)
    }

    /// A stand-in for a text that must be recognised and not be kept.
    pub(crate) fn stand_in(&self, text: &str) -> String {
        let mac = self.names.clone().chain_update(text).finalize().into_bytes();
        Base64UrlUnpadded::encode_string(&mac)
    }

    /// A stand-in for the hash of what may hold a password, which nobody shall guess from it.
    pub(crate) fn conceal(&self, hash: &[u8; 32]) -> [u8; 32] {
        self.names.clone().chain_update(hash).finalize().into_bytes().into()
    }

    /// A cursor that only this installation can make, and only for this list: neither forged nor
    /// carried over to another list's filters.
    pub(crate) fn seal_cursor(&self, list: &str, mark: &Mark) -> String {
        let key = match &mark.key {
            MarkKey::Number(number) => serde_json::json!([number, mark.id]),
            MarkKey::Text(text) => serde_json::json!([text, mark.id]),
        };
        let payload = key.to_string();
        let mut sealed = self.tag(list, payload.as_bytes()).to_vec();
        sealed.extend_from_slice(payload.as_bytes());
        Base64UrlUnpadded::encode_string(&sealed)
    }

    pub(crate) fn open_cursor(&self, list: &str, cursor: &str) -> Option<Mark> {
        let sealed = Base64UrlUnpadded::decode_vec(cursor).ok()?;
        let (tag, payload) = sealed.split_first_chunk::<16>()?;
        if !bool::from(self.tag(list, payload).as_slice().ct_eq(tag.as_slice())) {
            return None;
        }
        let (key, id) = serde_json::from_slice::<(serde_json::Value, String)>(payload).ok()?;
        let key = match key {
            serde_json::Value::String(text) => MarkKey::Text(text),
            number => MarkKey::Number(number.as_i64()?),
        };
        Some(Mark { key, id })
    }

    fn tag(&self, list: &str, payload: &[u8]) -> [u8; 16] {
        let length = u64::try_from(list.len()).unwrap_or(u64::MAX).to_be_bytes();
        let mac = self.cursor.clone().chain_update(length).chain_update(list).chain_update(payload);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut tag = [0; 16];
        tag.iter_mut().zip(full).for_each(|(slot, byte)| *slot = byte);
        tag
    }
}

/// A key for one purpose; each part of `info` goes in with its length.
pub(crate) fn derive(secret: &[u8], info: &[&str]) -> Zeroizing<[u8; 32]> {
    let mut label = Vec::new();
    for part in info {
        label.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        label.extend_from_slice(part.as_bytes());
    }
    let mut key = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(None, secret).expand(&label, key.as_mut());
    #[expect(clippy::expect_used, reason = "32 bytes are fewer than the 8160 that it gives")]
    expanded.expect("HKDF-SHA-256 gives 32 bytes");
    key
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key).for_each(|(slot, byte)| *slot = *byte);
    Hmac::new(&block)
}

/// What every label begins with.
const INSTALLATION: &str = "keystile 1";

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::new(&MasterKey::from_bytes([byte; 32]).as_root())
    }

    #[test]
    fn a_master_key_is_thirty_two_bytes_of_base64() {
        let master = MasterKey::from_bytes([7; 32]);
        let text = master.to_base64();
        for text in [text.as_str(), text.trim_end_matches('=')] {
            assert_eq!(MasterKey::parse(text).unwrap().check_value(), master.check_value());
        }
        let long = Base64::encode_string(&[7; 33]);
        for text in ["", "abc", "!!!!", &long, &text[1..]] {
            assert_eq!(MasterKey::parse(text).map(|_| ()), Err(MasterKeyError), "{text}");
        }
    }

    #[test]
    fn a_master_key_is_never_printed() {
        let master = MasterKey::from_bytes([7; 32]);
        assert_eq!(format!("{master:?}"), "MasterKey(..)");
        assert_ne!(master.check_value(), *master.to_base64());
    }

    #[test]
    fn what_is_sealed_opens_only_here_and_under_its_own_label() {
        let sealed = keys(1).seal("a", b"secret").unwrap();
        assert_eq!(**keys(1).open("a", &sealed).unwrap(), *b"secret");
        assert!(keys(1).open("b", &sealed).is_none());
        assert!(keys(2).open("a", &sealed).is_none());
        assert_ne!(keys(1).seal("a", b"secret").unwrap(), sealed);
        for length in 0..sealed.len() {
            assert!(keys(1).open("a", &sealed[..length]).is_none());
        }
    }

    #[test]
    fn a_cursor_opens_only_for_its_own_list_and_installation() {
        let mark = Mark { key: MarkKey::Text("ci".into()), id: "x".into() };
        let cursor = keys(1).seal_cursor("keys?sort=name", &mark);
        assert_eq!(keys(1).open_cursor("keys?sort=name", &cursor), Some(mark));
        assert_eq!(keys(1).open_cursor("keys?sort=-name", &cursor), None);
        assert_eq!(keys(2).open_cursor("keys?sort=name", &cursor), None);
    }

    #[test]
    fn a_changed_cursor_opens_nothing() {
        let mark = Mark { key: MarkKey::Number(5), id: "x".into() };
        let cursor = keys(1).seal_cursor("l", &mark);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(keys(1).open_cursor("l", &changed), None, "{at}");
        }
        assert_eq!(keys(1).open_cursor("l", ""), None);
    }
}

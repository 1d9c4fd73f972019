//! Encryption of what the database keeps and must not know: XChaCha20-Poly1305, with a nonce that is
//! drawn each time and stands in front.

use std::sync::Arc;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use zeroize::Zeroizing;

use crate::{ServiceError, random};

/// Seals and opens under one key.
#[derive(Clone)]
pub(crate) struct Sealer(Arc<Zeroizing<[u8; 32]>>);

impl Sealer {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(Arc::new(key))
    }

    /// Seals what only this key may read again; `label` says what it is, and opens it.
    pub(crate) fn seal(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let nonce: [u8; 24] = random::bytes()?;
        let payload = Payload { msg: secret, aad: label.as_bytes() };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).map_err(ServiceError::Seal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed under the label; nothing if it was not.
    pub(crate) fn open(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
        let payload = Payload { msg: sealed, aad: label.as_bytes() };
        self.cipher().decrypt(&(*nonce).into(), payload).ok().map(Zeroizing::new)
    }

    /// As [`open`](Self::open), for what is a key itself.
    pub(crate) fn open_key(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        self.open(label, sealed)?.as_slice().try_into().ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&**self.0).into())
    }
}

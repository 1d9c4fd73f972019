//! Idempotency keys: a repeated request gets the answer to the first one, and does nothing.
//!
//! The answer may hold a secret, so it is kept under a key made from the request header and from
//! the caller's own secret. Neither is stored: whoever reads the database reads nothing.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use keystile_storage::{self as storage, StoreError};
use sha2::{Digest, Sha256};

use crate::change::Scope;
use crate::keys::derive;
use crate::{Caller, Conflict, ServiceError, random};

/// What a client names a request with (`Idempotency-Key`): 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is no idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 255 visible ASCII characters")]
pub struct IdempotencyKeyError;

/// How a repeated request finds the answer to the first one.
pub struct Replay<T> {
    /// The request's name.
    pub key: IdempotencyKey,
    /// A digest of everything that the request asks for.
    pub request: [u8; 32],
    /// Turns the outcome into the answer that is kept.
    pub render: fn(&T) -> serde_json::Result<Vec<u8>>,
}

impl FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;

    fn from_str(text: &str) -> Result<Self, IdempotencyKeyError> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }
}

impl<T> Replay<T> {
    /// The answer to the first request, if this is a repeated one.
    pub(crate) async fn find(
        &self,
        scope: &mut Scope,
        caller: &Caller,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        let id = caller.credential().id;
        let found = scope.tx.find_replay(id, &self.key_hash(), scope.now).await?;
        let Some(kept) = found else { return Ok(None) };
        if kept.request_hash != scope.keys.conceal(&self.request) {
            return Err(ServiceError::KeyReused);
        }
        let parts = kept.sealed.split_first_chunk::<12>();
        let (nonce, sealed) = parts.ok_or(StoreError::Corrupt("replays.sealed"))?;
        match self.cipher(caller).decrypt(&Nonce::from(*nonce), sealed) {
            Ok(answer) => Ok(Some(answer)),
            Err(_) => Err(Conflict::ReplayUnreadable.into()),
        }
    }

    /// Keeps the answer for 24 hours, in the transaction of the change itself.
    pub(crate) async fn keep(
        &self,
        scope: &mut Scope,
        caller: &Caller,
        answer: &[u8],
    ) -> Result<(), ServiceError> {
        let nonce: [u8; 12] = random::bytes()?;
        let sealing = self.cipher(caller).encrypt(&Nonce::from(nonce), answer);
        let text = sealing.map_err(ServiceError::Seal)?;
        let sealed = [nonce.as_slice(), &text].concat();
        let request_hash = scope.keys.conceal(&self.request);
        let kept = storage::Replay { request_hash, sealed };
        let end = scope.now.after(KEPT_FOR);
        scope.tx.remove_expired_replays(scope.now).await?;
        Ok(scope.tx.insert_replay(caller.credential().id, &self.key_hash(), &kept, end).await?)
    }

    fn key_hash(&self) -> [u8; 32] {
        Sha256::digest(&self.key.0).into()
    }

    fn cipher(&self, caller: &Caller) -> ChaCha20Poly1305 {
        let secret = caller.text().expose().as_bytes();
        let key = derive(secret, &["keystile 1", "replay", &self.key.0]);
        ChaCha20Poly1305::new((&*key).into())
    }
}

impl<T> fmt::Debug for Replay<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replay(..)")
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

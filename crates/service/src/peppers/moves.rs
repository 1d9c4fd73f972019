//! Secrets that were shown and stand under an old pepper: they are moved one by one, since a
//! transaction that held several could wait for a change that waits for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use keystile_domain::{Digest, Fingerprint};
use keystile_storage::{Conflict, StoreError};

use crate::{Keystile, ServiceError};

/// Where secrets were seen. What does not fit is noted when it is shown again.
#[derive(Default)]
pub(super) struct Moves(Mutex<HashMap<[u8; 32], Fingerprint>>);

impl Moves {
    pub(super) fn note(&self, place: &Digest, fingerprint: &Fingerprint) {
        let mut moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moves.len() < MOST {
            moves.insert(*place.as_bytes(), *fingerprint);
        }
    }

    fn take(&self) -> HashMap<[u8; 32], Fingerprint> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keystile {
    /// Brings the secrets that were shown since the last round under the present pepper. Without any
    /// it costs nothing.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store did not answer. Those that are left come when they are
    /// shown again.
    pub async fn move_secrets(&self) -> Result<(), ServiceError> {
        for (place, fingerprint) in self.keys.peppers.moves.take() {
            let mut books = self.store.books().await?;
            // It must not come under a pepper that is forgotten meanwhile.
            self.keys.learn_peppers(&mut books).await?;
            let (digest, pepper) = self.keys.numbered_digest(&fingerprint);
            match books.move_secret(&Digest::from_bytes(place), &digest, pepper).await {
                Ok(_) => books.commit().await?,
                // It was taken over twice, and the other one has moved before.
                Err(StoreError::Conflict(Conflict::SecretDigest)) => books.rollback().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Less than two megabytes.
const MOST: usize = 10_000;

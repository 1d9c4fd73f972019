//! Where slow hashes are computed: beside the worker threads, in turns, and not twice for the same
//! wrong guess.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use keystile_domain::{Digest, KeptHash, Secret};
use keystile_storage::StoreError;
use tokio::task;

use super::{Candidate, PATIENCE, SlowHash};
use crate::LookupError;
use crate::passwords::{HashError, Queue, Turn};

/// Compares secrets with slow hashes, on at most half of the cores.
pub(super) struct SlowHashes {
    /// Whoever shows a secret waits at the door of its beginning, so that a flood of guesses at
    /// one key is one guess at a time. The doors are few, and nobody can choose whom to meet there:
    /// beginnings are told apart by digests.
    doors: Box<[Queue; DOORS]>,
    /// Whoever is past a door waits for a core, each as long as the others.
    cores: Queue,
    /// Pairs of a secret and a hash that is not its own, which holds for ever.
    refuted: Arc<Mutex<Refuted>>,
}

type Refuted = HashSet<[[u8; 32]; 2]>;

impl Default for SlowHashes {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            doors: Box::new(std::array::from_fn(|_| Queue::new(1, MAX_AT_DOOR, PATIENCE))),
            cores: Queue::new((cores / 2).max(1), DOORS, PATIENCE),
            refuted: Arc::default(),
        }
    }
}

impl SlowHashes {
    /// Waits for a turn at the door of a beginning.
    ///
    /// # Errors
    ///
    /// [`HashError::Busy`] if too many wait there.
    pub(super) async fn turn_at(&self, prefix: &Digest) -> Result<Turn, HashError> {
        let [number, ..] = prefix.as_bytes();
        let door = self.doors.get(usize::from(*number) % DOORS);
        door.ok_or(HashError::Busy)?.turn().await
    }

    /// Whether the hash that was kept of a key is that of the secret, which has this `digest`.
    ///
    /// # Errors
    ///
    /// [`HashError::Busy`] if too many wait.
    pub(super) async fn is_of(
        &self,
        secret: &Secret,
        digest: &Digest,
        of: &Candidate<'_>,
        kept: &KeptHash,
    ) -> Result<bool, LookupError> {
        let pair = [*digest.as_bytes(), *of.digest.as_bytes()];
        let Some(input) = of.scheme.input(secret, kept.salt()) else { return Ok(false) };
        if self.refuted.lock().unwrap_or_else(PoisonError::into_inner).contains(&pair) {
            return Ok(false);
        }
        let text = str::from_utf8(kept.value().as_slice()).unwrap_or_default();
        let hash = SlowHash::read(of.scheme.algorithm(), text);
        let hash = hash.ok().ok_or(StoreError::Corrupt("imports.sealed"))?;
        let turn = self.cores.turn().await?;
        let refuted = Arc::clone(&self.refuted);
        // The turn goes along: the work goes on after a caller who hung up, and is not in vain.
        let work = task::spawn_blocking(move || {
            let _turn = turn;
            let is_of = hash.is_of(&input);
            if !is_of {
                refute(&refuted, pair);
            }
            is_of
        });
        Ok(work.await.map_err(HashError::Vanished)?)
    }
}

fn refute(refuted: &Mutex<Refuted>, pair: [[u8; 32]; 2]) {
    let mut refuted = refuted.lock().unwrap_or_else(PoisonError::into_inner);
    if refuted.len() == MAX_REFUTED {
        refuted.clear();
    }
    refuted.insert(pair);
}

const DOORS: usize = 64;
const MAX_AT_DOOR: usize = 16;

/// Some hundred kilobytes.
const MAX_REFUTED: usize = 4_096;

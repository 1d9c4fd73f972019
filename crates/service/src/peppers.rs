//! The peppers: the present one, and those that secrets may still stand under.
//!
//! A secret comes under the present pepper when it is shown, as bookkeeping that nobody waits for.
//! No node has to know a new pepper at once: whoever does not find a secret reads the peppers again
//! before saying so, and whoever stores one has read their number with the head of the log.

mod forget;
mod moves;
mod rotate;

use std::sync::Arc;

use arc_swap::ArcSwap;
use keystile_domain::{Digest, Fingerprint, Found, Pepper};
use keystile_storage::{Conn, StoreError, StoredPepper};
use zeroize::Zeroizing;

pub use self::forget::{Forgotten, Stragglers, forget};
use self::moves::Moves;
pub use self::rotate::{Rotated, rotate};
use crate::keys::Keys;
use crate::{Keystile, ServiceError};

/// The peppers as this node knows them; every clone learns with the others.
#[derive(Clone)]
pub(crate) struct Peppers {
    known: Arc<ArcSwap<Known>>,
    /// The one that was never stored.
    first: Arc<Zeroizing<[u8; 32]>>,
    moves: Arc<Moves>,
}

/// The peppers of one moment.
pub(crate) struct Known {
    /// As they are in the database: after a restore, others may have the same numbers.
    stored: Vec<StoredPepper>,
    present: Numbered,
    /// Those before it that still count.
    old: Vec<Numbered>,
}

struct Numbered {
    number: i32,
    pepper: Pepper,
}

impl Peppers {
    /// Where nothing was stored yet.
    pub(crate) fn new(first: Zeroizing<[u8; 32]>) -> Self {
        let present = Numbered { number: 1, pepper: Pepper::from_bytes(&first) };
        let known = Known { stored: Vec::new(), present, old: Vec::new() };
        Self {
            known: Arc::new(ArcSwap::from_pointee(known)),
            first: Arc::new(first),
            moves: Arc::default(),
        }
    }
}

impl Known {
    /// The number of the present one.
    pub(crate) fn number(&self) -> i32 {
        self.present.number
    }

    /// The present one.
    pub(crate) fn present(&self) -> &Pepper {
        &self.present.pepper
    }

    /// All of them, the present one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Pepper> {
        [&self.present].into_iter().chain(&self.old).map(|numbered| &numbered.pepper)
    }
}

impl Keys {
    /// The peppers as this node knows them.
    pub(crate) fn peppers(&self) -> Arc<Known> {
        self.peppers.known.load_full()
    }

    /// What a new secret is stored as.
    pub(crate) fn digest(&self, fingerprint: &Fingerprint) -> Digest {
        self.peppers.known.load().present().digest(fingerprint)
    }

    /// The same, and the number of the pepper.
    pub(crate) fn numbered_digest(&self, fingerprint: &Fingerprint) -> (Digest, i32) {
        let known = self.peppers.known.load();
        (known.present().digest(fingerprint), known.number())
    }

    /// Everything that a secret may be stored as, by what the database says now.
    pub(crate) async fn digests(
        &self,
        conn: &mut Conn,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<Digest>, StoreError> {
        self.learn_peppers(conn).await?;
        Ok(self.peppers().all().map(|pepper| pepper.digest(fingerprint)).collect())
    }

    /// What a secret that is there is stored as.
    pub(crate) async fn stored_digest(
        &self,
        conn: &mut Conn,
        fingerprint: &Fingerprint,
    ) -> Result<Digest, StoreError> {
        let digests = self.digests(conn, fingerprint).await?;
        let located = conn.locate_secret(&digests).await?;
        Ok(located.unwrap_or_else(|| self.digest(fingerprint)))
    }

    /// Finds what belongs to a secret, whichever pepper it stands under.
    pub(crate) async fn find(
        &self,
        conn: &mut Conn,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Found>, StoreError> {
        let known = self.peppers();
        let digest = known.present().digest(fingerprint);
        if let Some(found) = conn.find_credential(&digest).await? {
            return Ok(Some(found));
        }
        let are_others = self.learn_peppers(conn).await?;
        if are_others || !known.old.is_empty() {
            return self.find_anywhere(conn, fingerprint).await;
        }
        Ok(None)
    }

    /// Reads the peppers again; says whether they are others than this node knew.
    pub(crate) async fn learn_peppers(&self, conn: &mut Conn) -> Result<bool, StoreError> {
        let stored = conn.list_peppers().await?;
        let is_new = self.peppers.known.load().stored != stored;
        if is_new {
            self.peppers.known.store(Arc::new(self.open_peppers(stored)?));
        }
        Ok(is_new)
    }

    /// Under every pepper in one look: between two, a secret could move behind our back.
    async fn find_anywhere(
        &self,
        conn: &mut Conn,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Found>, StoreError> {
        let known = self.peppers();
        let digests: Vec<_> = known.all().map(|pepper| pepper.digest(fingerprint)).collect();
        // It may still move between finding its place and reading what is there, but not for ever.
        for _ in &digests {
            let Some(digest) = conn.locate_secret(&digests).await? else { return Ok(None) };
            if let Some(found) = conn.find_credential(&digest).await? {
                if matches!(found, Found::Credential(_)) {
                    self.peppers.moves.note(&digest, fingerprint);
                }
                return Ok(Some(found));
            }
        }
        Err(StoreError::Busy)
    }

    fn open_peppers(&self, stored: Vec<StoredPepper>) -> Result<Known, StoreError> {
        let open = |stored: &StoredPepper| {
            let bytes = self.open_key(&label(stored.number), &stored.sealed);
            let bytes = bytes.ok_or(StoreError::Corrupt("peppers.sealed"))?;
            Ok(Numbered { number: stored.number, pepper: Pepper::from_bytes(&bytes) })
        };
        let mut all = stored.iter().map(open).collect::<Result<Vec<_>, StoreError>>()?;
        let first = || Numbered { number: 1, pepper: Pepper::from_bytes(&self.peppers.first) };
        let present = all.pop().unwrap_or_else(first);
        Ok(Known { stored, present, old: all })
    }
}

impl Keystile {
    /// Reads the peppers again.
    pub(crate) async fn learn_peppers(&self) -> Result<(), ServiceError> {
        self.keys.learn_peppers(&mut self.store.read().await?).await?;
        Ok(())
    }
}

/// What a pepper is sealed for, so that no two of them can be exchanged.
fn label(number: i32) -> String {
    format!("pepper {number}")
}

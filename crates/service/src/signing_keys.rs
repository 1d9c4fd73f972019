//! The keys that access tokens are signed with: made here, kept sealed in the database, and the same
//! for every node.
//!
//! A key is published before it signs and verifies for a while after, so that whoever keeps a copy
//! of the published keys never meets a token that it cannot check (RFC 7517, section 4.5, leaves
//! the times to us).

mod material;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::EncodingKey;
use keystile_auth::jwt::KeySet;
use keystile_domain::{Action, Expiry, JwtAlgorithm, Target, TargetKind, Timestamp};
use keystile_storage::{Store, StoreError, StoredSigningKey};
use serde_json::{Value, json};

use crate::access_tokens::LONGEST;
use crate::change::Scope;
use crate::keys::Keys;
use crate::{Keystile, ServiceError};

pub(crate) use material::jose;

/// The keys as this node knows them.
pub(crate) struct SigningKeys {
    algorithm: JwtAlgorithm,
    known: RwLock<Option<Arc<Known>>>,
}

/// The keys of one moment.
pub(crate) struct Known {
    /// Every key that a token may still be signed with, to verify it.
    pub(crate) set: KeySet,
    /// The same and those that are yet to sign, as they are published.
    pub(crate) published: Value,
    signers: Vec<Signer>,
    read_at: Timestamp,
}

/// A key that signs from a given moment on.
pub(crate) struct Signer {
    pub(crate) kid: String,
    pub(crate) algorithm: JwtAlgorithm,
    pub(crate) key: EncodingKey,
    signs_from: Timestamp,
}

/// How a new key takes over from the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// The old key signs until everybody can have the new one, and verifies until its last token
    /// has ended.
    Overlapping,
    /// The old key is compromised: from this moment on nothing that it signed is worth anything.
    AtOnce,
}

impl SigningKeys {
    pub(crate) fn new(algorithm: JwtAlgorithm) -> Self {
        Self { algorithm, known: RwLock::new(None) }
    }

    /// The keys, read at most a few seconds ago.
    pub(crate) async fn known(
        &self,
        store: &Store,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Arc<Known>, ServiceError> {
        match self.remembered().filter(|known| known.age(now).is_some_and(|age| age < FRESH)) {
            Some(known) => Ok(known),
            None => self.read(store, keys, now).await,
        }
    }

    /// The keys, read once more if `outdated` may be: another node has made a key since.
    ///
    /// Made-up key ids cost a read a second at most.
    pub(crate) async fn newer(
        &self,
        outdated: Arc<Known>,
        store: &Store,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Arc<Known>, ServiceError> {
        match outdated.age(now) {
            Some(age) if age < COOL_DOWN => Ok(outdated),
            _ => self.read(store, keys, now).await,
        }
    }

    async fn read(
        &self,
        store: &Store,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Arc<Known>, ServiceError> {
        let stored = store.read().await?.list_signing_keys().await?;
        let known = Arc::new(Known::open(&stored, keys, now)?);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    fn remembered(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Known {
    fn open(
        stored: &[StoredSigningKey],
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let mut published = Vec::new();
        let mut signers = Vec::new();
        for key in stored.iter().filter(|key| !key.retired_at.is_over(now)) {
            published.push(serde_json::from_str::<Value>(&key.public_key)?);
            let private = keys.open(&label(&key.kid), &key.sealed);
            let private = private.ok_or(StoreError::Corrupt("signing_keys.sealed"))?;
            signers.push(Signer {
                kid: key.kid.clone(),
                algorithm: key.algorithm,
                key: material::signer(key.algorithm, &private),
                signs_from: key.signs_from,
            });
        }
        let published = json!({"keys": published});
        let set = KeySet::parse(published.to_string().as_bytes());
        let set = set.map_err(|_error| StoreError::Corrupt("signing_keys.public_key"))?;
        Ok(Self { set, published, signers, read_at: now })
    }

    /// How long ago it was read; nothing if the clock was set back since.
    fn age(&self, now: Timestamp) -> Option<Duration> {
        let millis = now.as_millis().checked_sub(self.read_at.as_millis())?;
        u64::try_from(millis).ok().map(Duration::from_millis)
    }

    /// The key that signs at the moment `now`: of those that may, the one that began last.
    pub(crate) fn signer(&self, now: Timestamp) -> Option<&Signer> {
        self.signers
            .iter()
            .filter(|signer| signer.signs_from <= now)
            .max_by_key(|signer| signer.signs_from)
    }
}

impl Keystile {
    /// What is published of the signing keys: a JWK set (RFC 7517, section 5).
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot say.
    pub async fn published_keys(&self) -> Result<Value, ServiceError> {
        let known = self.signing.known(&self.store, &self.keys, self.clock.now()).await?;
        Ok(known.published.clone())
    }

    /// Makes a new signing key, which takes over from the present one.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot keep it.
    pub async fn rotate_signing_key(&self, rotation: Rotation) -> Result<(), ServiceError> {
        let algorithm = self.signing.algorithm;
        self.change_unasked(None, move |scope| {
            Box::pin(async move { rotate(scope, algorithm, rotation).await })
        })
        .await?;
        self.signing.forget();
        Ok(())
    }

    /// Sees to it that there is a key to sign with, and not too old.
    ///
    /// Of which algorithm it is matters at the start alone ([`adopt_algorithm`]): two nodes that
    /// are set differently would otherwise replace each other's keys for ever.
    ///
    /// [`adopt_algorithm`]: Self::adopt_algorithm
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot say or keep it.
    pub(crate) async fn tend_signing_keys(&self) -> Result<(), ServiceError> {
        self.replace_newest_key(|key, now| {
            key.retired_at.is_over(now) || now >= key.created_at.after(ROTATED_AFTER)
        })
        .await
    }

    /// Sees to it that there is a key of the algorithm that is set.
    ///
    /// # Errors
    ///
    /// As for [`tend_signing_keys`](Self::tend_signing_keys).
    pub(crate) async fn adopt_algorithm(&self) -> Result<(), ServiceError> {
        let algorithm = self.signing.algorithm;
        self.replace_newest_key(move |key, _| key.algorithm != algorithm).await
    }

    /// Makes a new key if there is none, or the newest is to be replaced.
    async fn replace_newest_key(
        &self,
        is_due: impl Fn(&StoredSigningKey, Timestamp) -> bool + Send + Sync + 'static,
    ) -> Result<(), ServiceError> {
        let is_due = move |stored: &[StoredSigningKey], now: Timestamp| {
            let newest = stored.iter().max_by_key(|key| key.signs_from);
            newest.is_none_or(|key| is_due(key, now))
        };
        let stored = self.store.read().await?.list_signing_keys().await?;
        if !is_due(&stored, self.clock.now()) {
            return Ok(());
        }
        let algorithm = self.signing.algorithm;
        self.change_unasked(None, move |scope| {
            Box::pin(async move {
                // Another node may have been faster.
                let stored = scope.tx.list_signing_keys().await?;
                if is_due(&stored, scope.now) {
                    rotate(scope, algorithm, Rotation::Overlapping).await?;
                }
                Ok(())
            })
        })
        .await?;
        self.signing.forget();
        Ok(())
    }
}

async fn rotate(
    scope: &mut Scope,
    algorithm: JwtAlgorithm,
    rotation: Rotation,
) -> Result<(), ServiceError> {
    let now = scope.now;
    let live = scope.tx.list_signing_keys().await?;
    let live: Vec<_> = live.into_iter().filter(|key| !key.retired_at.is_over(now)).collect();
    let (signs_from, old_end) = match rotation {
        Rotation::Overlapping if !live.is_empty() => {
            let takes_over = now.after(PUBLISHED_BEFORE);
            (takes_over, takes_over.after(LONGEST + GRACE))
        }
        _ => (now, now),
    };
    for key in live.iter().filter(|key| key.retired_at > Expiry::At(old_end)) {
        scope.tx.retire_signing_key(&key.kid, old_end).await?;
        let state = json!({"retired_at": old_end.to_string()});
        scope.record(Action::SigningKeyRetired, target(&key.kid), (None, Some(state)), None)?;
    }
    scope.tx.remove_signing_keys_retired_before(now).await?;
    let drawn = material::draw(algorithm)?;
    let key = StoredSigningKey {
        sealed: scope.keys.seal(&label(&drawn.kid), &drawn.private)?,
        kid: drawn.kid,
        algorithm,
        public_key: drawn.public,
        created_at: now,
        signs_from,
        retired_at: Expiry::Never,
    };
    scope.tx.insert_signing_key(&key).await?;
    let state = json!({"algorithm": algorithm.as_str(), "signs_from": signs_from.to_string()});
    scope.record(Action::SigningKeyCreated, target(&key.kid), (None, Some(state)), None)
}

fn target(kid: &str) -> Target {
    Target { kind: TargetKind::SigningKey, id: kid.to_owned(), name: kid.to_owned() }
}

/// What a private half is sealed for, so that no two of them can be exchanged.
fn label(kid: &str) -> String {
    format!("signing key {kid}")
}

/// How long the published keys may be kept by others, in seconds.
pub const KEPT_SECONDS: u64 = 300;

/// How long a node goes by what it read.
const FRESH: Duration = Duration::from_secs(5);
/// How long a node does not look again for a key that it has not.
const COOL_DOWN: Duration = Duration::from_secs(1);
/// How long a key is published before it signs: longer than anybody may keep the old set.
const PUBLISHED_BEFORE: Duration = Duration::from_secs(2 * KEPT_SECONDS);
/// How much longer than its last token a key verifies.
const GRACE: Duration = Duration::from_secs(60);
const ROTATED_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);

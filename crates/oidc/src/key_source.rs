//! The keys of one issuer, as whoever verifies its tokens asks for them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystile_auth::jwt::KeySet;
use keystile_domain::{Authority, Timestamp};

use crate::discovery::{document_url, keys_url};
use crate::memory::Memory;
use crate::web::Document;
use crate::{FetchError, Unavailable, Web};

/// The keys of one issuer: remembered, and fetched again on use when they have to be.
///
/// - They are remembered as long as the issuer's `Cache-Control` says, within 5 minutes and 24
///   hours, and replaced as a whole.
/// - A key id that they lack makes them be fetched at once, so that a new key works as soon as it
///   is published.
/// - However many ask, there is one attempt at a time, and none within 30 seconds of the last.
/// - If the issuer does not answer, the last good keys serve until they are 24 hours old.
///
/// Cheap to clone; clones share their memory. Asks on the tokio runtime of its caller.
#[derive(Clone)]
pub struct KeySource(Arc<Shared>);

struct Shared {
    authority: Authority,
    web: Web,
    cool_down: Duration,
    memory: Mutex<Memory>,
    /// Held while keys are fetched.
    turn: tokio::sync::Mutex<()>,
}

impl KeySource {
    /// A source that has fetched nothing yet.
    #[must_use]
    pub fn new(authority: Authority, web: Web, cool_down: Duration) -> Self {
        Self(Arc::new(Shared {
            authority,
            web,
            cool_down,
            memory: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// The keys to verify a token with that was signed by the key `key_id`, if it names one.
    ///
    /// They need not include it: then the issuer has no such key, or published it within the
    /// cool-down.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the issuer does not answer and no good keys are left.
    pub async fn keys(
        &self,
        key_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, Unavailable> {
        let memory = self.0.memory().clone();
        if let Some(keys) = memory.fresh(key_id, now) {
            return Ok(keys);
        }
        if !memory.is_cooling_down(self.0.cool_down, now) && !self.can_do_without(key_id, now) {
            self.refresh(key_id, now).await;
        }
        self.0.memory().usable(now).ok_or(Unavailable)
    }

    /// Why the last attempt failed, if it did, even where older keys still serve.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<FetchError>> {
        self.0.memory().failure()
    }

    /// Whether older keys do while somebody else already asks for newer ones: an issuer that hangs
    /// must not hold up every caller.
    fn can_do_without(&self, key_id: Option<&str>, now: Timestamp) -> bool {
        let at_hand = self.0.memory().usable(now);
        let knows = |keys: Arc<KeySet>| key_id.is_none_or(|id| keys.contains(id));
        at_hand.is_some_and(knows) && self.0.turn.try_lock().is_err()
    }

    async fn refresh(&self, key_id: Option<&str>, now: Timestamp) {
        let (shared, key_id) = (self.0.clone(), key_id.map(str::to_owned));
        let attempt = async move { shared.refresh(key_id.as_deref(), now).await };
        // In a task of its own, because a caller that hangs up must not end what others wait for.
        if let Err(failure) = tokio::spawn(attempt).await {
            tracing::error!(%failure, "fetching keys broke off");
        }
    }
}

impl Shared {
    async fn refresh(&self, key_id: Option<&str>, now: Timestamp) {
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have found what this caller looks for.
        let memory = self.memory().clone();
        if memory.fresh(key_id, now).is_some() || memory.is_cooling_down(self.cool_down, now) {
            return;
        }
        let attempt = tokio::time::timeout(self.web.patience(), self.fetch());
        match attempt.await.unwrap_or(Err(FetchError::TimedOut)) {
            Ok((keys, max_age)) => self.memory().succeed(keys, max_age, now),
            Err(failure) => {
                let (issuer, cause) = (self.authority.as_str(), failure.causes());
                tracing::warn!(issuer, cause, "the keys of an issuer could not be fetched");
                self.memory().fail(failure, now);
            }
        }
    }

    async fn fetch(&self) -> Result<(KeySet, Option<Duration>), FetchError> {
        let document = self.web.fetch(&self.authority, document_url(&self.authority)?).await?;
        let url = keys_url(&self.authority, &document.body)?;
        let Document { body, max_age } = self.web.fetch(&self.authority, url).await?;
        Ok((KeySet::parse(&body)?, max_age))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Each change is one assignment: a panic elsewhere cannot leave half of one.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeySource").field(&self.0.authority).finish()
    }
}

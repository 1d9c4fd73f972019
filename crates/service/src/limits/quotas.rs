//! Limits in number: never exceeded, whatever many nodes there are.
//!
//! A node takes several uses out of the database at once and hands them out from memory, so that
//! not every check is a write. What it holds counts as used: a crash loses it. What it has not
//! needed for a while it gives back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystile_domain::{ApiKeyId, Quota, QuotaUse, Timestamp};
use keystile_storage::{Books, Store, StoreError};
use tokio::sync::Mutex as Turn;

use crate::{Keystile, ServiceError};

/// What this node holds of the quotas of keys.
#[derive(Clone, Default)]
pub(crate) struct Quotas(Arc<Mutex<HashMap<ApiKeyId, Arc<Reserve>>>>);

/// What this node holds of one quota.
struct Reserve {
    /// Whoever has it may go to the database; the others wait for what it brings.
    turn: Turn<()>,
    stock: Mutex<Stock>,
}

struct Stock {
    /// What it was taken by. Under another, what is left counts nothing.
    quota: Quota,
    period: Timestamp,
    left: i64,
    /// When there was not enough for this need. For a moment, nobody asks again for as much.
    refused: Option<(Timestamp, i64)>,
    used_at: Timestamp,
}

/// Somebody who wants uses of a key's quota.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) key: ApiKeyId,
    pub(crate) quota: Quota,
    pub(crate) need: i64,
    pub(crate) now: Timestamp,
}

impl Quotas {
    /// Takes what is needed, or nothing.
    pub(crate) async fn take(&self, store: &Store, claim: Claim) -> Result<bool, StoreError> {
        let reserve = self.reserve(claim);
        if let Some(answer) = reserve.stock().take(claim) {
            return Ok(answer);
        }
        // In a task of its own: a client that hangs up must not lose what was taken for it.
        let store = store.clone();
        let fetch = tokio::spawn(async move {
            let _turn = reserve.turn.lock().await;
            let answer = reserve.stock().take(claim);
            match answer {
                Some(answer) => Ok(answer),
                None => reserve.fetch(&store, claim).await,
            }
        });
        fetch.await.unwrap_or(Err(StoreError::Busy))
    }

    /// Takes back what was taken and is not used after all.
    pub(crate) fn give_back(&self, claim: Claim) {
        let reserve = self.reserve(claim);
        let mut stock = reserve.stock();
        if stock.serves(claim) {
            stock.left += claim.need;
        }
    }

    /// How much is left of a quota, if the database says that `usage` is used: what this node holds
    /// is not.
    pub(crate) fn remaining(
        &self,
        key: ApiKeyId,
        quota: Quota,
        usage: QuotaUse,
        now: Timestamp,
    ) -> i64 {
        let current = quota.current(usage, now);
        let reserve = self.all().get(&key).cloned();
        let held = reserve.map_or(0, |reserve| {
            let stock = reserve.stock();
            if stock.period == current.period { stock.left } else { 0 }
        });
        quota.remaining(QuotaUse { used: current.used.saturating_sub(held), ..current })
    }

    fn reserve(&self, claim: Claim) -> Arc<Reserve> {
        let new = || {
            let Claim { quota, now, .. } = claim;
            let period = quota.period(now);
            let stock = Stock { quota, period, left: 0, refused: None, used_at: now };
            Arc::new(Reserve { turn: Turn::default(), stock: Mutex::new(stock) })
        };
        Arc::clone(self.all().entry(claim.key).or_insert_with(new))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Arc<Reserve>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keystile {
    /// Gives back what this node holds of quotas and nobody needed of late.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the database does not answer; the next time makes up for it.
    pub async fn release_idle_quotas(&self) -> Result<(), ServiceError> {
        self.release_unused_since(self.clock.now().before(IDLE)).await
    }

    /// Gives back all that this node holds of quotas.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the database does not answer: what was held is lost.
    pub async fn release_all_quotas(&self) -> Result<(), ServiceError> {
        self.release_unused_since(self.clock.now()).await
    }

    async fn release_unused_since(&self, latest: Timestamp) -> Result<(), ServiceError> {
        let held: Vec<_> =
            self.quotas.all().iter().map(|(key, it)| (*key, Arc::clone(it))).collect();
        for (key, reserve) in held {
            if reserve.stock().used_at <= latest {
                reserve.release(&self.store, key).await?;
                self.quotas.forget(key);
            }
        }
        Ok(())
    }
}

impl Quotas {
    /// Forgets a reserve of nothing that nobody is about to use.
    fn forget(&self, key: ApiKeyId) {
        let mut all = self.all();
        let is_idle = |it: &Arc<Reserve>| Arc::strong_count(it) <= 2 && it.stock().left == 0;
        if all.get(&key).is_some_and(is_idle) {
            all.remove(&key);
        }
    }
}

impl Reserve {
    /// Takes a share out of the database, and what is needed out of that.
    async fn fetch(&self, store: &Store, claim: Claim) -> Result<bool, StoreError> {
        let mut books = store.books().await?;
        let old = self.stock().empty();
        let fetched = exchange(&mut books, claim, old).await;
        let fetched = match fetched {
            Ok(fetched) => books.commit().await.map(|()| fetched),
            Err(error) => {
                // Without the rollback the connection would be lost; if it fails, it is.
                let _ = books.rollback().await;
                Err(error)
            }
        };
        // Of an error nobody knows what it left in the database: what was held is lost, rather than
        // used twice.
        let fetched = fetched?;
        let Claim { quota, need, now, .. } = claim;
        let (period, left) = fetched.unwrap_or((quota.period(now), need));
        let mut stock = self.stock();
        let given_back = if stock.period == period { stock.left } else { 0 };
        *stock = Stock {
            quota,
            period,
            left: left - need + given_back,
            refused: fetched.is_none().then_some((now, need)),
            used_at: now,
        };
        Ok(fetched.is_some())
    }

    /// Puts what is held back into the database.
    async fn release(&self, store: &Store, key: ApiKeyId) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        if self.stock().left == 0 {
            return Ok(());
        }
        let mut books = store.books().await?;
        let old = self.stock().empty();
        if let Some(usage) = books.lock_quota_use(key).await? {
            books.update_quota_use(key, old.given_back(usage)).await?;
        }
        books.commit().await
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    /// Takes what is needed if it is there, and says no if it was just said; `None`: somebody has
    /// to ask the database.
    fn take(&mut self, claim: Claim) -> Option<bool> {
        if !self.serves(claim) {
            return None;
        }
        self.used_at = claim.now;
        if claim.need <= self.left {
            self.left -= claim.need;
            return Some(true);
        }
        let (at, need) = self.refused?;
        (claim.need >= need && claim.now < at.after(REFUSAL) && claim.now >= at).then_some(false)
    }

    /// Whether it was taken for this quota and this period. A later one is that of a clock that is
    /// ahead.
    fn serves(&self, claim: Claim) -> bool {
        self.quota == claim.quota && self.period >= claim.quota.period(claim.now)
    }

    fn empty(&mut self) -> Held {
        let left = std::mem::take(&mut self.left);
        Held { period: self.period, left }
    }
}

/// What was held of a period.
#[derive(Clone, Copy)]
struct Held {
    period: Timestamp,
    left: i64,
}

impl Held {
    /// How much is used once what was held is not.
    fn given_back(self, usage: QuotaUse) -> QuotaUse {
        let left = if usage.period == self.period { self.left } else { 0 };
        QuotaUse { used: usage.used.saturating_sub(left), ..usage }
    }
}

/// Gives back what is held and takes a share anew, with its period; `None`: there is not enough.
async fn exchange(
    books: &mut Books,
    claim: Claim,
    old: Held,
) -> Result<Option<(Timestamp, i64)>, StoreError> {
    let Some(last) = books.lock_quota_use(claim.key).await? else { return Ok(None) };
    let current = claim.quota.current(old.given_back(last), claim.now);
    let share = claim.quota.share(current, claim.need);
    let used = current.used.saturating_add(share.unwrap_or_default());
    books.update_quota_use(claim.key, QuotaUse { used, ..current }).await?;
    Ok(share.map(|share| (current.period, share)))
}

/// How long what is held and not used is kept.
const IDLE: Duration = Duration::from_secs(10);
/// How long an exhausted quota is not asked for again: else each check of its key would be a write.
const REFUSAL: Duration = Duration::from_secs(1);

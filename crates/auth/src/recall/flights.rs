//! Questions under way: whoever asks the same at the same time waits for one answer.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use keystile_domain::Fingerprint;

use super::{Landed, Remember, Told};
use crate::trust::Learnt;

/// A flight goes on as long as somebody waits for it, whoever began it.
pub(super) struct Flights<V, E>(Arc<Mutex<UnderWay<V, E>>>);

/// How an answer is come by.
pub(super) enum Flight<V, E> {
    /// Somebody else had asked before.
    Joined(Answer<V, E>),
    /// Nobody had asked.
    Own(Answer<V, E>),
}

pub(super) type Answer<V, E> = Shared<BoxFuture<'static, Result<Landed<V>, E>>>;

type UnderWay<V, E> = HashMap<Fingerprint, WeakShared<BoxFuture<'static, Result<Landed<V>, E>>>>;

impl<V: Remember, E: Clone + Send + Sync + 'static> Flights<V, E> {
    /// Joins the question about a fingerprint, or puts it; `begin` says where the feed is and
    /// begins to read, and is called only if nobody has asked. Nothing if it does not.
    pub(super) fn join_or_begin<F>(
        &self,
        fingerprint: &Fingerprint,
        begin: impl FnOnce() -> Option<(Learnt, F)>,
    ) -> Option<Flight<V, E>>
    where
        F: Future<Output = Result<Told<V>, E>> + Send + 'static,
    {
        let mut under_way = lock(&self.0);
        let flight = under_way.get(fingerprint).and_then(WeakShared::upgrade);
        if let Some(flight) = flight
            && flight.peek().is_none()
        {
            return Some(Flight::Joined(flight));
        }
        let (learnt, read) = begin()?;
        let landing = Landing { fingerprint: *fingerprint, under_way: Arc::clone(&self.0) };
        let flight = async move {
            let told = read.await;
            drop(landing);
            told.map(|told| Landed::new(learnt, told))
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(*fingerprint, weak);
        }
        Some(Flight::Own(flight))
    }
}

impl<V, E> Default for Flights<V, E> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Takes a flight off the board when it has landed, or when nobody waits for it any more.
struct Landing<V, E> {
    fingerprint: Fingerprint,
    under_way: Arc<Mutex<UnderWay<V, E>>>,
}

impl<V, E> Drop for Landing<V, E> {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.fingerprint);
    }
}

fn lock<V, E>(under_way: &Mutex<UnderWay<V, E>>) -> MutexGuard<'_, UnderWay<V, E>> {
    // A map is whole between its methods, whoever panicked.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

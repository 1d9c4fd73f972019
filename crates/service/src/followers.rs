//! The verifiers that others embed: what this node tells them of the feed, and how long each of them
//! may believe what it remembers.
//!
//! A follower's lease is a part of the node's own: it ends no later, and the node does not count a
//! change as settled before every follower has applied it or lost its lease.

mod leases;
mod streams;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use keystile_domain::{Power, Seq};
use keystile_storage::{FeedPlace, StoreError};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use self::leases::{Ask, Leases, Offer};
use self::streams::Streams;
use crate::{Caller, Keystile, ServiceError};

pub(crate) use self::leases::FollowerCounts;
pub use self::leases::LeaseId;
pub use self::streams::StreamSeat;
pub use keystile_storage::FeedEvent;

/// Everybody who follows this node, and how far they can.
#[derive(Default)]
pub(crate) struct Followers {
    leases: Mutex<Leases>,
    /// Where this node is; nothing before its first look.
    head: watch::Sender<Option<FeedHead>>,
    streams: Streams,
}

/// A follower asks for a lease.
#[derive(Debug)]
pub struct LeaseAsk {
    /// The one that it has.
    pub lease: Option<LeaseId>,
    /// Higher than in every request before.
    pub counter: i64,
    /// How far it is; `None`: it remembers nothing.
    pub applied: Option<Applied>,
    /// How long after its lease it goes on all the same.
    pub staleness: Duration,
}

/// How far a follower is.
#[derive(Debug)]
pub struct Applied {
    /// The last change that it has applied.
    pub seq: Seq,
    /// The seal of that change, as text.
    pub mark: String,
    /// The generation that it was told.
    pub generation: String,
    /// The last change of which it is true that every decision has ended that began before it was
    /// applied.
    pub settled: Seq,
}

/// Where a node is in the feed, and whose feed it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedHead {
    /// The last change that the node has applied.
    pub place: FeedPlace,
    /// Names the server that the primary is, since its start: after a failover or a restart it is
    /// another one. It tells nothing else.
    pub generation: Arc<str>,
}

/// What it is answered.
#[derive(Debug)]
pub struct LeaseGiven {
    /// The name of the lease.
    pub lease: LeaseId,
    /// How long it lasts, from before the question on, for whoever has applied every change up to
    /// `head`; `None`: it is not extended.
    pub left: Option<Duration>,
    /// The last change that it is for.
    pub head: FeedHead,
    /// Whether the follower must forget everything first.
    pub forgets: bool,
    /// The changes after the one that the follower has applied, up to `head`.
    pub changes: Vec<FeedEvent>,
}

/// Where a follower and this node are, at one moment.
struct Start {
    head: FeedHead,
    forgets: bool,
    /// Whether the follower knows of more than this node.
    is_ahead: bool,
}

/// How a follower gets from where it is to where this node is.
struct Way {
    head: FeedHead,
    forgets: bool,
    changes: Vec<FeedEvent>,
    /// Whether it leads to where this node is.
    is_whole: bool,
}

/// Tells when a node has applied more of the feed.
#[derive(Debug)]
pub struct FeedWatch(watch::Receiver<Option<FeedHead>>);

impl FeedWatch {
    /// What was applied so far is known.
    pub fn mark_seen(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits until more was applied than is known; for ever if nothing is applied any more.
    pub async fn advanced(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl FeedHead {
    /// The end of what was seen of this server.
    pub(crate) fn new(place: FeedPlace, server: &str) -> Self {
        Self { place, generation: Base64UrlUnpadded::encode_string(&Sha256::digest(server)).into() }
    }
}

/// What the node itself says and asks.
impl Followers {
    /// This node has applied the feed up to here. Whoever follows wakes.
    pub(crate) fn advance(&self, head: FeedHead) {
        self.head.send_if_modified(|present| {
            let is_news = present.as_ref() != Some(&head);
            *present = Some(head);
            is_news
        });
    }

    /// Up to where everybody who may still believe something has settled the feed: this node, and
    /// whoever follows it; and how many those are.
    fn settled(&self, own: Seq, now: Duration, margin: Duration) -> (Seq, FollowerCounts) {
        let mut leases = self.leases();
        leases.forget(now, margin);
        (leases.settled(own, now, margin), leases.counts(now, margin))
    }

    /// Knows no follower any more: this node has another name now, or another history.
    pub(crate) fn forget(&self, margin: Duration) {
        self.leases().clear(margin);
    }

    /// What this node has told of the feed did not happen.
    pub(crate) fn fork(&self) {
        self.streams.fork();
    }

    /// Every change of them is whole when it is seen, whoever panics.
    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keystile {
    /// Up to where neither this node nor anybody who follows it decides by what was before; and how
    /// many follow it.
    pub(crate) fn settled_by_all(&self) -> (Seq, FollowerCounts) {
        let (own, now) = (self.cluster.settled(), self.clock.elapsed());
        self.followers.settled(own, now, self.cluster.margin())
    }

    /// Tells a verifier how long it may believe what it remembers, and what has changed.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.keys.verify`; [`ServiceError::Behind`] if this
    /// node has not looked at the feed yet; [`ServiceError::TooManyFollowers`] if no more can be
    /// counted.
    pub async fn extend_lease(
        &self,
        caller: &Caller,
        ask: LeaseAsk,
    ) -> Result<LeaseGiven, ServiceError> {
        caller.require(Power::KeysVerify)?;
        let (start, left, lease, extended) = self.note_follower(caller, &ask)?;
        // What it has applied may be what others wait for.
        self.cluster.news.tell();
        let way = self.way(start, ask.applied.as_ref()).await?;
        Ok(LeaseGiven {
            lease,
            left: (extended && way.is_whole).then_some(left),
            head: way.head,
            forgets: way.forgets,
            changes: way.changes,
        })
    }

    /// Binds this node to what the follower is about to be told, before anything else happens:
    /// whoever sums up what is settled reads what this node has settled, which is never behind the
    /// head, and then takes the leases.
    fn note_follower(
        &self,
        caller: &Caller,
        ask: &LeaseAsk,
    ) -> Result<(Start, Duration, LeaseId, bool), ServiceError> {
        let mut leases = self.followers.leases();
        let now = self.clock.elapsed();
        // The lease first: all that the look which renewed it had seen is applied by now.
        let left = self.trust.lease_left(now);
        let head = self.followers.head.borrow().clone().ok_or(ServiceError::Behind)?;
        let start = Start::of(head, ask.applied.as_ref());
        let applied = ask.applied.as_ref().filter(|_| !start.forgets);
        let asked = Ask {
            lease: ask.lease,
            holder: caller.credential().id,
            counter: ask.counter,
            applied: applied.map(|applied| applied.seq),
            settled: applied.map_or(Seq(0), |applied| applied.settled.min(applied.seq)),
            staleness: ask.staleness,
        };
        let extends = !start.is_ahead && left > Duration::ZERO;
        let offer = Offer { told: start.head.place.seq, ends: extends.then(|| now + left) };
        let (lease, extended) = leases.note(asked, offer, now, self.cluster.margin())?;
        Ok((start, left, lease, extended))
    }

    /// The changes after a place in the feed, in order; up to how many are shown at once.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.keys.verify`.
    pub async fn list_changes(
        &self,
        caller: &Caller,
        after: Seq,
    ) -> Result<Vec<FeedEvent>, ServiceError> {
        caller.require(Power::KeysVerify)?;
        Ok(self.store.read().await?.list_feed_after(after, MAX_CHANGES).await?)
    }

    /// The changes after a place in the feed that this node has applied, in order; up to how many
    /// are shown at once. The database is asked for those that are not at hand any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it does not answer.
    pub async fn next_changes(&self, after: Seq) -> Result<Vec<FeedEvent>, StoreError> {
        let at_hand = self.cluster.passed().after(after, MAX_CHANGES);
        match at_hand {
            Some(changes) => Ok(changes),
            None => self.store.read().await?.list_feed_after(after, MAX_CHANGES).await,
        }
    }

    /// The end of the feed.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the database does not answer.
    pub async fn feed_head(&self) -> Result<Seq, ServiceError> {
        Ok(self.store.read().await?.head().await?.0)
    }

    /// A place among those who follow the feed as a stream, for as long as it is held.
    ///
    /// # Errors
    ///
    /// [`ServiceError::TooManyFollowers`] if there is none left.
    pub fn take_stream(&self, caller: &Caller) -> Result<StreamSeat, ServiceError> {
        self.followers.streams.take(caller.credential().id)
    }

    /// Tells when this node has applied more of the feed.
    #[must_use]
    pub fn watch_feed(&self) -> FeedWatch {
        FeedWatch(self.followers.head.subscribe())
    }

    /// Whether a caller, who stays longer than a request, would be let in again; not if nobody can
    /// say. It is no check, and counts as none.
    pub async fn still_admits(&self, caller: &Caller) -> bool {
        let credential = self.judge_again(caller).await;
        credential.is_ok_and(|credential| credential.rights.hold(Power::KeysVerify))
    }

    async fn way(&self, start: Start, applied: Option<&Applied>) -> Result<Way, ServiceError> {
        let Start { head, forgets, is_ahead } = start;
        let end = head.place;
        let way = Way { head, forgets, changes: Vec::new(), is_whole: !is_ahead };
        let Some(Applied { seq, mark, .. }) = applied.filter(|_| !forgets && !is_ahead) else {
            return Ok(way);
        };
        if (seq, mark) == (&end.seq, &end.hash.to_string()) {
            return Ok(way);
        }
        let before = Seq(seq.0.saturating_sub(1));
        let mut changes = self.next_changes(before).await?;
        let is_theirs =
            |known: &FeedEvent| known.place.seq == *seq && known.place.hash.to_string() == *mark;
        if !changes.first().is_some_and(is_theirs) {
            // The lease for which it was noted was not for another history: it asks once more.
            return Ok(Way { forgets: true, is_whole: false, ..way });
        }
        changes.remove(0);
        changes.retain(|change| change.place.seq <= end.seq);
        let is_whole = changes.last().is_some_and(|last| last.place == end);
        Ok(Way { changes, is_whole, ..way })
    }
}

impl Start {
    fn of(head: FeedHead, applied: Option<&Applied>) -> Self {
        // What was read from the primary before may have gone with it, and left no change behind.
        let forgets = applied.is_none_or(|applied| *applied.generation != *head.generation);
        // It knows of more than this node: from another one, or of another history.
        let is_ahead = !forgets && applied.is_some_and(|applied| applied.seq > head.place.seq);
        Self { head, forgets, is_ahead }
    }
}

/// How many changes are told at once.
const MAX_CHANGES: usize = 500;

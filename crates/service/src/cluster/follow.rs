//! Following the feed: look, apply, and only then believe.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keystile_auth::Settlement;
use keystile_domain::{Effect, Seq, Touches};
use keystile_storage::{Feed, FeedEvent, FeedPlace, Look, Report, Seen};
use tokio::select;

use super::join::JoinError;
use super::passed::Passed;
use crate::followers::FeedHead;
use crate::{Keystile, ServiceError};

/// How far a node has followed the feed.
pub struct Following<'k> {
    keystile: &'k Keystile,
    feed: Feed,
    /// The last event that was applied; nothing before the first look.
    place: Option<FeedPlace>,
    /// What was learnt of a history that is no more, until it is told which of it is missing.
    lost: Option<Passed>,
    settlement: Settlement<'k>,
    /// What the primary was told last.
    told: Seq,
}

impl Keystile {
    /// Begins to follow the feed. Nothing is looked at yet.
    pub fn follow_feed(&self, feed: Feed) -> Following<'_> {
        Following {
            keystile: self,
            feed,
            place: None,
            lost: None,
            settlement: Settlement::new(&self.trust),
            told: Seq(0),
        }
    }
}

impl Following<'_> {
    /// Looks once and applies what happened since. The first look begins at the end of the feed:
    /// before, there is nothing to be remembered.
    ///
    /// # Errors
    ///
    /// [`JoinError`] if the primary did not answer, or this node belongs to it no more: then no lease
    /// is renewed.
    pub async fn look(&mut self) -> Result<(), JoinError> {
        let cluster = &self.keystile.cluster;
        // Before this node is another one: whoever waits would wait for that too.
        self.tell_what_is_lost().await?;
        if !cluster.is_registered.load(Ordering::Acquire) {
            self.keystile.join_again().await?;
        }
        let place = match self.place {
            Some(place) => place,
            None => self.begin().await?,
        };
        let (settled, counts) = self.keystile.settled_by_all();
        let report = Report {
            incarnation: cluster.incarnation(),
            place,
            settled,
            followers: counts.followers,
            unproven: counts.unproven,
        };
        let asked = self.keystile.clock.elapsed();
        match self.feed.look(&report).await? {
            Look::Seen(seen) => {
                self.apply(seen, asked).await?;
                self.told = settled;
            }
            Look::Gone => {
                self.end();
                tracing::warn!("this node was taken for dead; it registers anew");
                self.keystile.join_again().await?;
            }
            Look::Forked => {
                self.end();
                // Nobody is told of it any more.
                let mut lost = std::mem::take(&mut *cluster.passed());
                self.keystile.followers.fork();
                // What was answered by this node and looked at by none is missing too.
                lost.extend(cluster.news.take_unseen());
                (self.lost, self.place) = (Some(lost), None);
                self.tell_what_is_lost().await?;
            }
        }
        self.settle();
        Ok(())
    }

    /// Waits until the next look is due: soon after a change, or while others wait for what this
    /// node has to tell, else twice in a second.
    pub async fn wait(&mut self) {
        let cluster = &self.keystile.cluster;
        let lease = cluster.lease.duration();
        let due = match self.place {
            _ if self.settlement.is_under_way() => SETTLE,
            None => return,
            Some(_) if self.told < self.keystile.settled_by_all().0 => return,
            Some(_) if lease.is_zero() => PERIOD,
            Some(_) => (lease / 4).clamp(LEAST_PERIOD, PERIOD),
        };
        select! {
            () = self.feed.wait(due) => {}
            () = cluster.news.told() => {}
        }
        self.settle();
    }

    /// Ends the lease at once, and lets nobody in.
    fn end(&self) {
        self.keystile.cluster.is_registered.store(false, Ordering::Release);
        self.keystile.trust.end();
        self.keystile.followers.forget(self.keystile.cluster.margin());
    }

    async fn apply(&mut self, seen: Seen, asked: Duration) -> Result<(), ServiceError> {
        let (keystile, trust) = (self.keystile, &self.keystile.trust);
        let effects: Vec<_> = seen.events.iter().map(FeedEvent::effect).collect();
        let is_everything = |effect: &Effect| effect.touches == Touches::Everything;
        if effects.iter().any(is_everything) {
            // Where credentials stand and how they look may have changed too.
            keystile.learn_providers().await?;
            // Whatever is looked up again comes under the present pepper, if that is known by then.
            keystile.learn_peppers().await?;
        } else if effects.iter().any(|it| matches!(it.touches, Touches::Secrets(_))) {
            keystile.learn_free_formats().await?;
        }
        if self.is_another_server(&seen) {
            // What was read from the one before may have gone with it, and left no event behind.
            trust.begin_anew(self.place.unwrap_or(seen.place).seq);
            // A change of this node that came in between must not be believed away.
            trust.raise(keystile.cluster.news.unseen());
        }
        trust.raise(effects);
        trust.advance(seen.place.seq);
        keystile.cluster.passed().extend(seen.events);
        // Before the lease: a follower is given both, the lease read first.
        keystile.followers.advance(FeedHead::new(seen.place, &seen.generation));
        self.place = Some(seen.place);
        keystile.cluster.news.saw(seen.place.seq);
        if !seen.is_cut {
            trust.extend(asked + keystile.cluster.lease.duration());
        }
        let mut generation =
            keystile.cluster.generation.lock().unwrap_or_else(PoisonError::into_inner);
        if generation.as_ref().is_none_or(|(known, _)| *known != seen.generation) {
            // From now, not from when it was asked: the server before may have renewed a lease
            // in between.
            *generation = Some((seen.generation, keystile.clock.elapsed()));
        }
        Ok(())
    }

    /// Names what is missing of a history that is no more; once, however often it must be tried.
    async fn tell_what_is_lost(&mut self) -> Result<(), ServiceError> {
        if let Some(lost) = &self.lost {
            lost.alarm(&mut self.keystile.store.read().await?).await?;
            self.lost = None;
        }
        Ok(())
    }

    /// Whether the primary is not the server that it was at the last look.
    fn is_another_server(&self, seen: &Seen) -> bool {
        let generation = &self.keystile.cluster.generation;
        let generation = generation.lock().unwrap_or_else(PoisonError::into_inner);
        generation.as_ref().is_some_and(|(known, _)| *known != seen.generation)
    }

    /// Counts the place as settled once every decision that began before it has ended.
    fn settle(&mut self) {
        if let Some(place) = self.place {
            let settled = self.settlement.settle(place.seq);
            self.keystile.cluster.settled.store(settled.0, Ordering::Release);
        }
    }

    /// Begins at the end of the feed, and remembers nothing of before.
    async fn begin(&mut self) -> Result<FeedPlace, ServiceError> {
        let keystile = self.keystile;
        let place = keystile.store.read().await?.find_last_place().await?;
        keystile.cluster.settled.store(0, Ordering::Release);
        self.settlement.begin_anew();
        *keystile.cluster.passed() = Passed::since(place);
        keystile.trust.begin_anew(place.seq);
        keystile.learn_providers().await?;
        keystile.learn_peppers().await?;
        self.place = Some(place);
        Ok(place)
    }
}

/// How long it is quiet between two looks if nobody has anything to tell.
pub(super) const PERIOD: Duration = Duration::from_millis(500);
/// Of the shortest leases.
const LEAST_PERIOD: Duration = Duration::from_millis(25);
/// How soon to look whether decisions have ended.
const SETTLE: Duration = Duration::from_millis(2);

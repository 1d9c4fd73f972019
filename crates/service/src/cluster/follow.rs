//! Following the feed: look, apply, and only then believe.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keystile_auth::Settling;
use keystile_domain::{Effect, Seq, Touches};
use keystile_storage::{Feed, FeedPlace, Look, Report, Seen};
use tokio::select;

use crate::{Keystile, ServiceError};

/// How far a node has followed the feed.
pub struct Following<'k> {
    keystile: &'k Keystile,
    feed: Feed,
    /// The last event that was applied; nothing before the first look.
    place: Option<FeedPlace>,
    /// The last places that it has passed: what to name if they turn out not to have happened.
    passed: VecDeque<FeedPlace>,
    /// The decisions that must end before a place counts as settled.
    settling: Option<(Settling<'k>, Seq)>,
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
            passed: VecDeque::new(),
            settling: None,
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
    /// [`ServiceError`] if the primary did not answer: then no lease is renewed.
    pub async fn look(&mut self) -> Result<(), ServiceError> {
        let cluster = &self.keystile.cluster;
        if !cluster.is_registered.load(Ordering::Acquire) {
            self.keystile.register().await?;
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
                self.keystile.register().await?;
            }
            Look::Forked => {
                self.end();
                self.alarm(place).await?;
                self.place = None;
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
        let due = match &self.settling {
            Some(_) => SETTLE,
            None if self.place.is_none() => return,
            None if self.told < self.keystile.settled_by_all().0 => return,
            None if lease.is_zero() => PERIOD,
            None => (lease / 4).clamp(LEAST_PERIOD, PERIOD),
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
        self.keystile.followers.forget();
    }

    async fn apply(&mut self, seen: Seen, asked: Duration) -> Result<(), ServiceError> {
        let (keystile, trust) = (self.keystile, &self.keystile.trust);
        let is_everything = |effect: &Effect| effect.touches == Touches::Everything;
        if seen.effects.iter().any(is_everything) {
            // Where credentials stand and how they look may have changed too.
            keystile.learn_providers().await?;
            // Whatever is looked up again comes under the present pepper, if that is known by then.
            keystile.learn_peppers().await?;
        } else if seen.effects.iter().any(|it| matches!(it.touches, Touches::Secrets(_))) {
            keystile.learn_free_formats().await?;
        }
        if self.is_another_server(&seen) {
            // What was read from the one before may have gone with it, and left no event behind.
            trust.begin_anew(self.place.unwrap_or(seen.place).seq);
        }
        trust.raise(seen.effects.iter().copied());
        trust.advance(seen.place.seq);
        // Before the lease: a follower is given both, the lease read first.
        keystile.followers.advance(seen.place);
        self.pass(seen.place);
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

    /// Whether the primary is not the server that it was at the last look.
    fn is_another_server(&self, seen: &Seen) -> bool {
        let generation = &self.keystile.cluster.generation;
        let generation = generation.lock().unwrap_or_else(PoisonError::into_inner);
        generation.as_ref().is_some_and(|(known, _)| *known != seen.generation)
    }

    /// Counts the place as settled once every decision that began before it has ended.
    fn settle(&mut self) {
        let cluster = &self.keystile.cluster;
        if let Some((settling, seq)) = &self.settling {
            if !settling.is_settled() {
                return;
            }
            cluster.settled.store(seq.0, Ordering::Release);
            self.settling = None;
        }
        let Some(place) = self.place else { return };
        if cluster.settled() < place.seq {
            let settling = self.keystile.trust.settle();
            if settling.is_settled() {
                cluster.settled.store(place.seq.0, Ordering::Release);
            } else {
                self.settling = Some((settling, place.seq));
            }
        }
    }

    /// Begins at the end of the feed, and remembers nothing of before.
    async fn begin(&mut self) -> Result<FeedPlace, ServiceError> {
        let keystile = self.keystile;
        let place = keystile.store.read().await?.find_last_place().await?;
        keystile.cluster.settled.store(0, Ordering::Release);
        self.settling = None;
        self.passed.clear();
        keystile.trust.begin_anew(place.seq);
        keystile.learn_providers().await?;
        keystile.followers.advance(place);
        self.pass(place);
        Ok(place)
    }

    fn pass(&mut self, place: FeedPlace) {
        if self.place != Some(place) {
            self.place = Some(place);
            self.passed.push_back(place);
            if self.passed.len() > PASSED {
                self.passed.pop_front();
            }
        }
    }

    /// Names what this node has seen and the database knows nothing of.
    async fn alarm(&mut self, place: FeedPlace) -> Result<(), ServiceError> {
        let mut conn = self.keystile.store.read().await?;
        let mut missing = Vec::new();
        for passed in &self.passed {
            let events = conn.list_events_after(Seq(passed.seq.0 - 1), 1).await?;
            if !events.iter().any(|sealed| sealed.hash == passed.hash) {
                missing.push(passed.seq.0);
            }
        }
        tracing::error!(
            position = place.seq.0,
            ?missing,
            "the database has another history than this node has seen; what these events ended may \
             live again"
        );
        Ok(())
    }
}

/// How long it is quiet between two looks if nobody has anything to tell.
const PERIOD: Duration = Duration::from_millis(500);
/// Of the shortest leases.
const LEAST_PERIOD: Duration = Duration::from_millis(25);
/// How soon to look whether decisions have ended.
const SETTLE: Duration = Duration::from_millis(2);
/// How many places are remembered to be named.
const PASSED: usize = 1_000;

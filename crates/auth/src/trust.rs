//! Whether a verifier may believe what it remembers.
//!
//! A verifier follows the feed of changes and holds a lease, which ends unless looks at the primary
//! go on renewing it. While the lease lasts, what is remembered is good if nothing that it depends
//! on was touched since it was learnt: for each thing there is a *floor*, the place in the feed of
//! the last change that touched it. When the lease is over, nothing that is remembered is good.
//!
//! Whoever follows the feed does so in this order, and deciding looks at them in the opposite one:
//! [`raise`](Trust::raise) the floors, [`advance`](Trust::advance) the position,
//! [`extend`](Trust::extend) the lease.
//!
//! Everything here is atomics: a check neither waits for a look nor for another check.

mod decisions;
mod floors;
mod settlement;

use std::time::Duration;

use keystile_domain::{Effect, Seq};

use self::decisions::Decisions;
use self::floors::Floors;
use crate::sync::{AtomicI64, AtomicU64, Ordering};

pub use self::decisions::{Deciding, Settling};
pub(crate) use self::floors::Seat;
pub use self::settlement::Settlement;

/// Whether what is remembered may be believed. It begins without a lease.
///
/// Moments are those of `Clock::elapsed`, which goes on while the machine sleeps.
#[derive(Debug)]
pub struct Trust {
    /// When the lease ends, in nanoseconds.
    lease_ends: AtomicU64,
    /// How often everything was forgotten. What was learnt in another era is never good.
    era: AtomicU64,
    /// Up to where the feed was followed.
    position: AtomicI64,
    floors: Floors,
    decisions: Decisions,
}

/// Where in the feed something was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learnt {
    era: u64,
    seq: Seq,
}

impl Learnt {
    /// As this, for an answer that says itself up to where it holds: never later than either.
    pub(crate) fn at_most(self, seq: Seq) -> Self {
        Self { seq: self.seq.min(seq), ..self }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            lease_ends: AtomicU64::new(0),
            era: AtomicU64::new(0),
            position: AtomicI64::new(0),
            floors: Floors::default(),
            decisions: Decisions::default(),
        }
    }
}

/// What decisions ask.
impl Trust {
    /// Begins a decision at the moment `now`, which must have been read for this decision alone.
    pub fn begin(&self, now: Duration) -> Deciding<'_> {
        let deciding = self.decisions.begin();
        let trusting = nanos(now) < self.lease_ends.load(Ordering::Acquire);
        deciding.trusting(trusting)
    }

    /// The place of what is about to be read: at least every change up to there will be in it.
    #[must_use]
    pub fn learning(&self) -> Learnt {
        let era = self.era.load(Ordering::Acquire);
        Learnt { era, seq: self.position() }
    }

    /// Up to where the feed was followed.
    #[must_use]
    pub fn position(&self) -> Seq {
        Seq(self.position.load(Ordering::Acquire))
    }

    /// How long the lease lasts from `now` on; zero if it is over.
    #[must_use]
    pub fn lease_left(&self, now: Duration) -> Duration {
        let ends = Duration::from_nanos(self.lease_ends.load(Ordering::Acquire));
        ends.saturating_sub(now)
    }

    /// When the lease ends, or has ended; `None`: there was none, or it was ended at once.
    #[must_use]
    pub fn lease_end(&self) -> Option<Duration> {
        let ends = self.lease_ends.load(Ordering::Acquire);
        (ends > 0).then(|| Duration::from_nanos(ends))
    }

    /// Whether something that depends on these seats and was learnt there is still as it was.
    pub(crate) fn is_good(&self, learnt: Learnt, seats: &[Seat]) -> bool {
        // The era is read after the floors: floors that were forgotten belong to a later one.
        self.floors.highest(seats) <= learnt.seq && self.is_of_this_era(learnt)
    }

    /// Whether a secret that was unknown there is still unknown.
    pub(crate) fn is_still_unknown(&self, learnt: Learnt) -> bool {
        self.floors.of_secrets() <= learnt.seq && self.is_of_this_era(learnt)
    }

    pub(crate) fn is_of_this_era(&self, learnt: Learnt) -> bool {
        self.era.load(Ordering::Acquire) == learnt.era
    }
}

/// What whoever follows the feed does, one at a time, except that anybody may raise floors or end
/// the lease at any time.
impl Trust {
    /// What was remembered of these things before is good no more. A node that changes something
    /// does this before it answers, whatever it has seen of the feed.
    pub fn raise(&self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            self.floors.raise(effect);
        }
    }

    /// The feed was followed up to `seq`: the floors of every change up to there are raised.
    pub fn advance(&self, seq: Seq) {
        self.position.fetch_max(seq.0, Ordering::Release);
    }

    /// What is remembered may be believed until `end`: the moment at which a look that is wholly
    /// applied began, and the length of a lease more.
    pub fn extend(&self, end: Duration) {
        self.lease_ends.fetch_max(nanos(end), Ordering::Release);
    }

    /// Ends the lease at once.
    pub fn end(&self) {
        self.lease_ends.store(0, Ordering::Release);
    }

    /// Forgets everything, and goes on at `seq` of a history in which other things may have
    /// happened. The lease is over; looks at that history renew it.
    pub fn begin_anew(&self, seq: Seq) {
        self.end();
        // In this order: what is learnt in between belongs to the era that ends.
        self.position.store(seq.0, Ordering::Release);
        self.era.fetch_add(1, Ordering::AcqRel);
        self.floors.lower();
    }

    /// Begins to wait until every decision that has begun so far has ended.
    pub fn settle(&self) -> Settling<'_> {
        self.decisions.settle()
    }
}

fn nanos(moment: Duration) -> u64 {
    u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! Who follows this node, how far each of them is, and how long each may believe what it remembers:
//! in memory alone. A node that starts anew knows nobody, and whoever followed it asks it anew.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use keystile_domain::{IdError, Seq};
use uuid::Uuid;

use crate::{ServiceError, random};

/// Names a lease: 128 random bits, which nobody but its holder knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseId([u8; 16]);

/// Everybody who follows this node.
#[derive(Debug, Default)]
pub(super) struct Leases {
    followers: HashMap<LeaseId, Follower>,
    /// Until when those go on, by their own choice, who are known no more: a seat is for whoever
    /// asks.
    adrift: HashMap<LeaseId, Duration>,
}

#[derive(Debug)]
struct Follower {
    /// The credential that it asks with.
    holder: Uuid,
    /// The highest that it has sent.
    counter: i64,
    /// Up to where it says that it has settled the feed.
    settled: Seq,
    /// Up to where it was told to apply the feed.
    told: Seq,
    /// When its lease ends, by the clock of this node; zero if it never had one.
    ends: Duration,
    /// How long after its lease it goes on all the same.
    staleness: Duration,
    /// When it asked last.
    asked: Duration,
}

/// A follower asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) lease: Option<LeaseId>,
    pub(super) holder: Uuid,
    pub(super) counter: i64,
    /// Up to where it has applied the feed; `None`: it is going to forget everything.
    pub(super) applied: Option<Seq>,
    /// Up to where it decides by nothing that was before.
    pub(super) settled: Seq,
    pub(super) staleness: Duration,
}

/// What it is going to be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Up to where it is told to apply the feed.
    pub(super) told: Seq,
    /// When its lease would end; `None`: it gets none.
    pub(super) ends: Option<Duration>,
}

/// How many follow a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FollowerCounts {
    /// All of them who may believe what they remember.
    pub(crate) followers: i64,
    /// Those who go on after their lease, by their own choice: nobody can say what they decide by.
    pub(crate) unproven: i64,
}

impl Leases {
    /// Notes a follower before it is answered: its name, and whether its lease is extended.
    pub(super) fn note(
        &mut self,
        ask: Ask,
        offer: Offer,
        now: Duration,
        margin: Duration,
    ) -> Result<(LeaseId, bool), ServiceError> {
        let known = ask.lease.and_then(|id| Some((id, self.followers.get_mut(&id)?)));
        let known = known.filter(|(_, follower)| follower.holder == ask.holder);
        if let Some((id, follower)) = known {
            return Ok((id, follower.hear(ask, offer, now)));
        }
        self.forget(now, margin);
        let of_holder = self.followers.values().filter(|it| it.holder == ask.holder).count();
        if self.followers.len() >= MAX || of_holder >= MAX_OF_ONE {
            return Err(ServiceError::TooManyFollowers);
        }
        ask.lease.map(|id| self.adrift.remove(&id));
        let id = LeaseId(random::bytes()?);
        self.followers.insert(id, Follower::new(ask, offer, now));
        Ok((id, offer.ends.is_some()))
    }

    /// Up to where everybody who may still believe something has settled the feed, this node,
    /// which has up to `own`, among them.
    pub(super) fn settled(&self, own: Seq, now: Duration, margin: Duration) -> Seq {
        let bound = self.followers.values().filter(|it| it.ends + margin > now);
        bound.map(|follower| follower.settled).fold(own, Seq::min)
    }

    pub(super) fn counts(&self, now: Duration, margin: Duration) -> FollowerCounts {
        let adrift = self.adrift.values().filter(|until| **until > now).count();
        let adrift = i64::try_from(adrift).unwrap_or(i64::MAX);
        let mut counts = FollowerCounts { followers: adrift, unproven: adrift };
        for it in self.followers.values().filter(|it| it.believes_until(margin) > now) {
            counts.followers += 1;
            counts.unproven += i64::from(it.staleness > Duration::ZERO);
        }
        counts
    }

    /// Forgets everybody: what they were told belongs to another history. Those who go on all the
    /// same are counted as before.
    pub(super) fn clear(&mut self, margin: Duration) {
        let stale = self.followers.drain().filter(|(_, it)| !it.staleness.is_zero());
        self.adrift.extend(stale.map(|(id, it)| (id, it.believes_until(margin))));
    }

    /// Gives the seats of those away who are gone for good.
    pub(super) fn forget(&mut self, now: Duration, margin: Duration) {
        let gone = |it: &Follower| it.asked + KEPT <= now && it.ends + margin <= now;
        let gone = self.followers.extract_if(|_, it| gone(it));
        self.adrift.extend(gone.map(|(id, it)| (id, it.believes_until(margin))));
        self.adrift.retain(|_, until| *until > now);
        let surplus = self.adrift.len().saturating_sub(MAX);
        let surplus: Vec<_> = self.adrift.keys().take(surplus).copied().collect();
        for id in surplus {
            self.adrift.remove(&id);
        }
    }
}

impl Follower {
    fn new(ask: Ask, offer: Offer, now: Duration) -> Self {
        Self {
            holder: ask.holder,
            counter: ask.counter,
            settled: ask.settled,
            told: offer.told,
            ends: offer.ends.unwrap_or_default(),
            staleness: ask.staleness,
            asked: now,
        }
    }

    /// How long it may go by what it remembers, by its own choice too.
    fn believes_until(&self, margin: Duration) -> Duration {
        if self.ends.is_zero() { Duration::ZERO } else { self.ends + self.staleness + margin }
    }

    /// Hears what it asks; whether its lease is extended. One that was told to apply more than it
    /// has gets none: it might never apply it. One that is to forget everything goes by what it
    /// remembers until it is answered, and so has settled no more than before.
    fn hear(&mut self, ask: Ask, offer: Offer, now: Duration) -> bool {
        if ask.counter <= self.counter {
            return false;
        }
        let has_applied = ask.applied.is_none_or(|applied| applied >= self.told);
        *self = Self {
            counter: ask.counter,
            settled: self.settled.max(ask.settled),
            told: self.told.max(offer.told),
            // What it was promised once, it may still believe.
            staleness: self.staleness.max(ask.staleness),
            asked: now,
            ..*self
        };
        let ends = offer.ends.filter(|_| has_applied);
        self.ends = self.ends.max(ends.unwrap_or_default());
        ends.is_some()
    }
}

impl FromStr for LeaseId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(digit) {
            return Err(IdError);
        }
        let number = u128::from_str_radix(text, 16).or(Err(IdError))?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseId(..)")
    }
}

/// How many may follow a node.
const MAX: usize = 10_000;
/// How many of them with one credential.
const MAX_OF_ONE: usize = 1_000;
/// How long one that asks no more is known.
const KEPT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;

//! What a verifier remembers: bounded, and believed only as far as [`Trust`] goes.

mod flights;

use std::fmt;
use std::future::Future;
use std::ops::Add;
use std::sync::Arc;

use keystile_domain::{Fingerprint, Seq, Subject};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use self::flights::{Flight, Flights};
use crate::lanes::Lanes;
use crate::sync::Ordering;
use crate::trust::{Deciding, Learnt, Seat, Trust};

/// Facts by fingerprint, with a bound in bytes. What is unknown is remembered apart, so that a
/// flood of made-up secrets does not push out what is known.
///
/// A hit takes no lock that another hit waits for, and allocates nothing.
pub struct Recall<V, E> {
    known: Cache<Fingerprint, Fact<V>, Weigh>,
    unknown: Cache<Fingerprint, Learnt>,
    flights: Flights<V, E>,
    hits: Lanes,
    misses: Lanes,
}

/// What can be remembered.
pub trait Remember: Clone + Send + Sync + 'static {
    /// The things that it depends on: a change of one of them may change it.
    fn subjects(&self) -> Vec<Subject>;

    /// How many bytes it takes, roughly.
    fn bytes(&self) -> usize;
}

/// What somebody who was asked knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever is asked builds it")]
pub struct Told<V> {
    /// What there is to know; `None`: nothing.
    pub value: Option<V>,
    /// The place in the feed up to which every change is in it. `None`: it was read from the
    /// primary after the question.
    pub holds_at: Option<Seq>,
}

/// How a memory does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recalled {
    /// How many questions it has answered.
    pub hits: u64,
    /// How many it could not answer.
    pub misses: u64,
    /// How many facts it holds.
    pub entries: u64,
    /// How many bytes they take, roughly.
    pub bytes: u64,
}

impl Add for Recalled {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            entries: self.entries + other.entries,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must have an answer to each")]
pub enum Unread<E> {
    /// The answer is older than what is known to have happened.
    Behind,
    /// Nobody answered.
    Failed(E),
}

impl<V: Remember, E: Clone + Send + Sync + 'static> Recall<V, E> {
    /// A memory of about so many bytes; of none, it remembers nothing.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let unknown = bytes / SHARE_OF_UNKNOWN;
        let known = bytes - unknown;
        let weight = u64::try_from(known).unwrap_or(u64::MAX);
        Self {
            known: Cache::with_weighter(known / TYPICAL_BYTES, weight, Weigh),
            unknown: Cache::new(unknown / UNKNOWN_BYTES),
            flights: Flights::default(),
            hits: Lanes::default(),
            misses: Lanes::default(),
        }
    }

    /// What is known behind a fingerprint, as far as the decision under way may believe it: out of
    /// memory, or by `ask`, which begins to read when it is called. Whoever asks at the same time
    /// shares an answer if it is new enough for them, except when there is no lease: then each
    /// reads for itself.
    ///
    /// # Errors
    ///
    /// [`Unread`] if nobody knows.
    pub async fn find<F>(
        &self,
        trust: &Trust,
        deciding: &Deciding<'_>,
        fingerprint: &Fingerprint,
        ask: impl FnOnce() -> F,
    ) -> Result<Option<V>, Unread<E>>
    where
        F: Future<Output = Result<Told<V>, E>> + Send + 'static,
    {
        if let Some(known) = self.recall(trust, deciding, fingerprint) {
            return Ok(known);
        }
        // Boxed, so that a hit is not made to carry what a miss takes.
        Box::pin(self.find_out(trust, deciding, fingerprint, ask)).await
    }

    async fn find_out<F>(
        &self,
        trust: &Trust,
        deciding: &Deciding<'_>,
        fingerprint: &Fingerprint,
        ask: impl FnOnce() -> F,
    ) -> Result<Option<V>, Unread<E>>
    where
        F: Future<Output = Result<Told<V>, E>> + Send + 'static,
    {
        if !deciding.is_trusting() {
            let learnt = trust.learning();
            let told = ask().await.map_err(Unread::Failed)?;
            return self.keep(trust, fingerprint, Landed::new(learnt, told));
        }
        let mut ask = Some(ask);
        loop {
            let begin = || ask.take().map(|ask| (trust.learning(), ask()));
            match self.flights.join_or_begin(fingerprint, begin) {
                Some(Flight::Joined(flight)) => {
                    let landed = flight.await.map_err(Unread::Failed)?;
                    if landed.is_good(trust) {
                        return Ok(landed.value());
                    }
                }
                Some(Flight::Own(flight)) => {
                    let landed = flight.await.map_err(Unread::Failed)?;
                    return self.keep(trust, fingerprint, landed);
                }
                None => return Err(Unread::Behind),
            }
        }
    }

    /// How it does.
    pub fn recalled(&self) -> Recalled {
        let (entries, unknown) = (wide(self.known.len()), wide(self.unknown.len()));
        Recalled {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            entries: entries + unknown,
            bytes: self.known.weight() + unknown * wide(UNKNOWN_BYTES),
        }
    }

    /// What is remembered of a fingerprint, if the decision under way may believe it; in it `None`:
    /// that nothing is known.
    pub fn recall(
        &self,
        trust: &Trust,
        deciding: &Deciding<'_>,
        fingerprint: &Fingerprint,
    ) -> Option<Option<V>> {
        let recalled = deciding.is_trusting().then(|| self.look(trust, fingerprint)).flatten();
        let count = if recalled.is_some() { &self.hits } else { &self.misses };
        count.own().fetch_add(1, Ordering::Relaxed);
        recalled
    }

    /// Remembers what was read from the primary by whoever shares it with nobody; `learnt` is where
    /// the feed was before they began.
    pub fn learn(&self, fingerprint: &Fingerprint, learnt: Learnt, value: V) {
        let landed = Landed::new(learnt, Told { value: Some(value), holds_at: None });
        if let Landed::Known { fact, .. } = landed {
            self.known.insert(*fingerprint, fact);
        }
    }

    fn look(&self, trust: &Trust, fingerprint: &Fingerprint) -> Option<Option<V>> {
        if let Some(fact) = self.known.get(fingerprint) {
            return trust.is_good(fact.learnt, fact.seats.all()).then_some(Some(fact.value));
        }
        let learnt = self.unknown.get(fingerprint)?;
        trust.is_still_unknown(learnt).then_some(None)
    }

    /// Remembers what this decision itself has asked, and believes it: if it was read from the
    /// primary, because that was after the decision began, else if nothing has happened since.
    fn keep(
        &self,
        trust: &Trust,
        fingerprint: &Fingerprint,
        landed: Landed<V>,
    ) -> Result<Option<V>, Unread<E>> {
        if !landed.is_believed(trust) {
            return Err(Unread::Behind);
        }
        match &landed {
            Landed::Known { fact, .. } => {
                self.known.insert(*fingerprint, fact.clone());
            }
            Landed::Unknown { learnt, .. } => {
                self.unknown.insert(*fingerprint, *learnt);
                // What was known of it before would stand in front. Where somebody has learnt more
                // meanwhile, that is asked once more.
                self.known.remove(fingerprint);
            }
        }
        Ok(landed.value())
    }
}

impl<V, E> fmt::Debug for Recall<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recall(..)")
    }
}

/// Something that is known, and where in the feed it was learnt. It stands in the table itself: what
/// there are millions of asks for no memory of its own.
#[derive(Clone, Debug)]
struct Fact<V> {
    value: V,
    learnt: Learnt,
    seats: Seats,
}

/// The seats of what a fact depends on.
#[derive(Clone, Debug)]
enum Seats {
    /// The first so many of these.
    Few(u8, [Seat; FEW]),
    Many(Arc<Vec<Seat>>),
}

/// The answer to a question.
#[derive(Clone, Debug)]
enum Landed<V> {
    Known { fact: Fact<V>, is_read: bool },
    Unknown { learnt: Learnt, is_read: bool },
}

impl<V: Remember> Landed<V> {
    /// `learnt` is where the feed was when the question was put.
    fn new(learnt: Learnt, told: Told<V>) -> Self {
        let is_read = told.holds_at.is_none();
        let learnt = told.holds_at.map_or(learnt, |seq| learnt.at_most(seq));
        let Some(value) = told.value else { return Self::Unknown { learnt, is_read } };
        let seats = Seats::of(value.subjects());
        Self::Known { fact: Fact { value, learnt, seats }, is_read }
    }

    fn is_good(&self, trust: &Trust) -> bool {
        match self {
            Self::Known { fact, .. } => trust.is_good(fact.learnt, fact.seats.all()),
            Self::Unknown { learnt, .. } => trust.is_still_unknown(*learnt),
        }
    }

    fn is_believed(&self, trust: &Trust) -> bool {
        let (Self::Known { is_read, .. } | Self::Unknown { is_read, .. }) = self;
        if *is_read { trust.is_of_this_era(self.learnt()) } else { self.is_good(trust) }
    }

    fn learnt(&self) -> Learnt {
        match self {
            Self::Known { fact, .. } => fact.learnt,
            Self::Unknown { learnt, .. } => *learnt,
        }
    }

    fn value(&self) -> Option<V> {
        match self {
            Self::Known { fact, .. } => Some(fact.value.clone()),
            Self::Unknown { .. } => None,
        }
    }
}

impl Seats {
    fn of(subjects: Vec<Subject>) -> Self {
        let mut seats: Vec<_> = subjects.into_iter().map(Seat::of).collect();
        seats.sort_unstable();
        seats.dedup();
        match (seats.first(), u8::try_from(seats.len())) {
            (Some(first), Ok(length)) if seats.len() <= FEW => {
                let mut few = [*first; FEW];
                few.iter_mut().zip(&seats).for_each(|(place, seat)| *place = *seat);
                Self::Few(length, few)
            }
            _ => Self::Many(Arc::new(seats)),
        }
    }

    fn all(&self) -> &[Seat] {
        match self {
            Self::Few(length, seats) => seats.get(..usize::from(*length)).unwrap_or(seats),
            Self::Many(seats) => seats,
        }
    }

    /// How many bytes they take beside the fact.
    fn bytes(&self) -> usize {
        match self {
            Self::Few(..) => 0,
            Self::Many(seats) => size_of::<Vec<Seat>>() + size_of_val(seats.as_slice()),
        }
    }
}

#[derive(Clone, Debug)]
struct Weigh;

impl<V: Remember> Weighter<Fingerprint, Fact<V>> for Weigh {
    fn weight(&self, _: &Fingerprint, fact: &Fact<V>) -> u64 {
        wide(FACT_BYTES + fact.seats.bytes() + fact.value.bytes())
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// One part in so many is for what is unknown.
const SHARE_OF_UNKNOWN: usize = 16;
/// A fingerprint, its place, and what the table adds: measured with a million of them.
const UNKNOWN_BYTES: usize = 96;
/// The same of a fact, beside what it is about.
const FACT_BYTES: usize = 128;
/// What sizes the table at the beginning; it grows.
const TYPICAL_BYTES: usize = 512;
/// As many as a key has with two roles, and as fit beside the rest of a fact.
const FEW: usize = 7;

#[cfg(test)]
mod tests;

//! What was checked since the last flush: counted in memory, because a check must not wait for a
//! database.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keystile_domain::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Step, UserAgent};

/// One check of a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check<'c> {
    pub(crate) credential: Uuid,
    pub(crate) at: Timestamp,
    /// How it went, in the word that `/verify` has for it.
    pub(crate) outcome: &'static str,
    /// Whether it let the credential in, and so was a use of it.
    pub(crate) is_use: bool,
    /// Where the credential was shown, if that is known.
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<&'c UserAgent>,
}

/// Counts checks until they are written.
///
/// Each thread counts in a shard of its own, so that threads which check the same credential do not
/// wait for each other.
#[derive(Default)]
pub(crate) struct Recorder {
    shards: Box<[Seat; SHARDS]>,
    /// How many counts there are in all shards.
    counts: AtomicUsize,
    /// How many checks found no place.
    uncounted: AtomicU64,
    crowded: Notify,
}

/// What is known of one credential.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) counts: Vec<Count>,
    pub(super) last: Option<Use>,
}

/// How many checks of one hour went the same way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) hour: Timestamp,
    pub(super) outcome: &'static str,
    pub(super) checks: i64,
}

/// When a credential was let in, and whom.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) at: Timestamp,
    pub(super) address: Option<IpAddr>,
    pub(super) user_agent: Option<UserAgent>,
}

/// What was taken out of a recorder to be written. Dropped, what was not written goes back.
pub(super) struct Batch<'r> {
    recorder: &'r Recorder,
    tallies: Vec<(Uuid, Tally)>,
}

type Shard = HashMap<Uuid, Tally>;

/// A shard on cache lines of its own: its neighbours are other threads'.
#[derive(Default)]
#[repr(align(128))]
struct Seat(Mutex<Shard>);

impl Recorder {
    /// Counts a check. It waits for no I/O, and for another thread no longer than that takes to
    /// count one.
    pub(crate) fn record(&self, check: &Check<'_>) {
        let Some(mut shard) = self.shard(SEAT.get()) else { return };
        let hour = Step::Hour.start(check.at);
        let tally = match shard.get_mut(&check.credential) {
            Some(tally) => tally,
            None if self.is_full() => return self.leave_out(),
            None => shard.entry(check.credential).or_default(),
        };
        match tally.count(hour, check.outcome) {
            Some(count) => count.checks = count.checks.saturating_add(1),
            None if self.is_full() => return self.leave_out(),
            None => {
                tally.counts.push(Count { hour, outcome: check.outcome, checks: 1 });
                if self.counts.fetch_add(1, Ordering::Relaxed) + 1 == CROWD {
                    self.crowded.notify_one();
                }
            }
        }
        if check.is_use && tally.last.as_ref().is_none_or(|last| last.at <= check.at) {
            let user_agent = check.user_agent.cloned();
            tally.last = Some(Use { at: check.at, address: check.address, user_agent });
        }
    }

    /// Waits until so much was counted that it is better written soon.
    pub(super) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Takes out everything that was counted.
    pub(super) fn take(&self) -> Batch<'_> {
        let mut all = Shard::default();
        for seat in 0..SHARDS {
            let Some(shard) = self.shard(seat).map(|mut shard| std::mem::take(&mut *shard)) else {
                continue;
            };
            for (credential, tally) in shard {
                self.counts.fetch_sub(tally.counts.len(), Ordering::Relaxed);
                all.entry(credential).or_default().add(tally);
            }
        }
        Batch { recorder: self, tallies: all.into_iter().collect() }
    }

    /// How many checks found no place since this was asked last.
    pub(super) fn take_uncounted(&self) -> u64 {
        self.uncounted.swap(0, Ordering::Relaxed)
    }

    /// Puts back what could not be written. It was counted, so there is always room for it.
    fn put_back(&self, tallies: Vec<(Uuid, Tally)>) {
        let Some(mut shard) = self.shard(SEAT.get()) else { return };
        for (credential, tally) in tallies {
            let more = shard.entry(credential).or_default().add(tally);
            self.counts.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn shard(&self, seat: usize) -> Option<MutexGuard<'_, Shard>> {
        // Counting cannot fail half-way, so a thread that panicked left nothing broken behind.
        let shard = self.shards.get(seat % SHARDS);
        shard.map(|Seat(shard)| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_full(&self) -> bool {
        self.counts.load(Ordering::Relaxed) >= MOST
    }

    fn leave_out(&self) {
        self.uncounted.fetch_add(1, Ordering::Relaxed);
    }
}

impl Tally {
    fn count(&mut self, hour: Timestamp, outcome: &str) -> Option<&mut Count> {
        // Newest last: the hour of the moment is at the end, among a handful of outcomes.
        self.counts.iter_mut().rev().find(|it| it.hour == hour && it.outcome == outcome)
    }

    /// Adds another tally of the same credential; says how many counts are new.
    fn add(&mut self, other: Self) -> usize {
        let before = self.counts.len();
        for count in other.counts {
            match self.count(count.hour, count.outcome) {
                Some(known) => known.checks = known.checks.saturating_add(count.checks),
                None => self.counts.push(count),
            }
        }
        let at = |last: &Option<Use>| last.as_ref().map(|last| last.at);
        if at(&self.last) < at(&other.last) {
            self.last = other.last;
        }
        self.counts.len() - before
    }
}

impl Batch<'_> {
    /// What is to be written next; empty when all is written.
    pub(super) fn part(&self) -> &[(Uuid, Tally)] {
        self.tallies.rchunks(AT_ONCE).next().unwrap_or_default()
    }

    /// Notes that the part was written.
    pub(super) fn part_is_written(&mut self) {
        let written = self.part().len();
        self.tallies.truncate(self.tallies.len() - written);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.recorder.put_back(std::mem::take(&mut self.tallies));
    }
}

thread_local! {
    /// Where the thread counts.
    static SEAT: Cell<usize> = Cell::new(SEATS.fetch_add(1, Ordering::Relaxed));
}

static SEATS: AtomicUsize = AtomicUsize::new(0);

/// Enough that threads on different cores rarely share one.
const SHARDS: usize = 32;

/// Counts in memory that are better written before their time: some 10 MiB.
const CROWD: usize = 50_000;

/// The most counts in memory. While the database is away, checks that would need another are not
/// counted: the alternative is to run out of memory.
const MOST: usize = 2 * CROWD;

/// How many credentials one transaction writes. On SQLite every change waits for it.
const AT_ONCE: usize = 5_000;

#[cfg(test)]
mod tests;

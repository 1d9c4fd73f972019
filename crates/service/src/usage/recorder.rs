//! What was checked since the last flush: counted in memory, because a check must not wait for a
//! database.
//!
//! A check of a credential that was counted before, with an outcome, a client and needs that were
//! seen before, allocates nothing.

mod tally;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keystile_domain::{Context, Exercise, Rights, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{UserAgent, Written};
use crate::seats::{Apart, SEATS, seat};

pub(super) use tally::Tally;

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
    /// Whether what was shown is the old secret of a rotated key.
    pub(crate) by_old_secret: bool,
    /// What it holds and what it was asked for, if what it needed is to be noted.
    pub(crate) asked: Option<(&'c Rights, &'c Context<'c>)>,
}

/// Counts checks until they are written.
///
/// Each thread counts in a shard of its own, so that threads which check the same credential do not
/// wait for each other.
#[derive(Default)]
pub(crate) struct Recorder {
    shards: Box<[Apart<Mutex<Shard>>; SEATS]>,
    /// How much there is in all shards, in counts.
    counts: AtomicUsize,
    /// How many checks found no place.
    uncounted: AtomicU64,
    /// How many of those were told of.
    told: AtomicU64,
    crowded: Notify,
    /// Held while what was taken out is on its way to the database.
    flushing: tokio::sync::Mutex<()>,
    /// What need not be written again today.
    written: Mutex<Written>,
}

/// What was counted and is not written yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageBacklog {
    /// How many counts are in memory.
    pub counts: usize,
    /// How many checks found no place there since the start, and were not counted.
    pub uncounted: u64,
}

/// What was taken out of a recorder to be written. Dropped, what was not written goes back.
pub(super) struct Batch<'r> {
    recorder: &'r Recorder,
    tallies: Vec<(Uuid, Tally)>,
}

type Shard = HashMap<Uuid, Tally, BuildHasherDefault<RandomBits>>;

impl Recorder {
    /// Counts a check. It waits for no I/O, and for another thread no longer than that takes to
    /// count one.
    pub(crate) fn record(&self, check: &Check<'_>) {
        let counted = self.with_tally(check.credential, |tally, has_room| {
            let counted = tally.count(check, has_room);
            if let Some((rights, context)) = check.asked
                && check.is_use
                && has_room
            {
                note_needs(tally, rights, context, check.at);
            }
            counted
        });
        if counted != Some(true) {
            self.uncounted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that a credential needed something, once it was let in.
    pub(crate) fn note(&self, credential: Uuid, exercise: Exercise<'_>, at: Timestamp) {
        self.with_tally(credential, |tally, has_room| {
            if has_room {
                tally.note(exercise, at);
            }
        });
    }

    /// Waits until so much was counted that it is better written soon.
    pub(super) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Takes out everything that was counted. It counts as in memory until it is written.
    pub(super) fn take(&self) -> Batch<'_> {
        let mut tallies = Vec::new();
        for seat in 0..SEATS {
            if let Some(shard) = self.shard(seat).map(|mut shard| std::mem::take(&mut *shard)) {
                tallies.extend(shard);
            }
        }
        let apart = size(&tallies);
        // In the order of the tables, so that a part meets few of their pages.
        tallies.sort_unstable_by_key(|(credential, _)| *credential);
        tallies.dedup_by(|(credential, tally), (before, sum)| {
            let is_same = credential == before;
            if is_same {
                sum.add(std::mem::take(tally));
            }
            is_same
        });
        self.counts.fetch_sub(apart.saturating_sub(size(&tallies)), Ordering::Relaxed);
        Batch { recorder: self, tallies }
    }

    /// Waits until nothing is on its way to the database, and keeps it so.
    pub(super) async fn flushing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.flushing.lock().await
    }

    /// What was counted of a credential on each thread, and stays.
    pub(super) fn peek(&self, credential: Uuid) -> Vec<(Uuid, Tally)> {
        let tally = |seat| self.shard(seat)?.get(&credential).cloned();
        (0..SEATS).filter_map(tally).map(|tally| (credential, tally)).collect()
    }

    /// What need not be written again today.
    pub(super) fn written(&self) -> MutexGuard<'_, Written> {
        // A thread that panicked left at worst too little behind: that is written once more.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many checks found no place since this was asked last.
    pub(super) fn take_uncounted(&self) -> u64 {
        let uncounted = self.uncounted.load(Ordering::Relaxed);
        uncounted.saturating_sub(self.told.swap(uncounted, Ordering::Relaxed))
    }

    /// What is in memory, and what found no place there.
    pub(crate) fn backlog(&self) -> UsageBacklog {
        UsageBacklog {
            counts: self.counts.load(Ordering::Relaxed),
            uncounted: self.uncounted.load(Ordering::Relaxed),
        }
    }

    /// Puts back what could not be written. It was counted, so there is always room for it.
    fn put_back(&self, tallies: Vec<(Uuid, Tally)>) {
        let mut tallies = tallies.into_iter();
        while tallies.len() > 0 {
            // A check that comes meanwhile waits for a few of them, not for all.
            let Some(mut shard) = self.shard(seat()) else { return };
            for (credential, tally) in tallies.by_ref().take(AT_A_TIME) {
                let known = shard.entry(credential).or_default();
                let apart = known.size() + tally.size();
                known.add(tally);
                self.counts.fetch_sub(apart.saturating_sub(known.size()), Ordering::Relaxed);
            }
        }
    }

    /// Adds to what is known of a credential, which is told whether there is room for more; nothing
    /// if nothing is known of it and there is none.
    fn with_tally<T>(
        &self,
        credential: Uuid,
        add: impl FnOnce(&mut Tally, bool) -> T,
    ) -> Option<T> {
        let mut shard = self.shard(seat())?;
        let has_room = self.counts.load(Ordering::Relaxed) < MOST;
        let tally = match shard.get_mut(&credential) {
            Some(tally) => tally,
            None if has_room => shard.entry(credential).or_default(),
            None => return None,
        };
        let before = tally.size();
        let added = add(tally, has_room);
        let more = tally.size() - before;
        if more > 0 {
            let counts = self.counts.fetch_add(more, Ordering::Relaxed);
            if (counts..counts + more).contains(&(CROWD - 1)) {
                self.crowded.notify_one();
            }
        }
        Some(added)
    }

    fn shard(&self, seat: usize) -> Option<MutexGuard<'_, Shard>> {
        // Counting cannot fail half-way, so a thread that panicked left nothing broken behind.
        let shard = self.shards.get(seat);
        shard.map(|Apart(shard)| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn note_needs(tally: &mut Tally, rights: &Rights, context: &Context<'_>, at: Timestamp) {
    let mut was_asked = false;
    Exercise::tell_each(rights, context, &mut |exercise| {
        was_asked = true;
        tally.note(exercise, at);
    });
    if !was_asked {
        tally.note(Exercise::Untold, at);
    }
}

fn size(tallies: &[(Uuid, Tally)]) -> usize {
    tallies.iter().map(|(_, tally)| tally.size()).sum()
}

/// The hash of an id is its end, which was drawn at random when it was made; multiplied, since the
/// two highest bits there are always the same (RFC 9562, section 4.1).
#[derive(Default)]
struct RandomBits(u64);

impl Hasher for RandomBits {
    fn write(&mut self, bytes: &[u8]) {
        let end = bytes.last_chunk().map_or(self.0, |end| u64::from_be_bytes(*end));
        self.0 = end.wrapping_mul(GOLDEN);
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Batch<'_> {
    /// What is to be written next; empty when all is written.
    pub(super) fn part(&self) -> &[(Uuid, Tally)] {
        self.tallies.rchunks(AT_ONCE).next().unwrap_or_default()
    }

    /// Notes that the part was written.
    pub(super) fn part_is_written(&mut self) {
        let (written, counts) = (self.part().len(), size(self.part()));
        self.tallies.truncate(self.tallies.len() - written);
        self.recorder.counts.fetch_sub(counts, Ordering::Relaxed);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.recorder.put_back(std::mem::take(&mut self.tallies));
    }
}

/// Two to the 64th divided by the golden ratio, and odd: multiplying by it moves low bits high.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Counts in memory that are better written before their time: some 50 MiB, at two counts for each
/// credential. Below that no credential is written twice within one interval, however many there
/// are: each writing of it costs more than the check.
const CROWD: usize = 250_000;

/// The most counts in memory. While the database is away, checks that would need another are not
/// counted: the alternative is to run out of memory.
const MOST: usize = 2 * CROWD;

/// How many credentials are put back before other threads get a turn.
const AT_A_TIME: usize = 500;

/// How many credentials one transaction writes. On SQLite every change waits for it.
const AT_ONCE: usize = 5_000;

#[cfg(test)]
mod tests;

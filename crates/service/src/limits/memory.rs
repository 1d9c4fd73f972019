//! Limits counted in the memory of this node, by the generic cell rate algorithm.
//!
//! A holder whose limits have all recovered is as one that was never seen, so forgetting it changes
//! nothing. Only when more holders than there is room for have not recovered, some lose what was
//! counted: those who have used the least.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gcra::GcraState;
use keystile_domain::{Cost, RateLimit, RateLimits};

use super::standing::Taking;

/// What is counted of each holder.
pub(crate) struct Memory<K> {
    /// The moment that [`Clock::elapsed`](keystile_auth::Clock::elapsed) counts from here.
    start: Instant,
    capacity: usize,
    counters: Mutex<Counters<K>>,
}

struct Counters<K> {
    holders: HashMap<K, Vec<Counter>>,
    /// How many holders there may be before those that have recovered are looked for.
    room: usize,
}

/// How one limit stands. A limit that is changed is another one, and begins anew.
struct Counter {
    limit: RateLimit,
    state: GcraState,
}

impl<K: Copy + Eq + Hash> Memory<K> {
    /// A memory of at most `capacity` holders.
    pub(crate) fn new(capacity: usize) -> Self {
        let counters = Counters { holders: HashMap::new(), room: LEAST_ROOM.min(capacity) };
        Self { start: Instant::now(), capacity, counters: Mutex::new(counters) }
    }

    /// Takes the cost of every limit or of none.
    pub(crate) fn take(
        &self,
        holder: K,
        limits: &RateLimits,
        cost: Cost,
        elapsed: Duration,
    ) -> Taking {
        let now = self.start + elapsed;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let before = counters.states(&holder, limits);
        let mut after = before.clone();
        let is_taken =
            limits.iter().zip(&mut after).all(|(limit, state)| take(limit, state, cost, now));
        let stand = if is_taken { &after } else { &before };
        let ahead = stand.iter().map(|state| ahead(*state, now)).collect();
        if is_taken && cost != Cost::NOTHING {
            counters.make_room(self.capacity, now);
            counters.store(holder, limits, &after);
        }
        Taking { is_taken, ahead }
    }
}

#[cfg(test)]
impl<K> Memory<K> {
    fn len(&self) -> usize {
        self.counters.lock().unwrap().holders.len()
    }
}

impl<K: Eq + Hash> Counters<K> {
    fn states(&self, holder: &K, limits: &RateLimits) -> Vec<GcraState> {
        let known = self.holders.get(holder).map_or(&[][..], Vec::as_slice);
        let state =
            |limit: &RateLimit| known.iter().find(|it| it.limit == *limit).map(|it| it.state);
        limits.iter().map(|limit| state(limit).unwrap_or_default()).collect()
    }

    fn store(&mut self, holder: K, limits: &RateLimits, states: &[GcraState]) {
        let known = self.holders.entry(holder).or_default();
        if !known.iter().map(|counter| &counter.limit).eq(limits) {
            let new =
                limits.iter().map(|it| Counter { limit: it.clone(), state: Default::default() });
            *known = new.collect();
        }
        for (counter, state) in known.iter_mut().zip(states) {
            counter.state = *state;
        }
    }

    fn make_room(&mut self, capacity: usize, now: Instant) {
        if self.holders.len() < self.room {
            return;
        }
        self.holders.retain(|_, counters| end(counters) > Some(now));
        // Half of the room is free afterwards, so that many share what looking through all costs.
        if self.room == capacity && self.holders.len() > capacity / 2 {
            let mut ends: Vec<_> = self.holders.values().map(|counters| end(counters)).collect();
            let middle = ends.len() / 2;
            let (_, median, _) = ends.select_nth_unstable(middle);
            let median = *median;
            self.holders.retain(|_, counters| end(counters) > median);
        }
        self.room = (2 * self.holders.len()).max(LEAST_ROOM).min(capacity);
    }
}

fn take(limit: &RateLimit, state: &mut GcraState, cost: Cost, now: Instant) -> bool {
    let (count, interval) = (limit.limit.value(), limit.interval());
    // Of whole intervals, so that not one use more fits into what is lost by rounding.
    let limit = gcra::RateLimit::new(count, interval.saturating_mul(count));
    state.check_and_modify_at(&limit, now, cost.value()).is_ok()
}

/// How long it takes until all is free again.
fn ahead(state: GcraState, now: Instant) -> Duration {
    state.tat.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
}

/// When a holder has recovered.
fn end(counters: &[Counter]) -> Option<Instant> {
    counters.iter().filter_map(|counter| counter.state.tat).max()
}

const LEAST_ROOM: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(limits: &[(&str, i64, i64)]) -> RateLimits {
        let limit = |(name, limit, window): &(&str, i64, i64)| RateLimit {
            name: name.parse().unwrap(),
            limit: (*limit).try_into().unwrap(),
            window: (*window).try_into().unwrap(),
        };
        RateLimits::try_from(limits.iter().map(limit).collect::<Vec<_>>()).unwrap()
    }

    fn cost(cost: i64) -> Cost {
        cost.try_into().unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn all_are_free_at_once_and_then_one_each_interval() {
        let (memory, limits) = (Memory::new(10), limits(&[("a", 3, 60)]));
        let take = |at| memory.take(1, &limits, Cost::ONE, seconds(at)).is_taken;
        assert_eq!([0, 0, 0, 0, 19].map(take), [true, true, true, false, false]);
        assert_eq!([20, 20, 39, 40].map(take), [true, false, false, true]);
        assert_eq!([200, 200, 200, 200].map(take), [true, true, true, false]);
    }

    #[test]
    fn one_limit_that_says_no_takes_nothing_of_the_others() {
        let (memory, limits) = (Memory::new(10), limits(&[("wide", 10, 60), ("narrow", 2, 1)]));
        let refused = memory.take(1, &limits, cost(3), seconds(0));
        assert!(!refused.is_taken);
        assert_eq!(refused.ahead, [Duration::ZERO; 2]);
        let taken = memory.take(1, &limits, cost(2), seconds(0));
        assert!(taken.is_taken);
        assert_eq!(taken.ahead, [seconds(12), seconds(1)]);
    }

    #[test]
    fn a_cost_of_nothing_only_asks() {
        let (memory, limits) = (Memory::new(10), limits(&[("a", 1, 60)]));
        for at in [0, 0, 0] {
            assert!(memory.take(1, &limits, Cost::NOTHING, seconds(at)).is_taken);
        }
        assert_eq!(memory.len(), 0);
        assert!(memory.take(1, &limits, Cost::ONE, seconds(0)).is_taken);
        assert_eq!(memory.take(1, &limits, Cost::NOTHING, seconds(0)).ahead, [seconds(60)]);
    }

    #[test]
    fn more_than_the_limit_is_never_taken_at_once() {
        for count in [3, 7, 60_000, 999_999] {
            let (memory, limits) = (Memory::new(10), limits(&[("a", count, 1)]));
            assert!(!memory.take(1, &limits, cost(count + 1), seconds(0)).is_taken);
            assert!(memory.take(1, &limits, cost(count), seconds(0)).is_taken);
            assert!(!memory.take(1, &limits, Cost::ONE, seconds(0)).is_taken);
        }
    }

    #[test]
    fn a_changed_limit_begins_anew() {
        let memory = Memory::new(10);
        let (old, new) = (limits(&[("a", 1, 60), ("b", 9, 9)]), limits(&[("a", 2, 60)]));
        assert!(memory.take(1, &old, Cost::ONE, seconds(0)).is_taken);
        assert!(!memory.take(1, &old, Cost::ONE, seconds(0)).is_taken);
        assert!(memory.take(1, &new, Cost::ONE, seconds(0)).is_taken);
        assert!(memory.take(2, &old, Cost::ONE, seconds(0)).is_taken, "that is somebody else");
    }

    #[test]
    fn whoever_has_recovered_is_forgotten() {
        let (memory, limits) = (Memory::new(1_000_000), limits(&[("a", 2, 1)]));
        for holder in 0..100_000_u64 {
            memory.take(holder, &limits, Cost::ONE, Duration::from_millis(holder));
        }
        assert!(memory.len() <= 2 * LEAST_ROOM, "{}", memory.len());
    }

    #[test]
    fn however_many_there_are_only_so_many_are_remembered_and_the_worst_of_them() {
        let (memory, limits) = (Memory::new(3_000), limits(&[("a", 2, 86_400)]));
        memory.take(u64::MAX, &limits, cost(2), Duration::ZERO);
        for holder in 0..100_000_u64 {
            memory.take(holder, &limits, Cost::ONE, Duration::from_nanos(holder));
            assert!(memory.len() <= 3_000);
        }
        assert!(!memory.take(u64::MAX, &limits, Cost::ONE, seconds(1)).is_taken);
    }

    #[test]
    fn one_who_recovers_now_and_then_does_not_make_everybody_be_looked_through_each_time() {
        let memory = Memory::new(2_000);
        let (long, short) = (limits(&[("a", 2, 86_400)]), limits(&[("a", 2, 1)]));
        for holder in 0..1_999_u64 {
            memory.take(holder, &long, Cost::ONE, Duration::from_nanos(holder));
        }
        let mut looks = 0;
        for holder in 1_999..4_000_u64 {
            let before = memory.len();
            memory.take(holder, &short, Cost::ONE, seconds(holder));
            // A new holder is one more, unless room was made for it.
            looks += usize::from(memory.len() <= before);
        }
        assert!((1..=3).contains(&looks), "{looks}");
    }
}

//! A number that many threads count at once, each in a lane of its own.

use std::cell::Cell;
use std::sync::atomic::AtomicUsize as Numbers;

use crate::sync::{AtomicU64, LANES, Ordering};

#[derive(Debug)]
pub(crate) struct Lanes(Box<[Lane]>);

/// A count on a cache line of its own: its neighbours are other threads'.
#[derive(Debug)]
#[repr(align(128))]
struct Lane(AtomicU64);

impl Default for Lanes {
    fn default() -> Self {
        Self((0..LANES).map(|_| Lane(AtomicU64::new(0))).collect())
    }
}

impl Lanes {
    /// The count of this thread.
    #[expect(clippy::indexing_slicing, reason = "there are LANES of them")]
    pub(crate) fn own(&self) -> &AtomicU64 {
        &self.0[LANE.get() % LANES].0
    }

    /// All counts together.
    pub(crate) fn sum(&self) -> u64 {
        let counts = self.0.iter().map(|Lane(count)| count.load(Ordering::SeqCst));
        counts.fold(0, u64::wrapping_add)
    }
}

thread_local! {
    /// Which lane is the thread's.
    static LANE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
}

static NEXT: Numbers = Numbers::new(0);

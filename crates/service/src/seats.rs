//! A place for each thread to count at, so that threads which count the same do not wait for each
//! other.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What has cache lines of its own: its neighbours are other threads'.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// The place of this thread, below [`SEATS`].
pub(crate) fn seat() -> usize {
    SEAT.get()
}

thread_local! {
    static SEAT: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % SEATS);
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Enough that threads on different cores rarely share one.
pub(crate) const SEATS: usize = 32;

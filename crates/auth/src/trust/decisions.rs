//! Decisions under way, counted so that it can be told when all of those that had begun at a moment
//! have ended.
//!
//! There are two sides. Decisions begin on the present one; to settle is to change sides and to
//! wait until the other one is empty.

use crate::lanes::Lanes;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// Its lowest bit is the side on which decisions begin.
    turn: AtomicUsize,
    sides: [Lanes; 2],
}

/// A decision under way; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "the decision ends when this is dropped"]
pub struct Deciding<'t> {
    /// The count that it is in. It ends there, whichever thread it ends on.
    count: &'t AtomicU64,
    trusting: bool,
}

/// Waits for the decisions that had begun when it was made.
#[derive(Debug)]
pub struct Settling<'t>(&'t Lanes);

impl Decisions {
    pub(super) fn begin(&self) -> Deciding<'_> {
        loop {
            let turn = self.turn.load(Ordering::SeqCst);
            let count = self.side(turn).own();
            count.fetch_add(1, Ordering::SeqCst);
            let deciding = Deciding { count, trusting: false };
            // Whoever changed sides in between may not have seen this one.
            if self.turn.load(Ordering::SeqCst) == turn {
                return deciding;
            }
        }
    }

    pub(super) fn settle(&self) -> Settling<'_> {
        Settling(self.side(self.turn.fetch_add(1, Ordering::SeqCst)))
    }

    fn side(&self, turn: usize) -> &Lanes {
        let [even, odd] = &self.sides;
        if turn.is_multiple_of(2) { even } else { odd }
    }
}

impl Deciding<'_> {
    /// Whether the lease lasted when the decision began.
    #[must_use]
    pub fn is_trusting(&self) -> bool {
        self.trusting
    }

    /// A decision that believes nothing that is remembered, whatever lease there is: it reads for
    /// itself.
    pub fn disbelieving(self) -> Self {
        self.trusting(false)
    }

    pub(super) fn trusting(mut self, trusting: bool) -> Self {
        self.trusting = trusting;
        self
    }
}

impl Drop for Deciding<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Settling<'_> {
    /// Whether all of them have ended. The next one may be made only then.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.0.sum() == 0
    }
}

//! The line in which changes wait for their turn.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Waiting;

/// The changes that wait. Somebody serves the line as long as there are any.
#[derive(Default)]
pub(crate) struct Queue(Mutex<Line>);

#[derive(Default)]
struct Line {
    waiting: VecDeque<(Place, Box<dyn Waiting>)>,
    /// The place of whoever comes next.
    end: Place,
    is_served: bool,
}

/// A place in the line, never given twice.
type Place = u64;

impl Queue {
    /// Puts a change at the end of the line, and says whether somebody serves it: if not, whoever
    /// put it there must.
    pub(super) fn push(&self, change: Box<dyn Waiting>) -> (Place, bool) {
        let mut line = self.line();
        let place = line.end;
        line.end += 1;
        line.waiting.push_back((place, change));
        (place, std::mem::replace(&mut line.is_served, true))
    }

    /// How many wait.
    pub(super) fn length(&self) -> usize {
        self.line().waiting.len()
    }

    /// Whose turn it is.
    pub(super) fn next(&self) -> Option<Box<dyn Waiting>> {
        self.line().waiting.pop_front().map(|(_, change)| change)
    }

    /// Whose turn it is; if nobody's, the line is served no more.
    pub(super) fn next_or_leave(&self) -> Option<Box<dyn Waiting>> {
        let mut line = self.line();
        let next = line.waiting.pop_front();
        line.is_served = next.is_some();
        next.map(|(_, change)| change)
    }

    /// Takes a change out of the line, and says whether it was still there.
    pub(super) fn withdraw(&self, place: Place) -> bool {
        let mut line = self.line();
        let before = line.waiting.len();
        line.waiting.retain(|(waiting, _)| *waiting != place);
        line.waiting.len() < before
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

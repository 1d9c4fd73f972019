//! Floors: for each thing the place in the feed of the last change that touched it.
//!
//! Things share seats in a table of fixed size. Who shares a seat with a thing that was touched is
//! read once more; nobody is believed for too long.

use keystile_domain::{Effect, Seq, Subject, Touches};

use crate::sync::{AtomicI64, Ordering, SEATS};

#[derive(Debug)]
pub(crate) struct Floors {
    seats: Box<[AtomicI64]>,
    /// The last change of which nobody knows what it touches.
    everything: AtomicI64,
    /// The last change that made a secret.
    secrets: AtomicI64,
}

/// The place of a thing in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat(u16);

impl Seat {
    pub(crate) fn of(subject: Subject) -> Self {
        let [low, high, ..] = subject.hash().to_le_bytes();
        Self(u16::from_le_bytes([low, high]) % SEATS)
    }
}

impl Default for Floors {
    fn default() -> Self {
        let floor = || AtomicI64::new(NO_CHANGE);
        Self { seats: (0..SEATS).map(|_| floor()).collect(), everything: floor(), secrets: floor() }
    }
}

impl Floors {
    pub(super) fn raise(&self, effect: Effect) {
        let raise = |floor: &AtomicI64| floor.fetch_max(effect.seq.0, Ordering::Release);
        match effect.touches {
            Touches::Everything => {
                raise(&self.everything);
                raise(&self.secrets);
            }
            Touches::One(subject) => {
                self.at(Seat::of(subject)).map(raise);
            }
            Touches::Secrets(subject) => {
                self.at(Seat::of(subject)).map(raise);
                raise(&self.secrets);
            }
        }
    }

    pub(super) fn highest(&self, seats: &[Seat]) -> Seq {
        let floors = seats.iter().filter_map(|seat| self.at(*seat));
        let floors = floors.chain([&self.everything]);
        Seq(floors.map(|floor| floor.load(Ordering::Acquire)).max().unwrap_or(i64::MAX))
    }

    pub(super) fn of_secrets(&self) -> Seq {
        Seq(self.secrets.load(Ordering::Acquire))
    }

    /// Forgets every change.
    pub(super) fn lower(&self) {
        for floor in self.seats.iter().chain([&self.everything, &self.secrets]) {
            floor.store(NO_CHANGE, Ordering::Release);
        }
    }

    fn at(&self, Seat(seat): Seat) -> Option<&AtomicI64> {
        self.seats.get(usize::from(seat))
    }
}

/// The first change has the place 1.
const NO_CHANGE: i64 = 0;

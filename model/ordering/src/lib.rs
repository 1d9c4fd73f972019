//! The order of things inside one process: the very files of `keystile-auth` that say whether a
//! verifier may believe what it remembers, on atomics of which loom tries every order that the
//! memory model allows.
//!
//! Shuttle would try the orders of threads only, as if every access were sequentially consistent.
//! The point here is that they are not.

mod sync;

#[path = "../../../crates/auth/src"]
#[expect(dead_code, reason = "the order of only a part of it matters")]
mod auth {
    pub(crate) mod lanes;
    pub(crate) mod trust;
}

use keystile_domain::{Effect, Seq, Subject, Touches};

pub use self::auth::trust::{Deciding, Learnt, Settlement, Settling, Trust};
use self::auth::{lanes, trust::Seat};
pub use self::sync::forget_orders;

/// A change of the one thing that there is.
#[must_use]
pub fn change(seq: i64) -> Effect {
    Effect { seq: Seq(seq), touches: Touches::One(Subject::named(THING)) }
}

/// Whether what was learnt there of the one thing that there is may be believed.
#[must_use]
pub fn is_good(trust: &Trust, learnt: Learnt) -> bool {
    trust.is_good(learnt, &[Seat::of(Subject::named(THING))])
}

const THING: &str = "key";

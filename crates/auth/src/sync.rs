//! The atomics that the order of things in memory hangs on, and how many of them there are: apart,
//! so that a checker of such orders can put its own in their place.

pub(crate) use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

/// How many floors there are: half a megabyte, of which a small installation touches little.
pub(crate) const SEATS: u16 = u16::MAX;

/// How many threads count their decisions without getting in each other's way.
pub(crate) const LANES: usize = 32;

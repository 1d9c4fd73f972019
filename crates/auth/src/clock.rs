//! The time, as something handed in: a check at a given moment must be repeatable.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use keystile_domain::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// How long it is since some moment of its own. Whoever sets the time does not change it, so
    /// it never runs backwards, and it goes on while the machine sleeps: a lease ends then too.
    fn elapsed(&self) -> Duration;
}

/// The clock of the machine. Set before 1970, it counts as 1970.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is one machine")]
pub struct SystemClock;

/// A clock that stands still until it is moved: for tests, ours and those of embedders.
///
/// Share it as `Arc<FixedClock>` to move it while a verifier reads it.
#[derive(Debug)]
pub struct FixedClock {
    millis: AtomicI64,
}

impl FixedClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { millis: AtomicI64::new(now.as_millis()) }
    }

    /// Moves it to `now`, which may be earlier.
    pub fn set(&self, now: Timestamp) {
        self.millis.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Moves it on; parts of a millisecond are dropped.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().after(duration));
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "every other module asks a clock")]
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(0).after(since)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn elapsed(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        // The clock counts from the start of the machine, and so from before nothing.
        clock_gettime(ClockId::Boottime).try_into().unwrap_or_default()
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn elapsed(&self) -> Duration {
        static START: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        START.elapsed()
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        let millis = u64::try_from(self.now().as_millis()).unwrap_or_default();
        Duration::from_millis(millis)
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        self.as_ref().now()
    }

    fn elapsed(&self) -> Duration {
        self.as_ref().elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_still_until_it_is_moved() {
        let clock = Arc::new(FixedClock::new(Timestamp::from_millis(5_000)));
        let shared: Arc<dyn Clock> = clock.clone();
        assert_eq!(shared.now(), Timestamp::from_millis(5_000));

        clock.advance(Duration::from_secs(1));
        assert_eq!(shared.now(), Timestamp::from_millis(6_000));

        clock.set(Timestamp::from_millis(1));
        assert_eq!(shared.now(), Timestamp::from_millis(1));
    }

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        let written: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(SystemClock.now() > written);
    }
}

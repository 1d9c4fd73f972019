//! What is remembered of an issuer's keys, and for how long it is good: pure, so that every hour
//! of it can be tested.

use std::sync::Arc;
use std::time::Duration;

use keystile_auth::jwt::KeySet;
use keystile_domain::Timestamp;

use crate::FetchError;

/// The last good set of keys, and the last attempt to get a newer one.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    good: Option<Good>,
    attempt: Option<Attempt>,
}

#[derive(Clone)]
struct Good {
    keys: Arc<KeySet>,
    fetched_at: Timestamp,
    fresh_for: Duration,
}

#[derive(Clone)]
struct Attempt {
    at: Timestamp,
    failure: Option<Arc<FetchError>>,
}

impl Memory {
    /// The keys, if they are too young to be asked for again and include the one that is looked for.
    pub(crate) fn fresh(&self, key_id: Option<&str>, now: Timestamp) -> Option<Arc<KeySet>> {
        let good = self.good.as_ref()?;
        (good.is_younger(good.fresh_for, now) && good.knows(key_id)).then(|| good.keys.clone())
    }

    /// The keys, fresh or not, as long as they can be believed at all.
    pub(crate) fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let good = self.good.as_ref()?;
        good.is_younger(MAX_STALE, now).then(|| good.keys.clone())
    }

    /// Whether the last attempt is so recent that there must be no other.
    pub(crate) fn is_cooling_down(&self, cool_down: Duration, now: Timestamp) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| is_within(cool_down, attempt.at, now))
    }

    /// Why the last attempt failed, if it did.
    pub(crate) fn failure(&self) -> Option<Arc<FetchError>> {
        self.attempt.as_ref()?.failure.clone()
    }

    /// Remembers a set in place of the one before, so that a key that is gone is gone.
    pub(crate) fn succeed(&mut self, keys: KeySet, max_age: Option<Duration>, now: Timestamp) {
        let fresh_for = max_age.unwrap_or(MIN_FRESH).clamp(MIN_FRESH, MAX_STALE);
        self.good = Some(Good { keys: Arc::new(keys), fetched_at: now, fresh_for });
        self.attempt = Some(Attempt { at: now, failure: None });
    }

    /// Remembers that an attempt was in vain, and keeps the keys.
    pub(crate) fn fail(&mut self, failure: FetchError, now: Timestamp) {
        self.attempt = Some(Attempt { at: now, failure: Some(Arc::new(failure)) });
    }
}

impl Good {
    fn is_younger(&self, age: Duration, now: Timestamp) -> bool {
        is_within(age, self.fetched_at, now)
    }

    fn knows(&self, key_id: Option<&str>) -> bool {
        key_id.is_none_or(|id| self.keys.contains(id))
    }
}

/// Whether two times are nearer than `distance`, whichever comes first: callers that ask at once
/// read the clock in any order, and a clock that was set back must not make a memory immortal.
fn is_within(distance: Duration, one: Timestamp, other: Timestamp) -> bool {
    one < other.after(distance) && other < one.after(distance)
}

/// Keys are asked for again no sooner, whatever the issuer says, unless one is missing.
const MIN_FRESH: Duration = Duration::from_secs(5 * 60);

/// The longest that keys are believed without the issuer's word.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000 * seconds)
    }

    fn remembering(max_age: Option<u64>) -> Memory {
        let mut memory = Memory::default();
        let json = br#"{"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let keys = KeySet::parse(json).unwrap();
        memory.succeed(keys, max_age.map(Duration::from_secs), at(0));
        memory
    }

    #[test]
    fn keys_are_fresh_as_long_as_the_issuer_says_within_five_minutes_and_a_day() {
        const DAY: i64 = 86_400;
        for (max_age, seconds) in [
            (None, 300),
            (Some(0), 300),
            (Some(299), 300),
            (Some(3_600), 3_600),
            (Some(86_400), DAY),
            (Some(1_000_000), DAY),
            (Some(u64::MAX), DAY),
        ] {
            let memory = remembering(max_age);
            assert!(memory.fresh(None, at(seconds - 1)).is_some(), "{max_age:?}");
            assert!(memory.fresh(None, at(seconds)).is_none(), "{max_age:?}");
            assert!(memory.usable(at(DAY - 1)).is_some(), "{max_age:?}");
            assert!(memory.usable(at(DAY)).is_none(), "{max_age:?}");
        }
    }

    #[test]
    fn keys_without_the_one_looked_for_are_not_fresh() {
        let memory = remembering(None);
        assert!(memory.fresh(Some("a"), at(1)).is_some());
        assert!(memory.fresh(Some("b"), at(1)).is_none());
        assert!(memory.usable(at(1)).is_some());
    }

    #[test]
    fn a_clock_that_is_set_back_ends_freshness_and_cool_down() {
        let memory = remembering(None);
        let cool_down = Duration::from_secs(30);
        assert!(memory.fresh(None, at(-299)).is_some());
        assert!(memory.fresh(None, at(-300)).is_none());
        assert!(memory.is_cooling_down(cool_down, at(29)));
        assert!(memory.is_cooling_down(cool_down, at(-29)));
        assert!(!memory.is_cooling_down(cool_down, at(30)));
        assert!(!memory.is_cooling_down(cool_down, at(-30)));
    }

    #[test]
    fn a_failure_keeps_the_keys_and_is_remembered_until_a_success() {
        let mut memory = remembering(None);
        memory.fail(FetchError::TimedOut, at(400));
        assert!(memory.usable(at(401)).is_some());
        assert!(memory.is_cooling_down(Duration::from_secs(30), at(429)));
        assert!(matches!(memory.failure().as_deref(), Some(FetchError::TimedOut)));

        memory.succeed(KeySet::default(), None, at(430));
        assert!(memory.failure().is_none());
        assert!(memory.usable(at(431)).unwrap().is_empty());
    }
}

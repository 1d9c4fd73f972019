//! When a credential ends, and what a provider says about how long one may live.

use std::time::Duration;

use crate::Timestamp;

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "time ends things or it does not")]
pub enum Expiry {
    /// At this moment: the moment itself is already too late.
    At(Timestamp),
    /// It does not end. Sorts after every moment.
    Never,
}

/// What a provider allows for new credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a default and a maximum")]
pub struct Lifetime {
    /// How long a credential lives whose creator names no end; `None`: for ever.
    pub default: Option<Duration>,
    /// How long one may live at most; `None`: for ever.
    pub max: Option<Duration>,
}

/// Why an expiry is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpiryError {
    /// The credential that asks ends before the one that it would make.
    #[error("must not be later than the end of the credential that asks")]
    OutlivesCreator,
    /// The moment has passed.
    #[error("must be in the future")]
    Past,
    /// The provider's `max_expiry_minutes` ends it earlier.
    #[error("must not be later than the provider allows")]
    TooLate,
}

impl Expiry {
    /// Whether it has ended at `now`.
    #[must_use]
    pub fn is_over(self, now: Timestamp) -> bool {
        match self {
            Self::At(at) => now >= at,
            Self::Never => false,
        }
    }

    /// The moment, where there is one.
    #[must_use]
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Never => None,
        }
    }
}

impl From<Option<Timestamp>> for Expiry {
    fn from(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Never, Self::At)
    }
}

impl Lifetime {
    /// The end of a credential made at `now` by one that itself ends at `creator`.
    ///
    /// `asked` is `None` when the request names no end: then the provider's default counts, cut
    /// where the provider's maximum or the creator's own end comes first. An end that *was* asked
    /// for is never cut: it is refused.
    ///
    /// # Errors
    ///
    /// [`ExpiryError`] names the rule that `asked` breaks.
    pub fn settle(
        &self,
        asked: Option<Expiry>,
        creator: Expiry,
        now: Timestamp,
    ) -> Result<Expiry, ExpiryError> {
        let latest = self.max.map_or(Expiry::Never, |max| Expiry::At(now.after(max)));
        match asked {
            None => {
                let default =
                    self.default.map_or(Expiry::Never, |span| Expiry::At(now.after(span)));
                Ok(default.min(latest).min(creator))
            }
            Some(end) if end.is_over(now) => Err(ExpiryError::Past),
            Some(end) if end > latest => Err(ExpiryError::TooLate),
            Some(end) if end > creator => Err(ExpiryError::OutlivesCreator),
            Some(end) => Ok(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn at(offset: i64) -> Expiry {
        Expiry::At(Timestamp::from_millis(NOW + offset))
    }

    fn settle(
        life: Lifetime,
        asked: Option<Expiry>,
        creator: Expiry,
    ) -> Result<Expiry, ExpiryError> {
        life.settle(asked, creator, Timestamp::from_millis(NOW))
    }

    #[test]
    fn the_last_moment_is_already_too_late() {
        let now = Timestamp::from_millis(NOW);
        assert!(!at(1).is_over(now));
        assert!(at(0).is_over(now));
        assert!(!Expiry::Never.is_over(now));
    }

    #[test]
    fn without_limits_a_credential_lives_for_ever_unless_asked() {
        let life = Lifetime::default();
        assert_eq!(settle(life, None, Expiry::Never), Ok(Expiry::Never));
        assert_eq!(settle(life, Some(at(5)), Expiry::Never), Ok(at(5)));
        assert_eq!(settle(life, Some(at(0)), Expiry::Never), Err(ExpiryError::Past));
    }

    #[test]
    fn an_end_beyond_the_maximum_is_refused_and_a_default_beyond_it_is_cut() {
        let life = Lifetime {
            default: Some(Duration::from_millis(20)),
            max: Some(Duration::from_millis(10)),
        };
        assert_eq!(settle(life, None, Expiry::Never), Ok(at(10)));
        assert_eq!(settle(life, Some(at(11)), Expiry::Never), Err(ExpiryError::TooLate));
        assert_eq!(settle(life, Some(Expiry::Never), Expiry::Never), Err(ExpiryError::TooLate));
    }

    #[test]
    fn a_child_never_outlives_its_creator() {
        let life = Lifetime::default();
        assert_eq!(settle(life, None, at(7)), Ok(at(7)));
        assert_eq!(settle(life, Some(at(8)), at(7)), Err(ExpiryError::OutlivesCreator));
        assert_eq!(settle(life, Some(Expiry::Never), at(7)), Err(ExpiryError::OutlivesCreator));
    }

    proptest! {
        #[test]
        fn whatever_is_settled_keeps_every_limit(
            asked in proptest::option::of(proptest::option::of(-50i64..50)),
            creator in proptest::option::of(1i64..50),
            default in proptest::option::of(1u64..50),
            max in proptest::option::of(1u64..50),
        ) {
            let life = Lifetime {
                default: default.map(Duration::from_millis),
                max: max.map(Duration::from_millis),
            };
            let creator = creator.map_or(Expiry::Never, at);
            let asked = asked.map(|end| end.map_or(Expiry::Never, at));
            if let Ok(end) = settle(life, asked, creator) {
                prop_assert!(!end.is_over(Timestamp::from_millis(NOW)));
                prop_assert!(end <= creator);
                if let Some(max) = max {
                    prop_assert!(end <= at(i64::try_from(max).unwrap()));
                }
                if let Some(asked) = asked {
                    prop_assert_eq!(end, asked);
                }
            }
        }
    }
}

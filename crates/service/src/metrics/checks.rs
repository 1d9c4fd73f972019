//! Checks of credentials, counted by the way in which they were asked for and by how they ended.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::seats::{Apart, SEATS, seat};

/// How somebody asked for a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// A gateway, about a request that it has stopped.
    ForwardAuth,
    /// Whoever holds the credential, by a request to Keystile itself.
    Request,
    /// Somebody who serves its holder.
    Verify,
}

/// How many checks of one way ended alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckCount {
    /// The way.
    pub way: Way,
    /// The `code` of `/verify`, or `unavailable` where nobody could say.
    pub outcome: &'static str,
    /// How many.
    pub checks: u64,
}

/// The counts. Each thread has its own, so that counting takes a few nanoseconds on any number of
/// cores.
#[derive(Default)]
pub(crate) struct Checks(Box<[Apart<Counts>; SEATS]>);

#[derive(Default)]
struct Counts([[AtomicU64; OUTCOMES.len()]; Way::ALL.len()]);

impl Way {
    const ALL: [Self; 3] = [Self::ForwardAuth, Self::Request, Self::Verify];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ForwardAuth => "forward_auth",
            Self::Request => "request",
            Self::Verify => "verify",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::ForwardAuth => 0,
            Self::Request => 1,
            Self::Verify => 2,
        }
    }
}

impl Checks {
    /// Counts a check that ended with this word.
    pub(crate) fn count(&self, way: Way, outcome: &str) {
        let place = OUTCOMES.iter().position(|known| *known == outcome);
        let counts = self.0.get(seat()).and_then(|Apart(Counts(counts))| counts.get(way.place()));
        let count = counts.zip(place).and_then(|(counts, place)| counts.get(place));
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every count, zeros too: a series that is there from the beginning has no first jump that
    /// nobody sees.
    pub(crate) fn counts(&self) -> Vec<CheckCount> {
        let ways = Way::ALL.into_iter();
        let all = ways.flat_map(|way| {
            let outcomes = OUTCOMES.iter().enumerate();
            outcomes.map(move |(place, outcome)| CheckCount {
                way,
                outcome,
                checks: self.sum(way, place),
            })
        });
        all.collect()
    }

    fn sum(&self, way: Way, place: usize) -> u64 {
        let counts = self.0.iter().filter_map(|Apart(Counts(counts))| {
            Some(counts.get(way.place())?.get(place)?.load(Ordering::Relaxed))
        });
        counts.sum()
    }
}

/// Nobody could say: an outage.
pub(crate) const UNAVAILABLE: &str = "unavailable";

/// How a check can end, the most frequent first.
const OUTCOMES: [&str; 16] = [
    "valid",
    "not_found",
    "malformed",
    "expired",
    "deleted",
    "disabled",
    "rate_limited",
    "quota_exceeded",
    "insufficient_permissions",
    "endpoint_not_allowed",
    "insecure_transport",
    "ip_not_allowed",
    "owner_disabled",
    "provider_disabled",
    "source_not_allowed",
    UNAVAILABLE,
];

#[cfg(test)]
mod tests {
    use keystile_domain::Rule;

    use super::*;
    use crate::limits::LimitKind;
    use crate::verify::refusal;

    fn counted(checks: &Checks, way: Way, outcome: &str) -> u64 {
        let counts = checks.counts();
        counts.iter().find(|it| it.way == way && it.outcome == outcome).unwrap().checks
    }

    #[test]
    fn checks_of_all_threads_are_counted_by_way_and_outcome() {
        let checks = Checks::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| checks.count(Way::Verify, "valid")));
            }
            scope.spawn(|| checks.count(Way::Request, "expired"));
        });
        assert_eq!(counted(&checks, Way::Verify, "valid"), 400);
        assert_eq!(counted(&checks, Way::Request, "expired"), 1);
        assert_eq!(counted(&checks, Way::ForwardAuth, "valid"), 0);
    }

    #[test]
    fn the_no_of_every_rule_and_of_every_limit_is_counted() {
        let limits = [LimitKind::Quota, LimitKind::Rate].map(LimitKind::code);
        for word in Rule::ALL.iter().map(|rule| refusal(*rule)).chain(limits) {
            let checks = Checks::default();
            checks.count(Way::Verify, word);
            assert_eq!(counted(&checks, Way::Verify, word), 1, "{word}");
        }
    }
}

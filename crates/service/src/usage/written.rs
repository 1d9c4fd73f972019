//! What a node has written of exercises today: a key needs the same few rights all day, and to write
//! them with every flush would cost more than all that is counted.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use keystile_domain::Timestamp;
use keystile_storage::Exercised;
use uuid::Uuid;

use super::Step;
use super::recorder::Tally;

/// The exercises that were written since a day began.
#[derive(Debug, Default)]
pub(super) struct Written {
    day: Option<Timestamp>,
    /// The hash of each: of a million keys not even the texts fit. If two had the same, one would be
    /// written a day late.
    known: HashSet<u64>,
    hashes: RandomState,
}

impl Written {
    /// Those of the tallies that were not written yet.
    pub(super) fn missing(&mut self, tallies: &[(Uuid, Tally)], now: Timestamp) -> Vec<Exercised> {
        let today = Some(Step::Day.start(now));
        if self.day != today || self.known.len() >= MOST {
            *self = Self { day: today, ..Self::default() };
        }
        let mut missing = Vec::new();
        for (credential, tally) in tallies {
            for (exercise, at) in &tally.exercises {
                if !self.known.contains(&self.hash(*credential, exercise)) {
                    let (credential, exercise) = (*credential, exercise.to_string());
                    missing.push(Exercised { credential, exercise, at: *at });
                }
            }
        }
        missing
    }

    /// Notes that they were written.
    pub(super) fn add(&mut self, exercised: Vec<Exercised>) {
        for Exercised { credential, exercise, at } in exercised {
            // What was needed before midnight says nothing of today.
            if self.day == Some(Step::Day.start(at)) {
                let hash = self.hash(credential, &exercise);
                self.known.insert(hash);
            }
        }
    }

    fn hash(&self, credential: Uuid, exercise: &str) -> u64 {
        self.hashes.hash_one((credential, exercise))
    }
}

/// So many are remembered before all are forgotten, and written once more: some 20 MiB.
const MOST: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use keystile_domain::Exercise;

    use super::*;

    fn tallies(exercises: &[&str]) -> Vec<(Uuid, Tally)> {
        let mut tally = Tally::default();
        for exercise in exercises {
            tally.note(Exercise::read(exercise), Timestamp::from_millis(1));
        }
        vec![(Uuid::nil(), tally)]
    }

    fn missing(written: &mut Written, exercises: &[&str], now: i64) -> Vec<String> {
        let now = Timestamp::from_millis(now);
        let missing = written.missing(&tallies(exercises), now);
        missing.into_iter().map(|it| it.exercise).collect()
    }

    #[test]
    fn what_was_written_is_not_written_again_on_the_same_day() {
        let mut written = Written::default();
        let first = written.missing(&tallies(&["a"]), Timestamp::from_millis(0));
        assert_eq!(missing(&mut written, &["a"], 0), ["a"], "it is not written yet");
        written.add(first);
        assert_eq!(missing(&mut written, &["a", "b"], DAY - 1), ["b"]);
        let again = written.missing(&tallies(&["a"]), Timestamp::from_millis(DAY));
        written.add(again);
        assert_eq!(missing(&mut written, &["a", "b"], DAY), ["a", "b"], "it was needed yesterday");
    }

    const DAY: i64 = 24 * 60 * 60 * 1_000;
}

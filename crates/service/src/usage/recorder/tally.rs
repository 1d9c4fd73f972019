//! What is known of one credential until it is written: apart from the recorder, which knows where
//! to find it and never looks inside.

use std::net::IpAddr;

use keystile_domain::{Exercise, Timestamp};
use smallvec::SmallVec;

use super::Check;
use crate::usage::{Step, UserAgent};

/// What is known of one credential. Most have one outcome and need one thing, all the time: these are
/// kept in place.
#[derive(Clone, Debug, Default)]
pub(in crate::usage) struct Tally {
    pub(in crate::usage) counts: SmallVec<[Count; 1]>,
    pub(in crate::usage) last: Option<Use>,
    /// What it needed, each as the text of an [`Exercise`], and when last.
    pub(in crate::usage) exercises: SmallVec<[(Box<str>, Timestamp); 1]>,
    /// Who showed its old secret.
    pub(in crate::usage) old_secret_uses: Vec<OldSecretUse>,
}

/// How many checks of one hour went the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::usage) struct Count {
    pub(in crate::usage) hour: Timestamp,
    pub(in crate::usage) outcome: &'static str,
    pub(in crate::usage) checks: i64,
}

/// When a credential was let in, and whom.
#[derive(Clone, Debug)]
pub(in crate::usage) struct Use {
    pub(in crate::usage) at: Timestamp,
    pub(in crate::usage) address: Option<IpAddr>,
    pub(in crate::usage) user_agent: Option<UserAgent>,
}

/// How often one client showed an old secret.
#[derive(Clone, Debug)]
pub(in crate::usage) struct OldSecretUse {
    pub(in crate::usage) address: Option<IpAddr>,
    pub(in crate::usage) user_agent: Option<UserAgent>,
    pub(in crate::usage) checks: i64,
    pub(in crate::usage) last_at: Timestamp,
}

impl Tally {
    /// Counts a check, if there is room or it needs none; says whether it was counted.
    pub(super) fn count(&mut self, check: &Check<'_>, has_room: bool) -> bool {
        let hour = Step::Hour.start(check.at);
        match self.find_count(hour, check.outcome) {
            Some(count) => count.checks = count.checks.saturating_add(1),
            None if !has_room => return false,
            None => self.counts.push(Count { hour, outcome: check.outcome, checks: 1 }),
        }
        if check.is_use {
            self.remember(check);
        }
        if check.by_old_secret && has_room {
            self.count_old_secret(check.address, check.user_agent, 1, check.at);
        }
        true
    }

    /// Notes what was needed. Of what has no place it is noted that there was more.
    pub(in crate::usage) fn note(&mut self, exercise: Exercise<'_>, at: Timestamp) {
        let has_room = self.exercises.len() < EXERCISES || exercise == Exercise::Untold;
        match self.exercises.iter_mut().find(|(known, _)| exercise.reads(known)) {
            Some((_, last)) => *last = (*last).max(at),
            None if has_room => {
                self.exercises.push((exercise.to_string().into_boxed_str(), at));
            }
            None => self.note(Exercise::Untold, at),
        }
    }

    /// Adds another tally of the same credential.
    pub(super) fn add(&mut self, other: Self) {
        for count in other.counts {
            match self.find_count(count.hour, count.outcome) {
                Some(known) => known.checks = known.checks.saturating_add(count.checks),
                None => self.counts.push(count),
            }
        }
        let at = |last: &Option<Use>| last.as_ref().map(|last| last.at);
        if at(&self.last) < at(&other.last) {
            self.last = other.last;
        }
        for (text, at) in other.exercises {
            self.note(Exercise::read(&text), at);
        }
        for used in other.old_secret_uses {
            let user_agent = used.user_agent.as_ref();
            self.count_old_secret(used.address, user_agent, used.checks, used.last_at);
        }
    }

    /// How much it takes in memory, in counts.
    pub(super) fn size(&self) -> usize {
        self.counts.len() + self.exercises.len() + self.old_secret_uses.len()
    }

    fn find_count(&mut self, hour: Timestamp, outcome: &str) -> Option<&mut Count> {
        // Newest last: the hour of the moment is at the end, among a handful of outcomes.
        self.counts.iter_mut().rev().find(|it| it.hour == hour && it.outcome == outcome)
    }

    fn remember(&mut self, check: &Check<'_>) {
        let (at, address, user_agent) = (check.at, check.address, check.user_agent);
        match &mut self.last {
            Some(last) if last.at > at => {}
            // A client that comes again costs no copy of its name.
            Some(last) if last.user_agent.as_ref() == user_agent => {
                (last.at, last.address) = (at, address);
            }
            last => *last = Some(Use { at, address, user_agent: user_agent.cloned() }),
        }
    }

    /// Beyond so many clients, one of which nothing is known stands for the others.
    fn count_old_secret(
        &mut self,
        address: Option<IpAddr>,
        user_agent: Option<&UserAgent>,
        checks: i64,
        at: Timestamp,
    ) {
        let is_full = self.old_secret_uses.len() >= CLIENTS;
        let same =
            |it: &&mut OldSecretUse| it.address == address && it.user_agent.as_ref() == user_agent;
        match self.old_secret_uses.iter_mut().find(same) {
            Some(known) => {
                known.checks = known.checks.saturating_add(checks);
                known.last_at = known.last_at.max(at);
            }
            None if is_full && (address, user_agent) != (None, None) => {
                self.count_old_secret(None, None, checks, at);
            }
            None => {
                let user_agent = user_agent.cloned();
                let new = OldSecretUse { address, user_agent, checks, last_at: at };
                self.old_secret_uses.push(new);
            }
        }
    }
}

/// How many things that one credential needed are told apart between two flushes.
pub(super) const EXERCISES: usize = 64;

/// How many clients with one old secret are told apart between two flushes.
pub(super) const CLIENTS: usize = 32;

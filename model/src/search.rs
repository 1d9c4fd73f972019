//! A search through all worlds that can come to be.

use std::fmt;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model, Path, Property};

use crate::protocol::PROMISE;
use crate::world::Action;
use crate::{Protocol, Rule, Scenario};

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// The steps to a world that breaks the promise.
    pub broken: Option<Vec<Action>>,
    /// What should happen sometimes, and never did.
    pub never: Vec<&'static str>,
    worlds: usize,
    depth: usize,
    took: Duration,
}

impl Found {
    pub fn is_proof(&self) -> bool {
        self.broken.is_none() && self.never.is_empty()
    }
}

/// Searches until the promise is broken or all worlds are seen.
pub fn whole(scenario: Scenario, threads: usize) -> Found {
    search(Protocol { scenario, dropped: None }, threads, usize::MAX)
}

/// The fewest steps that break the promise without the rule.
pub fn without(rule: Rule) -> Option<Vec<Action>> {
    let protocol = Protocol { scenario: rule.scenario(), dropped: Some(rule) };
    let mut fewest = search(protocol.clone(), 1, usize::MAX).broken?;
    // The checker looks at many worlds before it stops, and tells of the last that it came to.
    while let Some(fewer) = search(protocol.clone(), 1, fewest.len()).broken {
        fewest = fewer;
    }
    Some(fewest)
}

/// Searches the worlds that fewer steps than these lead to.
fn search(protocol: Protocol, threads: usize, steps: usize) -> Found {
    let started = Instant::now();
    let checker = protocol.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    // The depth of the first world is 1.
    let checker = checker.target_max_depth(steps.saturating_add(1)).spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    let sometimes = |property: &Property<_>| property.expectation == Expectation::Sometimes;
    let properties = checker.model().properties().into_iter().filter(sometimes);
    Found {
        never: properties
            .map(|one| one.name)
            .filter(|one| !discoveries.contains_key(one))
            .collect(),
        broken: discoveries.remove(PROMISE).map(Path::into_actions),
        worlds: checker.unique_state_count(),
        depth: checker.max_depth(),
        took: started.elapsed(),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken, never, worlds, depth, took } = self;
        write!(f, "{worlds:>10} worlds, depth {depth:>3}, {:>6.1} s", took.as_secs_f64())?;
        if !never.is_empty() {
            write!(f, ", never: {}", never.join(", "))?;
        }
        match broken {
            None => write!(f, ", the promise is kept"),
            Some(steps) => write!(f, ", BROKEN by {steps:?}"),
        }
    }
}

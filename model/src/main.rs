//! A model of how Keystile revokes: every order in which a few processes, a database and the clocks
//! can take their steps, in worlds small enough to look at all of them.
//!
//! The promise: after `?wait=cluster` was answered, no verifier accepts the credential in a
//! decision that began after the answer. [`Protocol`] is what stateright searches for a world that
//! breaks it; [`Scenario`] says which worlds there are; and each [`Rule`] can be left out, to see
//! what it is for.
//!
//! - [`primary`]: the feed, the rows of the nodes, failover and restore; rules 1, 2 and 22.
//! - [`node`]: who registers, looks and applies; rules 4 to 8.
//! - [`verifier`]: who decides; rules 9 to 12.
//! - [`waiter`]: who waits; rules 13 to 15. [`reaper`]: who deletes rows; rule 15.
//! - [`follower`]: who follows a node; rules 16 to 19.
//! - [`world`]: all of them together, and the time.
//!
//! Time goes in ticks. Nothing else takes time, and everything may take any: between two steps of
//! a process the world may tick on.

mod follower;
mod node;
mod primary;
mod protocol;
mod reaper;
mod rule;
mod scenario;
mod search;
#[cfg(test)]
mod tests;
mod verifier;
mod waiter;
mod world;

use std::env;
use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;

use protocol::Protocol;
use rule::Rule;
use scenario::Scenario;
use world::{Promise, World};

/// How long a lease is, in ticks.
const LEASE: u8 = 2;

/// How much longer a waiter waits, in ticks: one more than the clocks of a world drift apart.
const MARGIN: u8 = 1;

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let wanted = env::args().nth(1);
    let kept = match wanted.as_deref() {
        None => keeps(&mut out, &Scenario::SUITE)?,
        Some("deep") => keeps(&mut out, &Scenario::DEEP)?,
        Some("rules") => is_broken_without_any(&mut out)?,
        Some(_) => {
            writeln!(out, "revocation-model [deep | rules]")?;
            false
        }
    };
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Searches each scenario under the whole protocol.
fn keeps(out: &mut impl Write, scenarios: &[Scenario]) -> io::Result<bool> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut kept = true;
    for scenario in scenarios {
        let found = search::whole(scenario.clone(), threads);
        writeln!(out, "{:<28} {found}", scenario.name)?;
        kept &= found.is_proof();
    }
    Ok(kept)
}

/// Leaves out one rule after the other, and tells how the promise is then broken.
fn is_broken_without_any(out: &mut impl Write) -> io::Result<bool> {
    let mut broken = true;
    for rule in Rule::ALL {
        let steps = search::without(rule);
        writeln!(out, "\nRule {}, {}: {}", rule.number(), rule.scenario().name, rule.without())?;
        for step in steps.iter().flatten() {
            writeln!(out, "  {step:?}")?;
        }
        broken &= steps.is_some();
    }
    Ok(broken)
}

//! Checks of credentials, as clients and gateways ask for them, beside the floor.

use anyhow::Result;

use super::keys::Keys;
use super::load::Load;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory};
use crate::step;

/// One kind of request, as a script for wrk.
pub struct Scenario {
    pub name: &'static str,
    /// The script, and the file with the keys that it shows.
    pub script: &'static str,
    pub keys: &'static str,
    /// Whether the server must refuse each of them.
    pub refused: bool,
}

/// Measures every kind.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    let load = Load { seconds: extent.seconds() };
    let scenarios: Vec<_> = SCENARIOS.iter().filter(|scenario| wanted(scenario.name)).collect();
    if !scenarios.is_empty() {
        let directory = directory("checks")?;
        let stored = extent.of(10_000, 100_000, 100_000);
        let (floor, server) = (Target::floor()?, Target::keystile(&directory)?);
        let keys = Keys::prepare(&server, &directory, stored, stored)?;
        // Keys that are drawn at random would take ten rounds until the last of them is in memory.
        Load::show_each(&server, &keys, stored)?;
        for scenario in scenarios {
            load.warm_up(&server, scenario, &keys)?;
            for round in 1..=extent.rounds() {
                step::say(&format!("{}, round {round}", scenario.name));
                let below = load.measure(&floor, scenario, &keys)?;
                let above = load.measure(&server, scenario, &keys)?;
                report.compare(scenario.name, below, above);
            }
        }
    }
    Ok(())
}

pub const SCENARIOS: [Scenario; 6] = [
    Scenario { name: "/me, key in cache", script: "me.lua", keys: "valid", refused: false },
    Scenario {
        name: "/forward-auth, key in cache",
        script: "forward_auth.lua",
        keys: "valid",
        refused: false,
    },
    Scenario { name: "/verify, key in cache", script: "verify.lua", keys: "valid", refused: false },
    Scenario { name: "/me, wrong checksum", script: "me.lua", keys: "mistyped", refused: true },
    Scenario { name: "/me, malformed key", script: "me.lua", keys: "malformed", refused: true },
    Scenario { name: "/me, unknown key", script: "me.lua", keys: "unknown", refused: true },
];

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

/// Measures every kind, and then the same with few and with many stored keys.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    let load = Load { seconds: extent.seconds() };
    let scenarios: Vec<_> = SCENARIOS.iter().filter(|scenario| wanted(scenario.name)).collect();
    if !scenarios.is_empty() {
        let directory = directory("checks")?;
        let stored = extent.of(10_000, 100_000);
        let (floor, server) = (Target::floor()?, Target::keystile(&directory)?);
        let keys = Keys::prepare(&server, &directory, stored, stored)?;
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
    if wanted(STORED) {
        stored(extent, load, report)?;
    }
    Ok(())
}

/// The same keys in use, among few and among many.
fn stored(extent: Extent, load: Load, report: &mut Report) -> Result<()> {
    let many = extent.of(100_000, 10_000_000);
    let mut servers = Vec::new();
    for count in [IN_USE, many] {
        let directory = directory(&format!("stored-{count}"))?;
        step::say(&format!("store {count} keys"));
        let server = Target::keystile(&directory)?;
        let keys = Keys::prepare(&server, &directory, count, IN_USE)?;
        servers.push((server, keys));
    }
    let [(few, keys_of_few), (much, keys_of_many)] = servers.as_slice() else { return Ok(()) };
    let [scenario, ..] = &SCENARIOS;
    load.warm_up(few, scenario, keys_of_few)?;
    load.warm_up(much, scenario, keys_of_many)?;
    for round in 1..=extent.rounds() {
        step::say(&format!("{STORED}, round {round}"));
        let below = load.measure(few, scenario, keys_of_few)?;
        let above = load.measure(much, scenario, keys_of_many)?;
        report.compare(STORED, below, above);
    }
    Ok(())
}

/// Beside the same server with [`IN_USE`] keys, not beside the floor.
const STORED: &str = "/me among 10 M keys, beside 1 k";
/// How many keys are shown, however many are stored.
const IN_USE: usize = 1_000;

const SCENARIOS: [Scenario; 6] = [
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

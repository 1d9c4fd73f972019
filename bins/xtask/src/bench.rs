//! `cargo xtask bench`: the server against the floor, in turns, so that a machine that is slower
//! for a while is slower for both.

mod keys;
mod load;
mod report;
mod target;

use std::fs;

use anyhow::{Context, Result};

use self::{keys::Keys, load::Load, report::Report, target::Target};
use crate::{parts, step};

/// Builds both, fills the server, and measures every scenario.
pub fn run(quick: bool) -> Result<()> {
    let (stored, rounds, load) =
        if quick { (10_000, 1, Load { seconds: 2 }) } else { (100_000, 5, Load { seconds: 5 }) };
    let mut in_process = step::cargo(["bench", "--package", "benches", "--bench", "inproc"]);
    if quick {
        in_process.args(["--", "--sample-count", "10"]);
    }
    step::run("in process", in_process)?;

    parts::need("wrk")?;
    parts::need("curl")?;
    let mut build = step::cargo(["build", "--release", "--package", "keystile"]);
    build.args(["--package", "benches", "--bin", "keystile", "--bin", "floor"]);
    step::run("build", build)?;
    let directory = step::root().join("target/bench");
    if directory.exists() {
        fs::remove_dir_all(&directory).context("what the last run left")?;
    }
    fs::create_dir_all(&directory)?;

    step::say(&format!("store {stored} keys"));
    let floor = Target::floor()?;
    let server = Target::keystile(&directory.join("server"))?;
    let keys = Keys::prepare(&server, &directory, stored)?;
    let mut report = Report::default();
    for scenario in keys.scenarios() {
        for round in 1..=rounds {
            step::say(&format!("{}, round {round} of {rounds}", scenario.name));
            let below = load.measure(&floor, &scenario)?;
            let above = load.measure(&server, &scenario)?;
            report.add(scenario.name, below, above);
        }
    }
    report.print()
}

/// One kind of request, as a script for wrk.
struct Scenario<'a> {
    name: &'static str,
    script: &'static str,
    arguments: Vec<&'a str>,
    /// Whether the server must refuse each of them.
    refused: bool,
}

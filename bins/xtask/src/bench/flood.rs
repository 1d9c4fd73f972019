//! What strangers can do to everybody else: sign in without end, and show keys that nobody has.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;

use super::checks::Scenario;
use super::keys::Keys;
use super::load::Load;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory, figure};
use crate::step;

/// Measures both.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    if wanted(SIGN_INS) {
        sign_ins(extent, report)?;
    }
    if wanted(UNKNOWN) {
        unknown(extent, report)?;
    }
    Ok(())
}

/// Few clients ask for checks; then the same while ten times as many sign in, with a wrong password
/// and as fast as they are answered.
fn sign_ins(extent: Extent, report: &mut Report) -> Result<()> {
    let directory = directory("sign-ins")?;
    let server = Target::keystile_on_all_cores(&directory)?;
    let keys = Keys::prepare(&server, &directory, IN_USE, IN_USE)?;
    let load = Load { seconds: extent.seconds() };
    load.warm_up(&server, &CHECKS, &keys)?;
    for round in 1..=extent.rounds() {
        step::say(&format!("{SIGN_INS}, round {round}"));
        let calm = load.measure_with(&server, &CHECKS, &keys, CLIENTS)?;
        let flood = load.begin(&server, "sign_in.lua", &[], 10 * CLIENTS)?;
        let flooded = load.measure_with(&server, &CHECKS, &keys, CLIENTS);
        let attempts = flood.end()?;
        report.compare(SIGN_INS, calm, flooded?);
        report.note(SIGN_INS, "sign-ins answered per second", attempts.rate);
    }
    report.note(SIGN_INS, "most MB resident", server.peak_mb().unwrap_or(f64::NAN));
    Ok(())
}

/// Millions of well-formed keys that are stored nowhere, each once; then one of them is stored, and
/// must be good at once, whatever is remembered of it.
fn unknown(extent: Extent, report: &mut Report) -> Result<()> {
    let directory = directory("unknown")?;
    let server = Target::keystile(&directory)?;
    let shown_later = keys_of_another(&directory)?;
    server.expect_status(&shown_later, "401")?;
    let before = server.resident_mb();
    let count = extent.of(100_000, 1_000_000, 10_000_000);
    let sample = Load::show_unknown(&server, count)?;
    server.expect_status(&shown_later, "401")?;
    let late = json!({ "name": "shown before it was stored", "key": shown_later });
    server.post("/api/v1/api-keys", &late)?;
    server.expect_status(&shown_later, "200")?;
    report.note(UNKNOWN, "keys", sample.requests);
    report.note(UNKNOWN, "per second", sample.rate);
    report.note(UNKNOWN, "MB resident before", before.unwrap_or(f64::NAN));
    report.note(UNKNOWN, "MB resident after", server.resident_mb().unwrap_or(f64::NAN));
    ensure!(sample.requests >= figure(count), "only {} keys were shown", sample.requests);
    Ok(())
}

/// A key of another server: well-formed, and unknown here.
fn keys_of_another(directory: &Path) -> Result<String> {
    let another = Target::keystile(&directory.join("another"))?;
    Ok(another.admin.clone())
}

const SIGN_INS: &str = "/me during a flood of sign-ins";
const UNKNOWN: &str = "distinct unknown keys";
const CHECKS: Scenario =
    Scenario { name: SIGN_INS, script: "me.lua", keys: "valid", refused: false };
const IN_USE: usize = 1_000;
const CLIENTS: u32 = 8;

//! A server that has many keys: checks of a few of them, pages of their list, and its start.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::checks::SCENARIOS;
use super::filled::Filled;
use super::load::Load;
use super::report::{Report, megabytes};
use super::target::Target;
use super::{Extent, directory, figure};
use crate::step;

/// Measures all of it on one file, which is removed in the end: it is the largest of all.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    if ![CHECKS, LISTS, START].into_iter().any(wanted) {
        return Ok(());
    }
    let others = extent.of(50_000, 1_000_000, 10_000_000);
    let many = Filled::new(directory("stored-many")?, IN_USE, others)?;
    if wanted(CHECKS) {
        checks(&many, extent, report)?;
    }
    if wanted(START) {
        starts(&many, extent, report)?;
    }
    if wanted(LISTS) {
        report.note(LISTS, "keys", figure(others));
        lists(&many.directory, others, extent, report)?;
    }
    fs::remove_dir_all(&many.directory)?;
    Ok(())
}

/// The same number of keys in use, among few and among many. Beside the same server with few keys,
/// not beside the floor.
fn checks(many: &Filled, extent: Extent, report: &mut Report) -> Result<()> {
    let few = Filled::new(directory("stored-few")?, IN_USE, 1)?;
    let load = Load { seconds: extent.seconds() };
    let [scenario, ..] = &SCENARIOS;
    let (below, above) = (Target::keystile(&few.directory)?, Target::keystile(&many.directory)?);
    load.warm_up(&below, scenario, &few.keys)?;
    load.warm_up(&above, scenario, &many.keys)?;
    for round in 1..=extent.rounds() {
        step::say(&format!("{CHECKS}, round {round}"));
        let below = load.measure(&below, scenario, &few.keys)?;
        let above = load.measure(&above, scenario, &many.keys)?;
        report.compare(CHECKS, below, above);
    }
    Ok(())
}

/// From the start of the process to the first right answer, and what it takes then.
fn starts(many: &Filled, extent: Extent, report: &mut Report) -> Result<()> {
    let key = many.keys.first()?;
    for round in 1..=extent.rounds() {
        step::say(&format!("{START}, round {round}"));
        let begun = Instant::now();
        let server = Target::keystile_on_all_cores(&many.directory)?;
        server.expect_status(&key, "200")?;
        let taken = begun.elapsed().as_secs_f64() * 1e3;
        report.note(START, "ms to the first answer, curl's own start with it", taken);
        report.note(START, "MB resident", server.resident_mb().unwrap_or(f64::NAN));
    }
    let binary = fs::metadata(step::root().join("target/release/keystile"))?.len();
    report.note(START, "MB of the binary", megabytes(binary));
    Ok(())
}

/// Pages of the list: by cursor at its beginning and in its middle, by name, and with the total that
/// only numbered pages tell.
fn lists(directory: &Path, stored: usize, extent: Extent, report: &mut Report) -> Result<()> {
    let server = Target::keystile_on_all_cores(directory)?;
    let middle = stored / 2 / PAGE;
    let cursor = |query: &str| -> Result<String> {
        step::say(&format!("{LISTS}: {query}"));
        let page: Value = serde_json::from_slice(&curl(&server, query).output()?.stdout)?;
        let cursor = page.get("next_cursor").and_then(Value::as_str);
        Ok(cursor.with_context(|| format!("no page follows: {page}"))?.to_owned())
    };
    let second = cursor(&format!("limit={PAGE}"))?;
    let deep = cursor(&format!("limit={PAGE}&page={middle}"))?;
    let named = cursor(&format!("limit={PAGE}&name=key-0001*&sort=name"))?;
    let made = cursor(&format!("limit={PAGE}&name=key-0001*"))?;
    for (what, query) in [
        ("ms for the second page, by cursor", format!("limit={PAGE}&cursor={second}")),
        ("ms for a page in the middle, by cursor", format!("limit={PAGE}&cursor={deep}")),
        (
            "ms for a page of key-0001*, sorted by name, by cursor",
            format!("limit={PAGE}&name=key-0001*&sort=name&cursor={named}"),
        ),
        (
            "ms for a page of key-0001*, sorted by time, by cursor",
            format!("limit={PAGE}&name=key-0001*&cursor={made}"),
        ),
        ("ms for the first page, with the total", format!("limit={PAGE}")),
        ("ms for a page in the middle, by number", format!("limit={PAGE}&page={middle}")),
        (
            "ms for the first page of key-0001*, sorted by name, with the total",
            format!("limit={PAGE}&name=key-0001*&sort=name"),
        ),
        ("ms for the first page of *99, with the total", format!("limit={PAGE}&name=*99")),
    ] {
        for _ in 0..extent.rounds() {
            report.note(LISTS, what, milliseconds(&server, &query)?);
        }
    }
    Ok(())
}

/// From the request to the first byte of the answer, without the start of curl.
fn milliseconds(server: &Target, query: &str) -> Result<f64> {
    let mut curl = curl(server, query);
    curl.args(["--output", "/dev/null"]);
    curl.args(["--write-out", "%{http_code} %{time_pretransfer} %{time_starttransfer}"]);
    let output = String::from_utf8(curl.output()?.stdout)?;
    let told: Vec<f64> = output.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    match *told {
        [200.0, sent, answered] => Ok((answered - sent) * 1e3),
        _ => bail!("a page was not answered: {output}"),
    }
}

fn curl(server: &Target, query: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--header", &format!("X-API-Key: {}", server.admin)]);
    curl.arg(format!("{}/api/v1/api-keys?{query}", server.url));
    curl
}

const CHECKS: &str = "/me among many keys, beside 1 k";
const LISTS: &str = "a page of a long list";
const START: &str = "start with many keys";
/// How many keys are shown, however many are stored.
const IN_USE: usize = 1_000;
const PAGE: usize = 20;

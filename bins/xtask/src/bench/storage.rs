//! What the database carries: keys made by the batch and one by one, and pages of a long list.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::load::Load;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory};
use crate::step;

/// Measures all of it on one file, the longest of all that are measured.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    if wanted(CREATED) {
        created(extent, report)?;
    }
    if wanted(BATCHES) || wanted(LISTS) {
        let server = Target::keystile_on_all_cores(&directory("storage")?)?;
        batches(&server, extent.of(20_000, 1_000_000), report)?;
        if wanted(LISTS) {
            lists(&server, extent, report)?;
        }
    }
    Ok(())
}

/// Sixteen clients make one key after the other, each of them on the disk when it is answered.
fn created(extent: Extent, report: &mut Report) -> Result<()> {
    let server = Target::keystile_on_all_cores(&directory("created")?)?;
    let load = Load { seconds: extent.seconds() };
    for round in 1..=extent.rounds() {
        step::say(&format!("{CREATED}, round {round}"));
        let key = [server.admin.clone()];
        let sample = load.begin(&server, "create.lua", &key, CLIENTS)?.end()?;
        report.note(CREATED, "keys per second", sample.rate);
        report.note(CREATED, "ms to the answer, at most for 99 of 100", sample.p99_ms);
    }
    Ok(())
}

/// Makes keys by the ten thousand, one request after the other.
fn batches(server: &Target, count: usize, report: &mut Report) -> Result<()> {
    step::say(&format!("{BATCHES}: {count} keys"));
    let began = Instant::now();
    fill(server, 0, count)?;
    report.note(BATCHES, "keys", f64_of(count));
    report.note(BATCHES, "seconds", began.elapsed().as_secs_f64());
    Ok(())
}

/// Pages of a list that is as long as this program is meant to bear: by cursor at its beginning and
/// in its middle, by name, and with the total that only numbered pages tell.
fn lists(server: &Target, extent: Extent, report: &mut Report) -> Result<()> {
    let (first, stored) = (extent.of(20_000, 1_000_000), extent.of(40_000, 10_000_000));
    step::say(&format!("{LISTS}: {stored} keys"));
    fill(server, first, stored)?;
    let middle = stored / 2 / PAGE;
    let cursor = |query: &str| -> Result<String> {
        let page = get(server, query)?;
        let cursor = page.get("next_cursor").and_then(Value::as_str);
        Ok(cursor.with_context(|| format!("no page follows: {page}"))?.to_owned())
    };
    let second = cursor(&format!("limit={PAGE}"))?;
    let deep = cursor(&format!("limit={PAGE}&page={middle}"))?;
    let named = cursor(&format!("limit={PAGE}&name=key-00001*&sort=name"))?;
    for (what, query) in [
        ("ms for the first page, with the total", format!("limit={PAGE}")),
        ("ms for the second page, by cursor", format!("limit={PAGE}&cursor={second}")),
        ("ms for a page in the middle, by cursor", format!("limit={PAGE}&cursor={deep}")),
        ("ms for a page in the middle, by number", format!("limit={PAGE}&page={middle}")),
        (
            "ms for a page of key-00001*, sorted by name, by cursor",
            format!("limit={PAGE}&name=key-00001*&sort=name&cursor={named}"),
        ),
        (
            "ms for the first page of key-00001*, sorted by name, with the total",
            format!("limit={PAGE}&name=key-00001*&sort=name"),
        ),
        ("ms for the first page of *99, with the total", format!("limit={PAGE}&name=*99")),
    ] {
        for _ in 0..extent.rounds() {
            report.note(LISTS, what, milliseconds(server, &query)?);
        }
    }
    Ok(())
}

/// Makes the keys from one number to another.
fn fill(server: &Target, from: usize, to: usize) -> Result<()> {
    for first in (from..to).step_by(BATCH) {
        let asked = (first..to.min(first + BATCH)).map(|number| json!({ "name": name(number) }));
        let body = json!({ "api_keys": asked.collect::<Vec<_>>() });
        let answer = server.post("/api/v1/api-keys/batch", &body)?;
        let refused = answer.get("refused").and_then(Value::as_u64);
        ensure!(refused == Some(0), "not all of the keys were made");
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("key-{number:08}")
}

fn get(server: &Target, query: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&curl(server, query).output()?.stdout)?)
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
        _ => anyhow::bail!("a page was not answered: {output}"),
    }
}

fn curl(server: &Target, query: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--header", &format!("X-API-Key: {}", server.admin)]);
    curl.arg(format!("{}/api/v1/api-keys?{query}", server.url));
    curl
}

fn f64_of(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

const BATCHES: &str = "keys made by the batch";
const CREATED: &str = "keys made one by one, 16 clients";
const LISTS: &str = "a page of a long list";
/// The most keys in one request.
const BATCH: usize = 10_000;
const CLIENTS: u32 = 16;
const PAGE: usize = 20;

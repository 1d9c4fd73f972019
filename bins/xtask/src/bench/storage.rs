//! What the database takes in: keys one by one, by the batch, and from another store.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::load::Load;
use super::postgres::Postgres;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory, figure};
use crate::step;

/// Measures it on SQLite, and then the same on PostgreSQL.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    let [on_sqlite, on_postgres] = NAMES;
    if on_sqlite.iter().any(|name| wanted(name)) {
        // One file for each, so that none is as slow as those before it made it.
        for name in on_sqlite.into_iter().filter(|name| wanted(name)) {
            let server = Target::keystile_on_all_cores(&directory("storage")?)?;
            measure(&server, name, extent, report)?;
        }
    }
    if on_postgres.iter().any(|name| wanted(name)) {
        let postgres = Postgres::start()?;
        for (number, name) in on_postgres.into_iter().filter(|name| wanted(name)).enumerate() {
            let database = postgres.database(&format!("storage_{number}"))?;
            let data = directory("storage")?;
            let server = Target::keystile_on_postgres(&data, &database, MASTER_KEY)?;
            measure(&server, name, extent, report)?;
        }
    }
    Ok(())
}

fn measure(server: &Target, name: &'static str, extent: Extent, report: &mut Report) -> Result<()> {
    let many = extent.of(20_000, 100_000, 1_000_000);
    if name.starts_with("batches") {
        batches(server, name, many, created, report)
    } else if name.starts_with("imports") {
        batches(server, name, many, imported, report)
    } else {
        one_by_one(server, name, extent, report)
    }
}

/// Sixteen clients make one key after the other, each of them on the disk when it is answered.
fn one_by_one(
    server: &Target,
    name: &'static str,
    extent: Extent,
    report: &mut Report,
) -> Result<()> {
    let load = Load { seconds: extent.seconds() };
    for round in 1..=extent.rounds() {
        step::say(&format!("{name}, round {round}"));
        let before = server.cpu_seconds();
        let key = [server.admin.clone()];
        let sample = load.begin(server, "create.lua", &key, CLIENTS)?.end()?;
        report.note(name, "keys per second", sample.rate);
        report.note(name, "ms to the answer, at most for 99 of 100", sample.p99_ms);
        if let Some((before, after)) = before.zip(server.cpu_seconds()) {
            report.note(
                name,
                "µs of processor time a key",
                (after - before) * 1e6 / sample.requests,
            );
        }
    }
    Ok(())
}

/// Makes keys by the ten thousand, one request after the other.
fn batches(
    server: &Target,
    name: &'static str,
    count: usize,
    asked: fn(usize) -> Value,
    report: &mut Report,
) -> Result<()> {
    step::say(&format!("{name}: {count} keys"));
    let before = server.cpu_seconds();
    let began = Instant::now();
    for first in (0..count).step_by(BATCH) {
        let keys: Vec<_> = (first..count.min(first + BATCH)).map(asked).collect();
        let answer = server.post("/api/v1/api-keys/batch", &json!({ "api_keys": keys }))?;
        let refused = answer.get("refused").and_then(Value::as_u64);
        ensure!(refused == Some(0), "not all of the keys were made");
    }
    report.note(name, "keys", figure(count));
    report.note(name, "seconds", began.elapsed().as_secs_f64());
    if let Some((before, after)) = before.zip(server.cpu_seconds()) {
        report.note(name, "µs of processor time a key", (after - before) * 1e6 / figure(count));
    }
    Ok(())
}

fn created(number: usize) -> Value {
    json!({ "name": format!("key-{number:08}") })
}

/// As another store had it, by its SHA-256: any 64 digits are one.
fn imported(number: usize) -> Value {
    let hash = json!({ "algorithm": "sha256", "value": format!("{number:064x}") });
    json!({ "name": format!("key-{number:08}"), "hash": hash })
}

const NAMES: [[&str; 3]; 2] = [
    ["one by one, 16 clients, SQLite", "batches of keys, SQLite", "imports of keys, SQLite"],
    [
        "one by one, 16 clients, PostgreSQL",
        "batches of keys, PostgreSQL",
        "imports of keys, PostgreSQL",
    ],
];
/// The most keys in one request.
const BATCH: usize = 10_000;
const CLIENTS: u32 = 16;
/// 32 bytes, of which nobody makes a secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

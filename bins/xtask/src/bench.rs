//! `cargo xtask bench`: the server against the floor, in turns, so that a machine that is slower
//! for a while is slower for both.
//!
//! - `checks` sends requests to both; `load` is one round of it, `target` what it is sent to, `keys`
//!   what they show
//! - `flood` has strangers sign in meanwhile, and shows keys that nobody knows
//! - `memory` counts what a remembered key takes
//! - `storage` makes keys: many, at once, and those of another store
//! - `stored` asks a server that has many; `filled` makes them past the server
//! - `cluster` revokes keys on one node, and shows them to the others; `client` is who does
//! - `postgres` is a database to throw away
//! - `report` is the table, and the same as JSON
//!
//! What is measured without a socket stands in the package `benches`.

mod checks;
mod client;
mod cluster;
mod filled;
mod flood;
mod keys;
mod load;
mod memory;
mod postgres;
mod report;
mod storage;
mod stored;
mod target;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use self::postgres::Postgres;
use self::report::Report;
use crate::{parts, step};

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// One short round of few keys, to see that it works.
    Quick,
    /// As much as a machine is left alone for: less than half an hour.
    Usual,
    /// As many keys as this program is meant to bear: hours, and 12 GB on the disk.
    Large,
}

/// Builds everything, and measures what has `filter` in its name.
pub fn run(extent: Extent, filter: Option<&str>) -> Result<()> {
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter));
    if wanted("in process") {
        in_process(extent)?;
        if filter == Some("in process") {
            return Ok(());
        }
    }
    for program in ["wrk", "curl", "sqlite3"] {
        parts::need(program)?;
    }
    let mut build = step::cargo(["build", "--release", "--package", "keystile"]);
    build.args(["--package", "benches", "--bin", "keystile", "--bin", "floor"]);
    step::run("build", build)?;

    let mut report = Report::default();
    let measured = measure(extent, &wanted, &mut report);
    // What was measured before something failed is told all the same.
    report.print()?;
    measured
}

fn measure(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    checks::run(extent, wanted, report)?;
    flood::run(extent, wanted, report)?;
    memory::run(extent, wanted, report)?;
    storage::run(extent, wanted, report)?;
    stored::run(extent, wanted, report)?;
    cluster::run(extent, wanted, report)
}

fn in_process(extent: Extent) -> Result<()> {
    let mut command = step::cargo(["bench", "--package", "benches"]);
    command.args(["--bench", "inproc", "--bench", "served", "--bench", "storage"]);
    if extent == Extent::Quick {
        command.args(["--", "--sample-count", "10"]);
    }
    let postgres = Postgres::start()?;
    command.env("KEYSTILE_BENCH_POSTGRES", postgres.database("bench")?);
    step::run("in process", command)
}

/// An empty directory of this name.
fn directory(name: &str) -> Result<PathBuf> {
    let directory = step::root().join("target/bench").join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory).context("what the last run left")?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// A count as a figure of the report.
fn figure(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

impl Extent {
    /// How many rounds there are; their middle is told.
    fn rounds(self) -> usize {
        if self == Self::Quick { 1 } else { 5 }
    }

    /// How long a round is.
    fn seconds(self) -> u32 {
        if self == Self::Quick { 2 } else { 5 }
    }

    /// One number of the three.
    fn of(self, quick: usize, usual: usize, large: usize) -> usize {
        match self {
            Self::Quick => quick,
            Self::Usual => usual,
            Self::Large => large,
        }
    }
}

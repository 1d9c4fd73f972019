//! `cargo xtask bench`: the server against the floor, in turns, so that a machine that is slower
//! for a while is slower for both.
//!
//! - `checks` sends requests to both; `load` is one round of it, `target` what it is sent to, `keys`
//!   what they show
//! - `flood` has strangers sign in meanwhile, and shows keys that nobody knows
//! - `storage` makes keys, many and at once, and lists them
//! - `start` looks at a server that does nothing yet
//! - `report` is the table, and the same as JSON
//!
//! What is measured without a socket stands in the package `benches`.

mod checks;
mod flood;
mod keys;
mod load;
mod report;
mod start;
mod storage;
mod target;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use self::report::Report;
use crate::{parts, step};

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Whether one short round will do.
    pub is_quick: bool,
}

/// Builds everything, and measures what has `filter` in its name.
pub fn run(is_quick: bool, filter: Option<&str>) -> Result<()> {
    let extent = Extent { is_quick };
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter));
    if wanted("in process") {
        in_process(extent)?;
    }
    parts::need("wrk")?;
    parts::need("curl")?;
    let mut build = step::cargo(["build", "--release", "--package", "keystile"]);
    build.args(["--package", "benches", "--bin", "keystile", "--bin", "floor"]);
    step::run("build", build)?;

    let mut report = Report::default();
    checks::run(extent, &wanted, &mut report)?;
    flood::run(extent, &wanted, &mut report)?;
    storage::run(extent, &wanted, &mut report)?;
    start::run(extent, &wanted, &mut report)?;
    report.print()
}

fn in_process(extent: Extent) -> Result<()> {
    let mut command = step::cargo(["bench", "--package", "benches"]);
    command.args(["--bench", "inproc", "--bench", "served", "--bench", "storage"]);
    if extent.is_quick {
        command.args(["--", "--sample-count", "10"]);
    }
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

impl Extent {
    /// How many rounds there are; their middle is told.
    fn rounds(self) -> usize {
        if self.is_quick { 1 } else { 5 }
    }

    /// How long a round is.
    fn seconds(self) -> u32 {
        if self.is_quick { 2 } else { 5 }
    }

    /// The one number or the other.
    fn of(self, quick: usize, whole: usize) -> usize {
        if self.is_quick { quick } else { whole }
    }
}

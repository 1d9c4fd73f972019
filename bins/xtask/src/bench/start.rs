//! A server that does nothing yet: how soon it answers, and what it takes.

use std::fs;
use std::time::Instant;

use anyhow::Result;

use super::keys::Keys;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory};
use crate::step;

/// From the start of the process to the first right answer, with many keys stored.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    if !wanted(START) {
        return Ok(());
    }
    let stored = extent.of(10_000, 1_000_000);
    let directory = directory("start")?;
    step::say(&format!("store {stored} keys"));
    let server = Target::keystile(&directory)?;
    let key = Keys::prepare(&server, &directory, stored, 1)?.first()?;
    drop(server);
    let mut starts = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..extent.rounds() {
        let begun = Instant::now();
        let server = Target::keystile_on_all_cores(&directory)?;
        server.expect_status(&key, "200")?;
        starts.push(begun.elapsed().as_secs_f64() * 1e3);
        resident.extend(server.resident_mb());
    }
    let binary = fs::metadata(step::root().join("target/release/keystile"))?.len();
    report.note_all(START, "ms to the first answer, curl's own start with it", starts);
    report.note_all(START, "MB resident", resident);
    report.note(START, "MB of the binary", super::report::megabytes(binary));
    Ok(())
}

const START: &str = "start with 1 M keys";

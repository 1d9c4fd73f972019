//! What the server remembers a key in: the growth of the process while it learns many.

use anyhow::{Context, Result, ensure};

use super::keys::Keys;
use super::load::Load;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory, figure};

/// Shows every stored key once, to a server that may remember them all.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    if !wanted(REMEMBERED) {
        return Ok(());
    }
    let count = extent.of(20_000, 200_000, 1_000_000);
    let directory = directory("remembered")?;
    let maker = Target::keystile_on_all_cores(&directory)?;
    let keys = Keys::prepare(&maker, &directory, count, count)?;
    drop(maker);
    let server = Target::keystile_with_memory(&directory, ENOUGH)?;
    // What does not grow with the keys, as the pages of the database, is there once many were shown.
    Load::show_each(&server, &keys, count / 2)?;
    let before = server.resident_mb().context("the system tells it")?;
    let sample = Load::show_each(&server, &keys, count)?;
    let after = server.resident_mb().context("the system tells it")?;
    ensure!(sample.requests >= figure(count), "only {} keys were shown", sample.requests);
    let learnt = figure(count - count / 2);
    report.note(REMEMBERED, "keys", figure(count));
    report.note(REMEMBERED, "bytes a key", (after - before) * 1e6 / learnt);
    report.note(REMEMBERED, "first checks per second", sample.rate);
    Ok(())
}

const REMEMBERED: &str = "remembered keys";
/// Bytes of memory, for more keys than there are.
const ENOUGH: &str = "4294967296";

//! What the system knows of the process, under the names that every Prometheus client gives it. What
//! a system does not tell is left out.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The process, at one moment.
#[derive(Debug)]
pub(super) struct Process {
    /// How long it has kept cores busy.
    pub(super) cpu: Option<Duration>,
    /// How much memory it has.
    pub(super) resident_bytes: Option<u64>,
    /// How many files and sockets it has open.
    pub(super) open_files: Option<usize>,
    /// How many it may have open.
    pub(super) most_files: Option<u64>,
}

impl Process {
    pub(super) fn now() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let limits = fs::read_to_string("/proc/self/limits").ok();
        Self {
            cpu: Duration::try_from(cpu).ok(),
            resident_bytes: resident_bytes(),
            open_files: fs::read_dir("/proc/self/fd").ok().map(Iterator::count),
            most_files: limits.as_deref().and_then(most_files),
        }
    }
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn most_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

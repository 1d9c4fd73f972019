//! A server under load: a process of its own, on a core of its own where that can be had.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};

use crate::{parts, step};

/// A running server, killed when it is dropped.
pub struct Target {
    process: Child,
    /// `http://…`, without a slash at the end.
    pub url: String,
    /// The administrator's key; empty for the floor, which asks for none.
    pub admin: String,
}

impl Target {
    /// The bare endpoint.
    pub fn floor() -> Result<Self> {
        Self::start(pinned("0", &step::root().join("target/release/floor")))
    }

    /// The server with default settings and an empty database file in `data`.
    pub fn keystile(data: &Path) -> Result<Self> {
        let mut command = pinned("0", &step::root().join("target/release/keystile"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--workers", "1"]);
        command.arg("--data-dir").arg(data);
        let mut target = Self::start(command)?;
        let secrets = fs::read_to_string(data.join("first-admin"))?;
        let key = secrets.split_whitespace().find(|word| word.starts_with("ks_"));
        key.context("the first start writes a key")?.clone_into(&mut target.admin);
        Ok(target)
    }

    /// User and system time of the process until now, in seconds; none where the system does not
    /// tell.
    pub fn cpu_seconds(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        // The name of the program, in parentheses, may contain anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut times = fields.split(' ').skip(11).map(|ticks| ticks.parse::<f64>().ok());
        Some((times.next()?? + times.next()??) / TICKS_PER_SECOND)
    }

    fn start(mut command: Command) -> Result<Self> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = process.stdout.take().context("a pipe")?;
        let mut target = Self { process, url: String::new(), admin: String::new() };
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref() {
            if let Some((_, address)) = line?.split_once(" is ready ") {
                address.trim().clone_into(&mut target.url);
                // The rest is read and thrown away: a full pipe would stop the server.
                thread::spawn(move || lines.for_each(drop));
                return Ok(target);
            }
        }
        bail!("{command:?} did not start")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It may have ended by itself, which the measurement has then told.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command on this core, where `taskset` exists.
pub fn pinned(core: &str, program: &Path) -> Command {
    if parts::find("taskset").is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// `USER_HZ`, which every Linux of today has at 100.
const TICKS_PER_SECOND: f64 = 100.0;

//! A server under load: a process of its own, on a core of its own where that can be had.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::report::megabytes;
use crate::{parts, step};

/// A running server, killed when it is dropped.
pub struct Target {
    process: Child,
    /// `http://…`, without a slash at the end.
    pub url: String,
    /// The administrator's key; empty where there is none, or another server was told.
    pub admin: String,
    /// Whether it has one core, and the load the other.
    pub is_pinned: bool,
}

impl Target {
    /// The bare endpoint.
    pub fn floor() -> Result<Self> {
        Self::start(pinned("0", &step::root().join("target/release/floor")), true)
    }

    /// The server with default settings and a database file in `data`, on one core.
    pub fn keystile(data: &Path) -> Result<Self> {
        let mut command = pinned("0", &step::root().join(KEYSTILE));
        command.args(["serve", "--workers", "1"]);
        Self::serve(command, data, true)
    }

    /// The same on whatever cores there are.
    pub fn keystile_on_all_cores(data: &Path) -> Result<Self> {
        Self::serve(on_all_cores(), data, false)
    }

    /// The same with so many bytes to remember keys in.
    pub fn keystile_with_memory(data: &Path, bytes: &str) -> Result<Self> {
        let mut command = on_all_cores();
        command.args(["--cache-bytes", bytes]);
        Self::serve(command, data, false)
    }

    /// The same with a database that others may share who have this master key; the first of them
    /// alone knows the administrator.
    pub fn keystile_on_postgres(data: &Path, database: &str, master_key: &str) -> Result<Self> {
        let mut command = on_all_cores();
        command.args(["--database-url", database]).env("KEYSTILE_MASTER_KEY", master_key);
        Self::serve(command, data, false)
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

    /// What it has in memory.
    pub fn resident_mb(&self) -> Option<f64> {
        self.memory("VmRSS:")
    }

    /// The most that it ever had in memory.
    pub fn peak_mb(&self) -> Option<f64> {
        self.memory("VmHWM:")
    }

    /// Whom `/me` takes for valid, and whom it does not.
    pub fn expect_status(&self, key: &str, expected: &str) -> Result<()> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        curl.args(["--header", &format!("X-API-Key: {key}")])
            .arg(format!("{}/api/v1/me", self.url));
        let output = curl.output()?;
        let status = String::from_utf8_lossy(&output.stdout);
        ensure!(status == expected, "/me answers {status}, not {expected}");
        Ok(())
    }

    /// Asks as its administrator.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--header", "Content-Type: application/json"])
            .args(["--header", &format!("X-API-Key: {}", self.admin), "--data-binary", "@-"])
            .arg(format!("{}{path}", self.url))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = curl.stdin.take().context("a pipe")?;
        input.write_all(body.to_string().as_bytes())?;
        drop(input);
        Ok(serde_json::from_slice(&curl.wait_with_output()?.stdout)?)
    }

    fn serve(mut command: Command, data: &Path, is_pinned: bool) -> Result<Self> {
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
        let mut target = Self::start(command, is_pinned)?;
        // Whoever comes later to a shared database is told nothing.
        let secrets = fs::read_to_string(data.join("first-admin")).unwrap_or_default();
        let key = secrets.split_whitespace().find(|word| word.starts_with("ks_"));
        key.unwrap_or_default().clone_into(&mut target.admin);
        Ok(target)
    }

    fn start(mut command: Command, is_pinned: bool) -> Result<Self> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = process.stdout.take().context("a pipe")?;
        // The log is read, as it is wherever a server runs in earnest.
        let mut log = process.stderr.take().context("a pipe")?;
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        let mut target = Self { process, url: String::new(), admin: String::new(), is_pinned };
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

    fn memory(&self, field: &str) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(megabytes(kilobytes * 1024))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It may have ended by itself, which the measurement has then told.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn on_all_cores() -> Command {
    let mut command = Command::new(step::root().join(KEYSTILE));
    command.arg("serve");
    command
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

const KEYSTILE: &str = "target/release/keystile";

/// `USER_HZ`, which every Linux of today has at 100.
const TICKS_PER_SECOND: f64 = 100.0;

//! One round of load by wrk, and what it cost the server.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::checks::Scenario;
use super::keys::Keys;
use super::target::{Target, pinned};
use crate::step;

/// How long a round is.
#[derive(Clone, Copy)]
pub struct Load {
    pub seconds: u32,
}

/// What one round showed.
pub struct Sample {
    /// Requests answered.
    pub requests: f64,
    /// Requests answered in a second.
    pub rate: f64,
    /// Requests answered in a second of the server's processor time.
    pub per_cpu_second: Option<f64>,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// What the server has in memory at the end.
    pub resident_mb: Option<f64>,
}

/// Load that goes on while something else is measured.
pub struct Ongoing(Child);

impl Load {
    /// Sends each request of a scenario often enough that whatever can be remembered is.
    pub fn warm_up(self, target: &Target, scenario: &Scenario, keys: &Keys) -> Result<()> {
        step::say(&format!("{}, to warm up", scenario.name));
        self.measure(target, scenario, keys).map(drop)
    }

    /// Sends requests on 64 connections, each as soon as the one before is answered.
    pub fn measure(self, target: &Target, scenario: &Scenario, keys: &Keys) -> Result<Sample> {
        self.measure_with(target, scenario, keys, CONNECTIONS)
    }

    /// The same on so many connections.
    pub fn measure_with(
        self,
        target: &Target,
        scenario: &Scenario,
        keys: &Keys,
        connections: u32,
    ) -> Result<Sample> {
        let arguments = [keys.file(scenario.keys), keys.admin.clone()];
        let before = target.cpu_seconds();
        let told = self.begin(target, scenario.script, &arguments, connections)?.told()?;
        // The floor refuses nobody.
        let refused = scenario.refused && !target.admin.is_empty();
        let expected = if refused { number(&told, "requests")? } else { 0.0 };
        ensure!(number(&told, "refused")? == expected, "{}: {told}", scenario.name);
        Sample::of(&told, target, before)
    }

    /// Shows so many keys that nobody knows.
    pub fn show_unknown(target: &Target, count: usize) -> Result<Sample> {
        let before = target.cpu_seconds();
        let load = LONG.begin(target, "unknown.lua", &[count.to_string()], CONNECTIONS)?;
        Sample::of(&load.told_enough()?, target, before)
    }

    /// Shows so many keys that are stored, each once.
    pub fn show_each(target: &Target, keys: &Keys, count: usize) -> Result<Sample> {
        let before = target.cpu_seconds();
        let arguments = [keys.file("valid"), count.to_string()];
        let told = LONG.begin(target, "each.lua", &arguments, CONNECTIONS)?.told_enough()?;
        ensure!(number(&told, "refused")? == 0.0, "a stored key is refused: {told}");
        Sample::of(&told, target, before)
    }

    /// Begins to send requests.
    pub fn begin(
        self,
        target: &Target,
        script: &str,
        arguments: &[String],
        connections: u32,
    ) -> Result<Ongoing> {
        let mut wrk = match target.is_pinned {
            true => pinned("1", Path::new("wrk")),
            false => Command::new("wrk"),
        };
        wrk.args(["--threads", "1", "--connections", &connections.to_string()]);
        wrk.args(["--duration", &format!("{}s", self.seconds), "--script", script]);
        // By its own measure whoever waits for two seconds has failed.
        wrk.args(["--timeout", "60s", &target.url]);
        wrk.arg("--").args(arguments).current_dir(step::root().join("benches/wrk"));
        wrk.stdout(Stdio::piped()).stderr(Stdio::inherit());
        Ok(Ongoing(wrk.spawn().context("wrk")?))
    }
}

impl Ongoing {
    /// Waits until it has ended.
    pub fn end(self) -> Result<Sample> {
        let told = self.told()?;
        Sample::new(&told)
    }

    fn told(self) -> Result<Value> {
        Self::read(&String::from_utf8(self.0.wait_with_output()?.stdout)?)
    }

    /// Stops it as soon as its script says that it has done enough, which wrk itself cannot.
    fn told_enough(mut self) -> Result<Value> {
        let mut output = BufReader::new(self.0.stdout.take().context("a pipe")?);
        let mut text = String::new();
        output.read_line(&mut text)?;
        step::signal("INT", &self.0);
        output.read_to_string(&mut text)?;
        self.0.wait()?;
        Self::read(&text)
    }

    fn read(text: &str) -> Result<Value> {
        let line = text.lines().find(|line| line.starts_with('{'));
        let told: Value = serde_json::from_str(line.with_context(|| format!("wrk: {text}"))?)?;
        let requests = number(&told, "requests")?;
        ensure!(requests > 0.0 && number(&told, "failed")? == 0.0, "wrk: {told}");
        Ok(told)
    }
}

impl Sample {
    fn new(told: &Value) -> Result<Self> {
        let requests = number(told, "requests")?;
        Ok(Self {
            requests,
            rate: requests / number(told, "seconds")?,
            per_cpu_second: None,
            p50_ms: number(told, "p50_ms")?,
            p99_ms: number(told, "p99_ms")?,
            resident_mb: None,
        })
    }

    fn of(told: &Value, target: &Target, before: Option<f64>) -> Result<Self> {
        let sample = Self::new(told)?;
        let times = before.zip(target.cpu_seconds());
        let per_cpu_second = times.map(|(before, after)| sample.requests / (after - before));
        Ok(Self { per_cpu_second, resident_mb: target.resident_mb(), ..sample })
    }
}

fn number(told: &Value, name: &str) -> Result<f64> {
    told.get(name).and_then(Value::as_f64).context("wrk tells it")
}

const CONNECTIONS: u32 = 64;
/// Longer than anything that ends by itself.
const LONG: Load = Load { seconds: 3_600 };

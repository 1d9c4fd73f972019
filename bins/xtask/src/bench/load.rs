//! One round of load by wrk, and what it cost the server.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    Scenario,
    target::{Target, pinned},
};
use crate::step;

/// How long a round is.
#[derive(Clone, Copy)]
pub struct Load {
    pub seconds: u32,
}

/// What one round showed.
pub struct Sample {
    /// Requests answered in a second.
    pub rate: f64,
    /// Requests answered in a second of the server's processor time.
    pub per_cpu_second: Option<f64>,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Load {
    /// Sends requests on 64 connections, each as soon as the one before is answered.
    pub fn measure(self, target: &Target, scenario: &Scenario<'_>) -> Result<Sample> {
        let mut wrk = pinned("1", Path::new("wrk"));
        wrk.args(["--threads", "1", "--connections", "64", "--duration"]);
        wrk.arg(format!("{}s", self.seconds)).args([
            "--script",
            scenario.script,
            &target.url,
            "--",
        ]);
        wrk.args(&scenario.arguments).current_dir(step::root().join("benches/wrk"));
        wrk.stderr(Stdio::inherit());

        let before = target.cpu_seconds();
        let output = wrk.output().context("wrk")?;
        let after = target.cpu_seconds();

        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find(|line| line.starts_with('{'));
        let told: Value = serde_json::from_str(line.with_context(|| format!("wrk: {text}"))?)?;
        let number = |name: &str| told.get(name).and_then(Value::as_f64).context("wrk tells it");
        let requests = number("requests")?;
        ensure!(requests > 0.0 && number("failed")? == 0.0, "wrk: {told}");
        // The floor refuses nobody.
        let refused = scenario.refused && !target.admin.is_empty();
        let expected = if refused { requests } else { 0.0 };
        ensure!(number("refused")? == expected, "{}: {told}", scenario.name);
        Ok(Sample {
            rate: requests / number("seconds")?,
            per_cpu_second: before.zip(after).map(|(before, after)| requests / (after - before)),
            p50_ms: number("p50_ms")?,
            p99_ms: number("p99_ms")?,
        })
    }
}

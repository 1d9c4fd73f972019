//! Medians over the rounds, as a table and as JSON.

use std::io::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::load::Sample;

/// All rounds of all scenarios, in the order in which they were measured.
#[derive(Default)]
pub struct Report {
    scenarios: Vec<(&'static str, Vec<Round>)>,
}

/// The floor and the server, one right after the other.
struct Round {
    floor: Sample,
    server: Sample,
}

impl Report {
    /// Adds one round.
    pub fn add(&mut self, scenario: &'static str, floor: Sample, server: Sample) {
        let round = Round { floor, server };
        match self.scenarios.last_mut() {
            Some((name, rounds)) if *name == scenario => rounds.push(round),
            _ => self.scenarios.push((scenario, vec![round])),
        }
    }

    /// Writes both to standard output.
    pub fn print(&self) -> Result<()> {
        let mut output = std::io::stdout().lock();
        writeln!(
            output,
            "\n{:22} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8}",
            "", "floor/s", "server/s", "rate ×", "CPU ×", "p50 ms", "p99 ms"
        )?;
        let mut json = serde_json::Map::new();
        for (name, rounds) in &self.scenarios {
            let median = |of: fn(&Round) -> Option<f64>| median(rounds.iter().filter_map(of));
            let floor = median(|round| Some(round.floor.rate));
            let server = median(|round| Some(round.server.rate));
            let rate = median(|round| Some(round.server.rate / round.floor.rate));
            let cpu =
                median(|round| Some(round.server.per_cpu_second? / round.floor.per_cpu_second?));
            let p50 = median(|round| Some(round.server.p50_ms));
            let p99 = median(|round| Some(round.server.p99_ms));
            writeln!(
                output,
                "{name:22} {floor:>9.0} {server:>9.0} {rate:>8.2} {cpu:>8.2} {p50:>8.2} {p99:>8.2}"
            )?;
            let figures: Value = json!({
                "floor_per_second": floor, "server_per_second": server,
                "rate_of_floor": rate, "cpu_of_floor": cpu, "p50_ms": p50, "p99_ms": p99,
            });
            json.insert((*name).to_owned(), figures);
        }
        writeln!(output, "\n{}", Value::Object(json))?;
        Ok(())
    }
}

/// The middle value; not a number if there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

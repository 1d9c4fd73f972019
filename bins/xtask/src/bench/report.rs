//! Medians over the rounds, as a table and as JSON.

use std::io::Write;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::load::Sample;

/// All that was measured, in the order in which it was.
#[derive(Default)]
pub struct Report {
    comparisons: Vec<(&'static str, Vec<Round>)>,
    notes: Vec<(&'static str, &'static str, Vec<f64>)>,
}

/// What a server is measured by, and the server, one right after the other.
struct Round {
    below: Sample,
    above: Sample,
}

impl Report {
    /// Adds one round.
    pub fn compare(&mut self, scenario: &'static str, below: Sample, above: Sample) {
        let round = Round { below, above };
        match self.comparisons.last_mut() {
            Some((name, rounds)) if *name == scenario => rounds.push(round),
            _ => self.comparisons.push((scenario, vec![round])),
        }
    }

    /// Adds a figure that is compared with nothing.
    pub fn note(&mut self, scenario: &'static str, what: &'static str, value: f64) {
        self.note_all(scenario, what, vec![value]);
    }

    /// The same of several rounds.
    pub fn note_all(&mut self, scenario: &'static str, what: &'static str, values: Vec<f64>) {
        let known =
            self.notes.iter_mut().find(|(name, known, _)| (*name, *known) == (scenario, what));
        match known {
            Some((_, _, of)) => of.extend(values),
            None => self.notes.push((scenario, what, values)),
        }
    }

    /// Writes both to standard output.
    pub fn print(&self) -> Result<()> {
        let mut output = std::io::stdout().lock();
        let mut json = Map::new();
        if !self.comparisons.is_empty() {
            writeln!(
                output,
                "\n{:32} {:>9} {:>9} {:>7} {:>7} {:>8} {:>8} {:>8} {:>6}",
                "", "below/s", "here/s", "rate ×", "CPU ×", "p50 ms", "p99 ms", "p99 ×", "MB"
            )?;
        }
        for (name, rounds) in &self.comparisons {
            let median = |of: fn(&Round) -> Option<f64>| median(rounds.iter().filter_map(of));
            let below = median(|it| Some(it.below.rate));
            let above = median(|it| Some(it.above.rate));
            let rate = median(|it| Some(it.above.rate / it.below.rate));
            let cpu = median(|it| Some(it.above.per_cpu_second? / it.below.per_cpu_second?));
            let p50 = median(|it| Some(it.above.p50_ms));
            let p99 = median(|it| Some(it.above.p99_ms));
            let p99_of = median(|it| Some(it.above.p99_ms / it.below.p99_ms));
            let resident = median(|it| it.above.resident_mb);
            writeln!(
                output,
                "{name:32} {below:>9.0} {above:>9.0} {rate:>7.2} {cpu:>7.2} {p50:>8.2} {p99:>8.2} {p99_of:>8.2} {resident:>6.0}"
            )?;
            let figures: Value = json!({
                "below_per_second": below, "per_second": above, "rate_of": rate, "cpu_of": cpu,
                "p50_ms": p50, "p99_ms": p99, "p99_of": p99_of, "resident_mb": resident,
            });
            json.insert((*name).to_owned(), figures);
        }
        for (name, what, values) in &self.notes {
            let value = median(values.iter().copied());
            writeln!(output, "{name:32} {value:>9.1} {what}")?;
            let figures = json.entry(*name).or_insert_with(|| json!({}));
            if let Some(figures) = figures.as_object_mut() {
                figures.insert((*what).to_owned(), json!(value));
            }
        }
        writeln!(output, "\n{}", Value::Object(json))?;
        Ok(())
    }
}

/// Millions of bytes.
pub fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes / 1_000).map_or(f64::NAN, f64::from) / 1_000.0
}

/// The middle value; not a number if there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

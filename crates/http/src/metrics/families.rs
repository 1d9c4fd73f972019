//! What is shown, under which name: every family of metrics.
//!
//! No label holds a credential, a name or an address: they come from sets that are fixed when the
//! server is built.

use std::fmt;
use std::time::Duration;

use keystile_service::metrics::Gauges;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::process::Process;
use super::requests::{Counted, Series};
use crate::state::State;

/// Every family, at one moment.
#[derive(Debug)]
pub(super) struct Families(Vec<Family>);

#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    labels: Vec<(&'static str, Box<str>)>,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Count(u64),
    Duration(f64),
    Durations { buckets: Vec<(f64, u64)>, seconds: f64 },
    Seconds(f64),
    Size(u64),
}

/// Asks every part how it does.
pub(super) fn gather(state: &State) -> Families {
    let mut families = Families(Vec::new());
    families.build();
    families.requests(state.metrics.counted());
    families.service(&state.keystile.gauges());
    families.process(&Process::now());
    let started = state.metrics.started_at.as_millis();
    let started = u64::try_from(started).unwrap_or_default() / 1_000;
    families.gauge("process_start_time_seconds", "When the process began, in Unix time.", started);
    families
}

impl Families {
    fn build(&mut self) {
        let version = vec![("version", env!("CARGO_PKG_VERSION").into())];
        self.gauges("keystile_build_info", "Always 1: the version of the server.", [(version, 1)]);
    }

    fn requests(&mut self, counted: Counted) {
        let requests = counted.series.into_iter().map(Sample::from).collect();
        self.add(
            "keystile_http_request_duration_seconds",
            "How long requests took, from their head to the beginning of their answer.",
            MetricType::Histogram,
            requests,
        );
        self.gauge(
            "keystile_http_requests_in_progress",
            "Requests that have no answer yet.",
            u64::try_from(counted.in_progress).unwrap_or_default(),
        );
        let errors = counted.errors.into_iter();
        self.counters(
            "keystile_http_errors",
            "Answers that say no, by the `code` of their problem document.",
            errors.map(|(code, errors)| (vec![("code", code.into())], errors)),
        );
    }

    fn service(&mut self, gauges: &Gauges) {
        let checks = gauges.checks.iter().map(|it| {
            let labels = vec![("way", it.way.as_str().into()), ("outcome", it.outcome.into())];
            (labels, it.checks)
        });
        self.counters(
            "keystile_checks",
            "Checks of credentials, by how they were asked for and how they ended.",
            checks,
        );
        self.cluster(gauges);
        let pool = gauges.pool;
        let used = pool.open.saturating_sub(pool.idle);
        self.gauges(
            "keystile_database_connections",
            "Open connections to the database.",
            [(state_of("idle"), size(pool.idle)), (state_of("used"), size(used))],
        );
        self.gauge(
            "keystile_database_connections_max",
            "How many connections to the database there may be.",
            size(pool.most),
        );
        self.gauge(
            "keystile_database_waiting",
            "Tasks that wait for a connection to the database.",
            size(pool.waiting),
        );
        self.gauge(
            "keystile_changes_waiting",
            "Changes that wait for their turn to be written.",
            size(gauges.changes_waiting),
        );
        self.gauge(
            "keystile_usage_backlog",
            "Counts of uses that are in memory and not in the database yet.",
            size(gauges.usage.counts),
        );
        self.counters(
            "keystile_usage_uncounted",
            "Checks that found no place in memory and are missing in the counts of uses.",
            [(Vec::new(), gauges.usage.uncounted)],
        );
        self.gauge(
            "keystile_limits_degraded",
            "1 while limits should be counted across nodes and Redis does not answer.",
            u64::from(gauges.limits_are_degraded),
        );
        let hashing = gauges.hashing;
        self.gauges(
            "keystile_password_hashing",
            "Passwords that are being hashed, or wait for it.",
            [
                (state_of("running"), size(hashing.running)),
                (state_of("waiting"), size(hashing.waiting)),
            ],
        );
        self.counters(
            "keystile_password_hashes",
            "Password hashes that were computed.",
            [(Vec::new(), hashing.computed)],
        );
    }

    fn cluster(&mut self, gauges: &Gauges) {
        let memory = gauges.memory;
        self.counters(
            "keystile_cache_hits",
            "Look-ups of credentials that memory answered.",
            [(Vec::new(), memory.hits)],
        );
        self.counters(
            "keystile_cache_misses",
            "Look-ups of credentials that memory could not answer.",
            [(Vec::new(), memory.misses)],
        );
        self.gauge(
            "keystile_cache_entries",
            "Credentials, and secrets of none, in memory.",
            memory.entries,
        );
        self.gauge("keystile_cache_bytes", "What they take, roughly.", memory.bytes);
        self.gauge(
            "keystile_feed_position",
            "The last change that this node has seen.",
            u64::try_from(gauges.position.0).unwrap_or_default(),
        );
        self.seconds(
            "keystile_feed_lag_seconds",
            "How long ago the last complete look at the changes of others began.",
            gauges.feed_lag,
        );
        self.seconds(
            "keystile_lease_remaining_seconds",
            "How long this node may still answer from memory.",
            Some(gauges.lease_left),
        );
        self.gauge(
            "keystile_registered",
            "1 while the other nodes wait for this one, so that it may let anybody in.",
            u64::from(gauges.is_registered),
        );
    }

    fn process(&mut self, process: &Process) {
        let cpu = process.cpu.map(|cpu| Value::Duration(cpu.as_secs_f64()));
        let cpu = cpu.map(|value| Sample { labels: Vec::new(), value });
        self.add(
            "process_cpu_seconds",
            "How long the process has kept cores busy.",
            MetricType::Counter,
            cpu.into_iter().collect(),
        );
        for (name, help, value) in [
            (
                "process_resident_memory_bytes",
                "How much memory the process has.",
                process.resident_bytes,
            ),
            (
                "process_open_fds",
                "How many files and sockets the process has open.",
                process.open_files.map(size),
            ),
            ("process_max_fds", "How many it may have open.", process.most_files),
        ] {
            self.gauges(name, help, value.map(|value| (Vec::new(), value)));
        }
    }

    fn seconds(&mut self, name: &'static str, help: &'static str, value: Option<Duration>) {
        let value = value.map(|value| Value::Seconds(value.as_secs_f64()));
        let samples = value.map(|value| Sample { labels: Vec::new(), value });
        self.add(name, help, MetricType::Gauge, samples.into_iter().collect());
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.gauges(name, help, [(Vec::new(), value)]);
    }

    fn gauges(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Vec<(&'static str, Box<str>)>, u64)>,
    ) {
        let sample = |(labels, value)| Sample { labels, value: Value::Size(value) };
        self.add(name, help, MetricType::Gauge, values.into_iter().map(sample).collect());
    }

    fn counters(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (Vec<(&'static str, Box<str>)>, u64)>,
    ) {
        let sample = |(labels, value)| Sample { labels, value: Value::Count(value) };
        self.add(name, help, MetricType::Counter, values.into_iter().map(sample).collect());
    }

    fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: MetricType,
        samples: Vec<Sample>,
    ) {
        self.0.push(Family { name, help, kind, samples });
    }
}

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let mut metric =
                encoder.encode_descriptor(family.name, family.help, None, family.kind)?;
            for sample in &family.samples {
                // An empty set of labels would be written as braces with nothing in them.
                match &sample.labels[..] {
                    [] => sample.value.encode(&mut metric)?,
                    labels => {
                        let labels: Vec<_> =
                            labels.iter().map(|(name, value)| (*name, &**value)).collect();
                        sample.value.encode(&mut metric.encode_family(&labels)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Value {
    fn encode(&self, metric: &mut MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => metric.encode_counter::<NoLabelSet, _, u64>(count, None),
            Self::Durations { buckets, seconds } => {
                let count = buckets.iter().map(|(_, count)| count).sum();
                metric.encode_histogram::<NoLabelSet>(*seconds, count, buckets, None)
            }
            Self::Duration(seconds) => metric.encode_counter::<NoLabelSet, _, u64>(seconds, None),
            Self::Seconds(seconds) => metric.encode_gauge(seconds),
            Self::Size(size) => metric.encode_gauge(size),
        }
    }
}

impl From<Series> for Sample {
    fn from(series: Series) -> Self {
        let Series { route, method, class, buckets, seconds } = series;
        Self {
            labels: vec![("route", route), ("method", method.into()), ("status", class.into())],
            value: Value::Durations { buckets, seconds },
        }
    }
}

fn state_of(state: &str) -> Vec<(&'static str, Box<str>)> {
    vec![("state", state.into())]
}

fn size(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

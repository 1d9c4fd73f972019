//! Requests, counted and measured while they are answered.
//!
//! Each worker counts in a shard of its own: threads do not wait for each other, and counting one
//! request takes no lock and no memory, once there was one like it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{RequestHead, Response};
use actix_web::http::{Method, StatusCode};
use keystile_api::problem::ErrorCode;
use tracing::Span;

use super::Metrics;
use super::routes::{Route, Routes};
use crate::state::State;
use crate::trace;

/// Where one worker counts.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    routes: Arc<Routes>,
    shard: Arc<Shard>,
}

/// What one worker has counted.
#[derive(Debug)]
pub(crate) struct Shard {
    /// By route, method and class of status.
    series: Box<[OnceLock<Box<Durations>>]>,
    in_progress: AtomicI64,
    /// By the place of their code among all codes.
    errors: Box<[AtomicU64]>,
}

/// How long requests took that were alike.
#[derive(Debug, Default)]
struct Durations {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

/// One request, from its beginning to its answer.
pub(crate) struct Watch<'w> {
    requests: &'w Requests,
    route: Route,
    method: usize,
    begun: Instant,
    span: Span,
}

/// Everything that was counted so far.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) series: Vec<Series>,
    pub(super) in_progress: i64,
    pub(super) errors: Vec<(&'static str, u64)>,
}

/// Requests that were alike.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) route: Box<str>,
    pub(super) method: &'static str,
    /// `2xx`.
    pub(super) class: &'static str,
    /// How many took at most so many seconds, and longer than the bound before.
    pub(super) buckets: Vec<(f64, u64)>,
    pub(super) seconds: f64,
}

impl Requests {
    pub(super) fn new(routes: Arc<Routes>, shard: Arc<Shard>) -> Self {
        Self { routes, shard }
    }
}

impl<'w> Watch<'w> {
    /// A request begins.
    pub(crate) fn begin(requests: &'w Requests, state: &State, head: &RequestHead) -> Self {
        requests.shard.in_progress.fetch_add(1, Ordering::Relaxed);
        let (route, method) = (requests.routes.find(head.uri.path()), place(&head.method));
        let name = METHODS.get(method).copied().unwrap_or_default();
        let span = trace::begin(state, head, name, requests.routes.template(route));
        Self { requests, route, method, begun: Instant::now(), span }
    }

    /// The span of its trace.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// It has its answer. What is dropped without one is not counted: the client has left.
    pub(crate) fn end(self, response: &Response<BoxBody>) {
        let shard = &self.requests.shard;
        shard.count(self.route, self.method, response.status(), self.begun.elapsed());
        if let Some(code) = response.extensions().get::<ErrorCode>() {
            shard.count_error(*code);
        }
        trace::end(&self.span, response);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.requests.shard.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shard {
    pub(super) fn of(routes: &Routes) -> Self {
        let series = routes.count() * METHODS.len() * CLASSES.len();
        Self {
            series: (0..series).map(|_| OnceLock::new()).collect(),
            in_progress: AtomicI64::new(0),
            errors: ErrorCode::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn count(&self, route: Route, method: usize, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let Some(series) = self.series.get(at(route, method, class.min(CLASSES.len() - 1))) else {
            return;
        };
        let durations = series.get_or_init(Box::default);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        durations.nanos.fetch_add(nanos, Ordering::Relaxed);
        let bucket = BOUNDS.iter().position(|(_, bound)| nanos <= *bound);
        if let Some(bucket) = durations.buckets.get(bucket.unwrap_or(BOUNDS.len())) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_error(&self, code: ErrorCode) {
        let place = ErrorCode::ALL.iter().position(|known| *known == code);
        if let Some(errors) = place.and_then(|place| self.errors.get(place)) {
            errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn durations(&self, route: Route, method: usize, class: usize) -> Option<&Durations> {
        self.series.get(at(route, method, class))?.get().map(Box::as_ref)
    }
}

impl Metrics {
    /// What all workers have counted together.
    pub(super) fn counted(&self) -> Counted {
        let shards = self.shards();
        let in_progress = shards.iter().map(|it| it.in_progress.load(Ordering::Relaxed)).sum();
        let errors = ErrorCode::ALL.iter().enumerate().map(|(place, code)| {
            let errors = shards.iter().filter_map(|shard| shard.errors.get(place));
            (code.as_str(), errors.map(|errors| errors.load(Ordering::Relaxed)).sum())
        });
        let series = self.routes.get().map(|routes| sum_series(routes, &shards));
        Counted { series: series.unwrap_or_default(), in_progress, errors: errors.collect() }
    }
}

/// The series of all shards; those in which nothing was counted are left out.
fn sum_series(routes: &Routes, shards: &[Arc<Shard>]) -> Vec<Series> {
    let mut series = Vec::new();
    for route in routes.all() {
        for (method, name) in METHODS.iter().enumerate() {
            for (class, status) in CLASSES.iter().enumerate() {
                let alike = shards.iter().filter_map(|shard| shard.durations(route, method, class));
                let alike: Vec<_> = alike.collect();
                if !alike.is_empty() {
                    series.push(Series::sum(routes.template(route), name, status, &alike));
                }
            }
        }
    }
    series
}

impl Series {
    fn sum(route: &str, method: &'static str, class: &'static str, alike: &[&Durations]) -> Self {
        let bounds = BOUNDS.iter().map(|(seconds, _)| *seconds).chain([f64::INFINITY]);
        let buckets = bounds.enumerate().map(|(place, bound)| {
            let counts = alike.iter().filter_map(|it| it.buckets.get(place));
            (bound, counts.map(|count| count.load(Ordering::Relaxed)).sum())
        });
        let nanos = alike.iter().map(|it| it.nanos.load(Ordering::Relaxed)).sum();
        Self {
            route: route.into(),
            method,
            class,
            buckets: buckets.collect(),
            seconds: Duration::from_nanos(nanos).as_secs_f64(),
        }
    }
}

/// Where requests that are alike are counted.
fn at(route: Route, method: usize, class: usize) -> usize {
    (route.place() * METHODS.len() + method) * CLASSES.len() + class
}

/// A method by its place in the list. Clients may send any word: all others are one.
fn place(method: &Method) -> usize {
    let known = METHODS.iter().position(|known| *known == method.as_str());
    known.unwrap_or(METHODS.len() - 1)
}

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The bounds of the buckets, in seconds and in nanoseconds: from an answer out of memory to the
/// longest wait for the database.
const BOUNDS: [(f64, u64); 15] = [
    (0.000_1, 100_000),
    (0.000_25, 250_000),
    (0.000_5, 500_000),
    (0.001, 1_000_000),
    (0.002_5, 2_500_000),
    (0.005, 5_000_000),
    (0.01, 10_000_000),
    (0.025, 25_000_000),
    (0.05, 50_000_000),
    (0.1, 100_000_000),
    (0.25, 250_000_000),
    (0.5, 500_000_000),
    (1.0, 1_000_000_000),
    (2.5, 2_500_000_000),
    (10.0, 10_000_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_counted_is_shown_together() {
        let metrics = Metrics::default();
        let document = crate::document();
        let begin = || metrics.begin(document.paths.paths.keys().map(String::as_str));
        let workers = [begin(), begin()];
        for worker in &workers {
            let route = worker.routes.find("/healthz");
            for millis in [3, 4, 60_000] {
                let took = Duration::from_millis(millis);
                worker.shard.count(route, place(&Method::GET), StatusCode::OK, took);
            }
        }
        let counted = metrics.counted();
        let [series] = &counted.series[..] else { panic!("{counted:?}") };
        assert_eq!((&*series.route, series.method, series.class), ("/healthz", "GET", "2xx"));
        assert_eq!(series.seconds, 120.014);
        let filled: Vec<_> = series.buckets.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [&(0.005, 4), &(f64::INFINITY, 2)]);
    }

    #[test]
    fn a_method_that_nobody_knows_is_none_of_its_own() {
        let odd = Method::from_bytes(b"KS_SECRET").unwrap();
        assert_eq!(METHODS[place(&odd)], "other");
        assert_eq!(METHODS[place(&Method::PATCH)], "PATCH");
    }
}

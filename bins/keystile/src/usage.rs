//! The counts of checks, on their way from memory to the database while the server runs.

use std::time::Duration;

use actix_web::web;
use keystile_http::State;
use keystile_service::ServiceError;
use tokio::sync::oneshot::Receiver;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Writes what was counted every five seconds, and once more when `stop` is told or dropped; forgets
/// what is older than the retention.
pub async fn keep(state: web::Data<State>, retention: Duration, mut stop: Receiver<()>) {
    let keystile = &state.keystile;
    let mut flush = interval(FLUSH);
    // After an outage, once is enough.
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forget = interval(FORGET);
    loop {
        tokio::select! {
            _ = &mut stop => break,
            _ = flush.tick() => report(keystile.flush_usage().await),
            () = keystile.usage_is_crowded() => report(keystile.flush_usage().await),
            _ = forget.tick() => report(keystile.forget_usage(retention).await),
        }
    }
    match timeout(LAST_FLUSH, keystile.flush_usage()).await {
        Ok(flushed) => report(flushed),
        Err(_elapsed) => tracing::warn!("the last counts of checks could not be written in time"),
    }
}

fn report(done: Result<(), ServiceError>) {
    if let Err(error) = done {
        let cause = format!("{:#}", anyhow::Error::from(error));
        tracing::warn!(cause, "the counts of checks could not be brought up to date");
    }
}

/// What a crash can lose.
const FLUSH: Duration = Duration::from_secs(5);
const FORGET: Duration = Duration::from_secs(60 * 60);
const LAST_FLUSH: Duration = Duration::from_secs(10);

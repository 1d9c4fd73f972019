//! What every node does again and again while it serves: looking after the store, learning what
//! other nodes have changed and which certificate there is, and giving back what it does not need of
//! quotas.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use keystile_http::{State, Tls};
use keystile_service::ServiceError;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// Goes on until the set is dropped.
pub fn begin(state: &web::Data<State>, tls: Option<Arc<Tls>>) -> JoinSet<()> {
    let mut rounds = JoinSet::new();
    rounds.spawn(tend(state.clone()));
    rounds.spawn(follow(state.clone()));
    rounds.spawn(release(state.clone()));
    if let Some(tls) = tls {
        rounds.spawn(async move { tls.follow().await });
    }
    rounds
}

/// Gives back what this node holds of quotas, once nothing is checked any more.
pub async fn end(state: &web::Data<State>) {
    match timeout(LAST_RELEASE, state.keystile.release_all_quotas()).await {
        Ok(released) => report(released),
        Err(_elapsed) => tracing::warn!("what is left of quotas could not be given back in time"),
    }
}

async fn release(state: web::Data<State>) {
    let mut rounds = every(RELEASE);
    loop {
        rounds.tick().await;
        report(state.keystile.release_idle_quotas().await);
    }
}

fn report(released: Result<(), ServiceError>) {
    if let Err(error) = released {
        let cause = causes(error);
        tracing::warn!(cause, "what is left of quotas could not be given back");
    }
}

async fn tend(state: web::Data<State>) {
    let mut rounds = every(TEND);
    loop {
        rounds.tick().await;
        if let Err(error) = state.keystile.tend().await {
            let cause = causes(error);
            tracing::warn!(cause, "a round of housekeeping failed");
        }
    }
}

/// An outage is logged when it begins and when it is over.
async fn follow(state: web::Data<State>) {
    let mut rounds = every(FOLLOW);
    let mut failing = false;
    loop {
        rounds.tick().await;
        match state.keystile.follow_providers().await {
            Err(error) if !failing => {
                let cause = causes(error);
                tracing::warn!(cause, "changes by other nodes are not followed");
                failing = true;
            }
            Ok(()) if failing => {
                tracing::info!("changes by other nodes are followed again");
                failing = false;
            }
            _ => {}
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut rounds = interval(period);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}

fn causes(error: ServiceError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

const LAST_RELEASE: Duration = Duration::from_secs(5);
const RELEASE: Duration = Duration::from_secs(5);
const TEND: Duration = Duration::from_secs(60);
/// How long a change of a provider may go unnoticed by other nodes.
const FOLLOW: Duration = Duration::from_millis(500);

//! What every node does again and again while it serves: looking after the store, learning what
//! other nodes have changed and which certificate there is, and giving back what it does not need of
//! quotas.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use keystile_http::{State, Tls};
use keystile_service::ServiceError;
use keystile_storage::Feed;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

/// Goes on until the set is dropped.
///
/// It returns when the feed was looked at for the first time, or that has failed: what is read
/// before then would be forgotten at once.
pub async fn begin(state: &web::Data<State>, tls: Option<Arc<Tls>>, feed: Feed) -> JoinSet<()> {
    let mut rounds = JoinSet::new();
    let (looked, first_look) = oneshot::channel();
    rounds.spawn(tend(state.clone()));
    rounds.spawn(forget(state.clone()));
    rounds.spawn(follow(state.clone(), feed, looked));
    rounds.spawn(reap(state.clone()));
    rounds.spawn(release(state.clone()));
    rounds.spawn(move_secrets(state.clone()));
    if let Some(tls) = tls {
        rounds.spawn(async move { tls.follow().await });
    }
    // Whatever came of it, it is over.
    let _ = first_look.await;
    rounds
}

/// Takes this node out and gives back what it holds of quotas, once nothing is checked any more.
pub async fn end(state: &web::Data<State>, mut rounds: JoinSet<()>) {
    rounds.shutdown().await;
    // If it cannot say so, the others find out.
    let _ = timeout(LAST_RELEASE, state.keystile.leave()).await;
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

async fn move_secrets(state: web::Data<State>) {
    let mut rounds = every(MOVE);
    loop {
        rounds.tick().await;
        if let Err(error) = state.keystile.move_secrets().await {
            let cause = causes(error);
            tracing::warn!(cause, "secrets that were shown could not come under the new pepper");
        }
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

async fn forget(state: web::Data<State>) {
    let mut rounds = every(FORGET);
    loop {
        rounds.tick().await;
        if let Err(error) = state.keystile.forget_unused_formats().await {
            let cause = causes(error);
            tracing::warn!(cause, "formats that no key has could not be forgotten");
        }
    }
}

/// Follows the feed for ever. An outage is logged when it begins and when it is over.
async fn follow(state: web::Data<State>, feed: Feed, looked: oneshot::Sender<()>) {
    let keystile = &state.keystile;
    let mut following = keystile.follow_feed(feed);
    let (mut failing, mut looked) = (false, Some(looked));
    loop {
        let look = following.look().await;
        // Only the first is waited for.
        looked.take().map(|looked| looked.send(()));
        match look {
            Err(error) => {
                if !failing {
                    let cause = causes(error);
                    tracing::warn!(cause, "changes by other nodes are not followed");
                }
                failing = true;
                sleep(RETRY).await;
            }
            Ok(()) => {
                if failing {
                    tracing::info!("changes by other nodes are followed again");
                }
                failing = false;
                following.wait().await;
            }
        }
    }
}

async fn reap(state: web::Data<State>) {
    let mut rounds = every(REAP);
    loop {
        rounds.tick().await;
        if let Err(error) = state.keystile.reap_dead_nodes().await {
            let cause = causes(error);
            tracing::warn!(cause, "nodes that have died could not be looked for");
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut rounds = interval(period);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}

fn causes(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

const LAST_RELEASE: Duration = Duration::from_secs(5);
const RELEASE: Duration = Duration::from_secs(5);
const MOVE: Duration = Duration::from_secs(1);
const TEND: Duration = Duration::from_secs(60);
const FORGET: Duration = Duration::from_secs(60 * 60);
const REAP: Duration = Duration::from_secs(1);
/// How soon to look again when the database does not answer.
const RETRY: Duration = Duration::from_millis(100);

//! `keystile serve`: the parts, joined.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use anyhow::Context;
use keystile_auth::{Chain, Clock, SystemClock};
use keystile_http::{Batches, Health, Limits, State};
use keystile_service::Keystile;
use keystile_service::first_start::{Bootstrap, FirstSecrets, initialise, is_initialised};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::block::Teller;
use crate::open::{make_private, open_store};
use crate::settings::{Settings, Sources, Warning};
use crate::signals::Signals;
use crate::{master_key, telemetry, usage};

/// Serves until a signal ends it.
pub fn serve(sources: &Sources) -> anyhow::Result<()> {
    let (settings, warnings) = Settings::from_sources(sources)?;
    // Not the runtime of actix: migrations may block, which a single thread could not.
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run(settings, warnings))
}

async fn run(settings: Settings, warnings: Vec<Warning>) -> anyhow::Result<()> {
    telemetry::init(settings.log)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let signals = Signals::listen()?;
    make_private(&settings.data_dir)?;
    let (store, _lock) = open_store(&settings.database).await?;
    let initialised = is_initialised(&store).await?;
    let master = master_key::load(settings.master_key, &settings.data_dir, initialised)?;
    let listener = TcpListener::bind(settings.listen)
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let teller = Teller::of(&std::path::absolute(&settings.data_dir)?);
    let public_url = settings.public_url.map(|url| url.as_str().to_owned());
    let bootstrap = Bootstrap {
        admin_key: settings.bootstrap.admin_key,
        admin_password: settings.bootstrap.admin_password,
        public_url: public_url.clone().unwrap_or_else(|| url.clone()),
    };
    let hand_over = |secrets: &FirstSecrets| teller.hand_over(secrets);
    let secrets = initialise(&store, &master, &clock, bootstrap, hand_over).await?;
    let options = keystile_service::Options {
        public_url,
        jwt_algorithm: settings.jwt_algorithm,
        sso: settings.sso,
    };
    let keystile = Keystile::open(store, &master, clock, options).await?;
    let health = Health::default();
    let state = web::Data::new(State {
        keystile,
        chain: Chain::default(),
        trusted_proxies: settings.peers.trusted_proxies,
        insecure_http_from: settings.peers.insecure_http_from,
        limits: Limits {
            request_timeout: settings.limits.request_timeout,
            max_body_bytes: settings.limits.max_body_bytes,
        },
        health: health.clone(),
        batches: Batches::default(),
    });
    let document = Arc::new(keystile_http::document());
    let tending = tokio::spawn(tend(state.clone()));
    let (stop_usage, until_stopped) = oneshot::channel();
    let retention = settings.limits.usage_retention;
    let usage = tokio::spawn(usage::keep(state.clone(), retention, until_stopped));
    let server = keystile_http::serve(listener, settings.limits.workers, state, document)?;
    teller.tell(&url, secrets.as_ref())?;
    let stopping = tokio::spawn(signals.obey(server.handle(), health, settings.limits.drain_delay));
    let served = server.await;
    // Only now is nothing counted any more.
    drop(stop_usage);
    usage.await?;
    stopping.abort();
    tending.abort();
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// Looks after the store from time to time, until it is stopped.
async fn tend(state: web::Data<State>) {
    let mut rounds = tokio::time::interval(BETWEEN_ROUNDS);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = state.keystile.tend().await {
            let error = anyhow::Error::from(error);
            tracing::warn!(cause = format!("{error:#}"), "a round of housekeeping failed");
        }
    }
}

const BETWEEN_ROUNDS: Duration = Duration::from_secs(60);

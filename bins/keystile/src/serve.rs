//! `keystile serve`: the parts, joined.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web;
use anyhow::Context;
use keystile_auth::{Clock, SystemClock};
use keystile_http::{Batches, Health, Limits, State, Tls};
use keystile_service::Keystile;
use keystile_service::first_start::{Bootstrap, FirstSecrets, initialise, is_initialised};
use tokio::sync::oneshot;

use crate::block::Teller;
use crate::open::{make_private, open_store};
use crate::settings::{Settings, Sources, Warning};
use crate::signals::{Signals, Stop};
use crate::telemetry::Traces;
use crate::{master_key, metrics, rounds, telemetry, usage};

/// Serves until a signal ends it.
pub fn serve(sources: &Sources) -> anyhow::Result<()> {
    let (settings, warnings) = Settings::from_sources(sources)?;
    // Not the runtime of actix: migrations may block, which a single thread could not.
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run(settings, warnings))
}

async fn run(settings: Settings, warnings: Vec<Warning>) -> anyhow::Result<()> {
    let traces = settings.traces.then(Traces::begin).transpose()?;
    let last_lines = telemetry::init(settings.log, traces.as_ref())?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.tls.map(|files| Tls::open(files, Arc::clone(&clock))).transpose()?;
    let tls = tls.map(Arc::new);
    let signals = Signals::listen()?;
    make_private(&settings.data_dir)?;
    let (store, _lock) = open_store(&settings.database).await?;
    let initialised = is_initialised(&store).await?;
    let master = master_key::load(settings.master_key, &settings.data_dir, initialised)?;
    let listener = TcpListener::bind(settings.listen)
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr()?);
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
        redis: settings.redis,
        failure_limit: settings.limits.failure_limit,
        cache_bytes: settings.limits.cache_bytes,
        lease: settings.limits.lease,
        address: url.clone(),
    };
    let feed = store.feed(settings.database.direct_url())?;
    let keystile = Keystile::open(store, &master, clock, options).await?;
    keystile.join().await?;
    let health = Health::default();
    let state = web::Data::new(State {
        keystile,
        trusted_proxies: settings.peers.trusted_proxies,
        insecure_http_from: settings.peers.insecure_http_from,
        limits: Limits {
            request_timeout: settings.limits.request_timeout,
            max_header_bytes: settings.limits.max_header_bytes,
            max_body_bytes: settings.limits.max_body_bytes,
        },
        health: health.clone(),
        batches: Batches::default(),
        metrics: metrics::of(settings.metrics_listen),
    });
    let metrics = metrics::serve(settings.metrics_listen, &state)?;
    let rounds = rounds::begin(&state, tls.clone(), feed).await;
    let (stop_usage, until_stopped) = oneshot::channel();
    let retention = settings.limits.usage_retention;
    let usage = tokio::spawn(usage::keep(state.clone(), retention, until_stopped));
    let workers = settings.limits.workers;
    let server = keystile_http::serve(listener, tls.as_deref(), workers, state.clone())?;
    teller.tell(&url, secrets.as_ref())?;
    let mut stopping =
        tokio::spawn(signals.obey(server.handle(), health, settings.limits.drain_delay));
    let served = tokio::select! {
        served = server => served,
        Ok(Stop::AtOnce) = &mut stopping => {
            last_lines.write_now();
            std::process::exit(1);
        }
    };
    // Only now is nothing counted any more.
    drop(stop_usage);
    usage.await?;
    rounds::end(&state, rounds).await;
    stopping.abort();
    drop(metrics);
    served?;
    if let Some(traces) = traces {
        traces.end().await;
    }
    tracing::info!("stopped");
    Ok(())
}

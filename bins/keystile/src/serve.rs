//! `keystile serve`: the parts, joined.

use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use anyhow::Context;
use keystile_auth::{Chain, Clock, SystemClock};
use keystile_http::{Batches, Health, Limits, State};
use keystile_service::Keystile;
use keystile_service::first_start::{Bootstrap, FirstSecrets, initialise, is_initialised};
use keystile_storage::{ServerLock, Store, StoreOptions, Url, lock_server};

use crate::block::Teller;
use crate::settings::{Database, Settings, Sources, Warning};
use crate::signals::Signals;
use crate::{master_key, telemetry};

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
    let bootstrap = Bootstrap {
        admin_key: settings.bootstrap.admin_key,
        admin_password: settings.bootstrap.admin_password,
        public_url: settings.public_url.map_or_else(|| url.clone(), |url| url.as_str().to_owned()),
    };
    let hand_over = |secrets: &FirstSecrets| teller.hand_over(secrets);
    let secrets = initialise(&store, &master, &clock, bootstrap, hand_over).await?;
    let keystile = Keystile::open(store, &master, clock).await?;
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
    let server = keystile_http::serve(listener, settings.limits.workers, state, document)?;
    teller.tell(&url, secrets.as_ref())?;
    let stopping = tokio::spawn(signals.obey(server.handle(), health, settings.limits.drain_delay));
    server.await?;
    stopping.abort();
    tracing::info!("stopped");
    Ok(())
}

async fn open_store(database: &Database) -> anyhow::Result<(Store, Option<ServerLock>)> {
    let (url, direct, lock) = match database {
        Database::Sqlite { path } => (Url::Sqlite(path.clone()), None, Some(lock_server(path)?)),
        Database::Postgres { url, direct_url } => {
            (Url::Postgres(url.clone()), Some(direct_url), None)
        }
    };
    let options = StoreOptions { url, pool_size: POOL_SIZE, acquire_timeout: ACQUIRE_TIMEOUT };
    let store = Store::open(options, &tokio::runtime::Handle::current())?;
    store.migrate(direct).await?;
    Ok((store, lock))
}

/// Nobody but the server's own user may look into a data directory that is made here; one that was
/// there before is the operator's.
fn make_private(directory: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make the data directory {}", directory.display()))
}

const POOL_SIZE: usize = 16;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

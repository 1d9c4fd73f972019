//! The application on an empty database, with a clock that a test holds.

use std::{rc::Rc, sync::Arc, time::Duration};

use acceptance::Database;
use actix_web::{dev::Service, test, web::Data};
use futures_util::future::LocalBoxFuture;
use keystile_auth::{Clock, FixedClock, TrustedProxies};
use keystile_domain::{Secret, Timestamp};
use keystile_http::{Batches, Health, Limits, Metrics, State, service};
use keystile_service::{
    Keystile, MasterKey,
    first_start::{Bootstrap, initialise},
};
use keystile_storage::{Store, StoreOptions, Url};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::client::{Answer, Client};

/// The application, for one test.
pub struct Stage {
    pub clock: Arc<FixedClock>,
    pub store: Store,
    pub state: Data<State>,
    answering: Answering,
    _directory: TempDir,
}

type Answering = Box<dyn Fn(test::TestRequest) -> LocalBoxFuture<'static, Answer>>;

impl Stage {
    /// An application that has just been started for the first time, at [`NOW`].
    pub async fn new(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Postgres(address) => Url::Postgres(address.into()),
            Database::Sqlite => Url::Sqlite(directory.path().join("keystile.db")),
        };
        let options = StoreOptions { url, pool_size: 4, acquire_timeout: Duration::from_secs(30) };
        let store = Store::open(options, &Handle::current()).unwrap();
        store.migrate(None).await.unwrap();
        let clock = Arc::new(FixedClock::new(at(0)));
        let keystile = first_started(&store, clock.clone()).await;
        let state = state(keystile);
        let answering = answering(state.clone()).await;
        Self { clock, store, state, answering, _directory: directory }
    }

    /// Somebody who shows this key.
    pub fn client(&self, key: &str) -> Client<'_> {
        Client::new(self, key)
    }

    /// The administrator.
    pub fn admin(&self) -> Client<'_> {
        self.client(ADMIN_KEY)
    }

    /// Moves the clock to so many milliseconds after [`NOW`].
    pub fn set_clock(&self, offset: i64) {
        self.clock.set(at(offset));
    }

    /// Writes what was counted, as the server does every few seconds.
    pub async fn flush_usage(&self) {
        self.state.keystile.flush_usage().await.unwrap();
    }

    pub async fn answer(&self, request: test::TestRequest) -> Answer {
        (self.answering)(request).await
    }
}

/// The moment so many milliseconds after [`NOW`].
pub fn at(offset: i64) -> Timestamp {
    Timestamp::from_millis(NOW + offset)
}

/// The same as the API writes it.
pub fn text_at(offset: i64) -> String {
    at(offset).to_string()
}

async fn first_started(store: &Store, clock: Arc<FixedClock>) -> Keystile {
    let master = MasterKey::from_bytes([7; 32]);
    let clock: Arc<dyn Clock> = clock;
    let bootstrap = Bootstrap {
        admin_key: Some(Secret::parse(ADMIN_KEY).unwrap()),
        admin_password: Some("correct-horse-battery-staple".into()),
        public_url: "http://keystile.test".to_owned(),
    };
    initialise(store, &master, &clock, bootstrap, |_| Ok(())).await.unwrap();
    Keystile::open(store.clone(), &master, clock, Default::default()).await.unwrap()
}

fn state(keystile: Keystile) -> Data<State> {
    Data::new(State {
        keystile,
        trusted_proxies: TrustedProxies::default(),
        insecure_http_from: "127.0.0.0/8".parse().unwrap(),
        limits: Limits {
            request_timeout: Duration::from_secs(30),
            max_header_bytes: 16 * 1024,
            max_body_bytes: 64 * 1024,
        },
        health: Health::default(),
        batches: Batches::default(),
        metrics: Metrics::default(),
    })
}

async fn answering(state: Data<State>) -> Answering {
    let service = Rc::new(service(state, false).await.unwrap());
    Box::new(move |request| {
        let service = Rc::clone(&service);
        let request = request.peer_addr("127.0.0.1:50000".parse().unwrap()).to_request();
        Box::pin(async move {
            let response = service.call(request).await.unwrap();
            Answer::read(response).await
        })
    })
}

/// 2027-01-15T08:00:00Z.
pub const NOW: i64 = 1_800_000_000_000;

const ADMIN_KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";

//! Several nodes on one PostgreSQL database, or one on a file and whoever works beside it.

use std::sync::Arc;
use std::time::Duration;

use acceptance::{Database, Postgres};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use keystile_auth::{Clock, FixedClock};
use keystile_domain::{ApiKeyId, Expiry, Seq, Timestamp};
use keystile_service::api_keys::{ApiKeyChange, ApiKeyDraft};
use keystile_service::change::Options as ChangeOptions;
use keystile_service::cluster::{Following, Lease, Revocation};
use keystile_service::first_start::{Bootstrap, initialise};
use keystile_service::{Caller, Keystile, Options, Refused};
use keystile_storage::{Store, StoreOptions, Url};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::stage::{caller, draft, issue, master, secret_of};

/// A database on which Keystile was started once.
pub struct Stage {
    url: Url,
    admin_secret: String,
    _directory: TempDir,
}

/// A node, whose time passes as it is told.
pub struct Node {
    pub keystile: Keystile,
    pub store: Store,
    pub clock: Arc<FixedClock>,
}

/// A key that is checked.
pub struct Key {
    pub id: ApiKeyId,
    secret: String,
}

impl Stage {
    /// None where there is no PostgreSQL.
    pub async fn new() -> Option<Self> {
        Some(Self::on(Database::postgres().await?).await)
    }

    /// On this database.
    pub async fn on(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Postgres(url) => Url::Postgres(url.into()),
            Database::Sqlite => Url::Sqlite(directory.path().join("keystile.db")),
        };
        let store = open(&url);
        store.migrate(None).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::new(Timestamp::from_millis(START)));
        let bootstrap =
            Bootstrap { public_url: "http://keystile.test".to_owned(), ..Bootstrap::default() };
        let secrets = initialise(&store, &master(1), &clock, bootstrap, |_| Ok(())).await;
        let admin = secrets.unwrap().unwrap().admin_key.unwrap();
        Self { url, admin_secret: admin.expose().to_owned(), _directory: directory }
    }

    /// Somebody who works with the database and is no node, or not yet.
    pub async fn stranger(&self, lease: Duration) -> Node {
        let (store, clock) =
            (open(&self.url), Arc::new(FixedClock::new(Timestamp::from_millis(START))));
        let options = Options { lease: Lease::try_from(lease).unwrap(), ..Options::default() };
        let opened = Keystile::open(store.clone(), &master(1), clock.clone(), options).await;
        Node { keystile: opened.unwrap(), store, clock }
    }

    /// One more node.
    pub async fn node(&self) -> Node {
        let node = self.stranger(LEASE).await;
        node.keystile.join().await.unwrap();
        node
    }

    /// The administrator, as this node knows it.
    pub async fn admin(&self, node: &Node) -> Caller {
        caller(&node.keystile, &self.admin_secret).await.unwrap()
    }

    /// A new key, made by this node.
    pub async fn key(&self, node: &Node) -> Key {
        self.key_until(node, None).await
    }

    /// A new key that ends then, made by this node.
    pub async fn key_until(&self, node: &Node, expiry: Option<Expiry>) -> Key {
        let draft = ApiKeyDraft { expiry, ..draft("k") };
        let issued = issue(&node.keystile, &self.admin(node).await, draft).await.unwrap();
        Key { id: issued.shown.api_key.id, secret: secret_of(&issued).to_owned() }
    }

    /// Ends a key, by this node.
    pub async fn revoke(&self, node: &Node, key: &Key) {
        let change = ApiKeyChange { enabled: Some(false), ..ApiKeyChange::default() };
        let admin = self.admin(node).await;
        let update =
            node.keystile.update_api_key(&admin, key.id, None, change, ChangeOptions::default());
        update.await.unwrap();
    }

    /// Does something to the database that no node ever would.
    pub async fn tamper(&self, sql: &str) {
        match &self.url {
            Url::Postgres(url) => {
                let (_, database) = url.expose_secret().rsplit_once('/').unwrap();
                Postgres::shared().execute(database, sql).await;
            }
            Url::Sqlite(file) => {
                let mut raw = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
                raw.batch_execute(sql).unwrap();
            }
        }
    }
}

impl Node {
    /// Begins to follow the feed.
    pub fn follow(&self) -> Following<'_> {
        self.keystile.follow_feed(self.store.feed(None).unwrap())
    }

    /// Whether it lets the key in.
    pub async fn lets_in(&self, key: &Key) -> bool {
        self.judge(key).await.is_ok()
    }

    /// Lets the key in, or says why not.
    pub async fn judge(&self, key: &Key) -> Result<Caller, Refused> {
        caller(&self.keystile, &key.secret).await
    }

    /// How many nodes are registered.
    pub async fn nodes(&self) -> usize {
        self.store.read().await.unwrap().list_nodes().await.unwrap().len()
    }

    /// The end of the log.
    pub async fn head(&self) -> Seq {
        self.store.read().await.unwrap().head().await.unwrap().0
    }

    /// Waits until what was changed is in force everywhere.
    pub async fn wait(&self) -> Revocation {
        self.keystile.wait_for_verifiers().await.unwrap()
    }
}

/// How long the leases of these nodes are.
pub const LEASE: Duration = Duration::from_secs(2);
/// The same and the margin for clocks that run at other rates.
pub const OVER: Duration = Duration::from_millis(2_070);

fn open(url: &Url) -> Store {
    let url = url.clone();
    let options = StoreOptions { url, pool_size: 4, acquire_timeout: Duration::from_secs(5) };
    Store::open(options, &Handle::current()).unwrap()
}

const START: i64 = 1_000_000_000_000;

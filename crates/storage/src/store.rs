//! The way in: a pool of connections to the database that the URL names.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::QueueMode;
use diesel::IntoSql;
use diesel::sql_types::Integer;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, PoolableConnection};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::conn::{Link, on_conn};
use crate::dump::{dump_postgres, dump_sqlite};
use crate::group::Queue;
use crate::postgres::{Connector, Unproven};
use crate::sqlite::{self, SqliteLink};
use crate::transaction::Transaction;
use crate::{Books, Conn, DumpError, OpenError, Sink, StoreError, Tx, lock, migrations};

/// Where the data are, and how they are reached.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The database.
    pub url: Url,
    /// How many connections there are at most.
    pub pool_size: usize,
    /// How long somebody waits for a connection, or a change for its turn, before it fails.
    pub acquire_timeout: Duration,
}

/// Where the data are.
#[derive(Clone, Debug)]
pub enum Url {
    /// `postgres://user:password@host/database`, with `sslmode` and `sslrootcert` as PostgreSQL's
    /// own client reads them.
    Postgres(SecretString),
    /// A file, made where it is not there; its directory must be.
    Sqlite(PathBuf),
}

/// The connections to the database, as they are at one moment. Under load the numbers may belong to
/// slightly different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// How many there may be.
    pub most: usize,
    /// How many there are.
    pub open: usize,
    /// How many of them nobody uses.
    pub idle: usize,
    /// How many tasks wait for one.
    pub waiting: usize,
}

/// The database. Cheap to clone: every clone shares the connections.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    handle: Handle,
    pub(crate) acquire_timeout: Duration,
    /// Changes happen one after the other in any case. Waiting for their turn here, in order, they
    /// hold no connection that a check could use.
    turn: Arc<Semaphore>,
    /// Changes that may share a transaction, and with it a turn.
    pub(crate) queue: Arc<Queue>,
    unproven: Unproven,
}

impl Store {
    /// Prepares connections; none is made before one is needed. `handle` is the runtime that
    /// drives them, which must outlive every other.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the address cannot be read or names root certificates that cannot.
    pub fn open(options: StoreOptions, handle: &Handle) -> Result<Self, OpenError> {
        let unproven = Unproven::default();
        let backend = match &options.url {
            Url::Postgres(address) => {
                let connector = Connector::new(address, unproven.clone())?;
                let pool = pool(connector.clone().manager(handle), &options)?;
                Backend::Postgres { pool, connector: Arc::new(connector) }
            }
            Url::Sqlite(file) => {
                let pool = pool(sqlite::manager(file, handle), &options)?;
                Backend::Sqlite { pool, file: file.clone() }
            }
        };
        Ok(Self {
            backend,
            handle: handle.clone(),
            acquire_timeout: options.acquire_timeout,
            turn: Arc::new(Semaphore::new(1)),
            queue: Arc::default(),
            unproven,
        })
    }

    /// Brings the schema up to date; any number of servers may do so at once.
    ///
    /// `direct` is a way to a PostgreSQL database past a connection pooler, which could not hold
    /// the lock that this takes.
    ///
    /// # Errors
    ///
    /// [`OpenError::NewerSchema`] if a newer version of the program used the database before, and
    /// whatever else stops it.
    pub async fn migrate(&self, direct: Option<&SecretString>) -> Result<(), OpenError> {
        let migrated = match &self.backend {
            Backend::Postgres { connector, .. } => {
                let connector = match direct {
                    Some(address) => Connector::new(address, self.unproven.clone())?,
                    None => Connector::clone(connector),
                };
                let connecting = self.handle.spawn(async move { connector.connect().await });
                let link = connecting.await.map_err(StoreError::unavailable)?;
                let link = link.map_err(StoreError::unavailable)?;
                self.handle.spawn_blocking(move || migrations::run_postgres(link)).await
            }
            Backend::Sqlite { file, .. } => {
                let file = file.clone();
                self.handle.spawn_blocking(move || migrations::run_sqlite(&file)).await
            }
        };
        migrated.map_err(StoreError::unavailable)?
    }

    /// Whether the schema is that of this version of the program, neither older nor newer.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        match self.read().await?.list_migrations().await {
            Ok(applied) => Ok(migrations::versions().is_ok_and(|known| known == applied)),
            // There is no list yet.
            Err(StoreError::Query(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads everything that is worth keeping, as it stood at one moment, and gives the sink back.
    /// Whoever writes meanwhile is not held up.
    ///
    /// # Errors
    ///
    /// [`DumpError`] says what stopped it.
    pub async fn dump<S: Sink>(&self, sink: S) -> Result<S, DumpError> {
        let dumped = match &self.backend {
            Backend::Postgres { connector, .. } => {
                let connector = Arc::clone(connector);
                let dumping = async move {
                    let link = connector.connect().await.map_err(StoreError::unavailable)?;
                    dump_postgres(link, sink).await
                };
                self.handle.spawn(dumping).await
            }
            Backend::Sqlite { file, .. } => {
                let file = file.clone();
                self.handle.spawn_blocking(move || dump_sqlite(&file, sink)).await
            }
        };
        dumped.map_err(StoreError::unavailable)?
    }

    /// Asks the database for nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it does not answer within a second: whoever asks wants to know
    /// now.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let asking = async {
            let mut conn = self.read().await?;
            on_conn!(conn, |link| {
                diesel::select(1.into_sql::<Integer>()).get_result::<i32>(link).await?
            });
            Ok(())
        };
        tokio::time::timeout(PING, asking).await.map_err(StoreError::unavailable)?
    }

    /// Whether servers may be working with the database: with a file, whether one has taken it. Of
    /// PostgreSQL nobody can know it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the lock beside the file cannot be looked at.
    pub fn may_be_served(&self) -> Result<bool, StoreError> {
        match &self.backend {
            Backend::Postgres { .. } => Ok(true),
            Backend::Sqlite { file, .. } => lock::is_served(file).map_err(StoreError::unavailable),
        }
    }

    /// Lends a connection for reading.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if none comes in time.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(Conn(match &self.backend {
            Backend::Postgres { pool, .. } => Link::Postgres(Box::new(pool.get().await?)),
            Backend::Sqlite { pool, .. } => Link::Sqlite(pool.get().await?),
        }))
    }

    /// Begins a change that shares its commit with no other, as soon as those before it have
    /// ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if its turn does not come in time, [`StoreError::Unavailable`] if no
    /// connection does.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let turn = self.turn().await?;
        Tx::begin(self.transaction(Some(turn)).await?).await
    }

    /// Begins bookkeeping: on PostgreSQL at once, on SQLite when its turn among the changes comes,
    /// because a file has one writer.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin).
    pub async fn books(&self) -> Result<Books, StoreError> {
        let turn = match &self.backend {
            Backend::Postgres { .. } => None,
            Backend::Sqlite { .. } => Some(self.turn().await?),
        };
        Ok(Books { transaction: self.transaction(turn).await? })
    }

    /// The connections, as they are at this moment.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        let status = match &self.backend {
            Backend::Postgres { pool, .. } => pool.status(),
            Backend::Sqlite { pool, .. } => pool.status(),
        };
        PoolStatus {
            most: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs what makes many calls to the database.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.backend {
            Backend::Postgres { .. } => self.handle.spawn(work),
            Backend::Sqlite { .. } => sqlite::spawn(&self.handle, work),
        }
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        match tokio::time::timeout(self.acquire_timeout, turn).await {
            Ok(turn) => turn.map_err(StoreError::unavailable),
            Err(_elapsed) => Err(StoreError::Busy),
        }
    }

    async fn transaction(
        &self,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Transaction, StoreError> {
        Transaction::begin(self.read().await?, self.unproven.clone(), turn).await
    }
}

#[derive(Clone)]
pub(crate) enum Backend {
    Postgres { pool: Pool<AsyncPgConnection>, connector: Arc<Connector> },
    Sqlite { pool: Pool<SqliteLink>, file: PathBuf },
}

fn pool<C>(
    manager: AsyncDieselConnectionManager<C>,
    options: &StoreOptions,
) -> Result<Pool<C>, OpenError>
where
    C: PoolableConnection + 'static,
    AsyncDieselConnectionManager<C>: deadpool::managed::Manager<Type = C>,
{
    let timeout = Some(options.acquire_timeout);
    Pool::builder(manager)
        .max_size(options.pool_size)
        .runtime(Runtime::Tokio1)
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(timeout)
        .create_timeout(timeout)
        .recycle_timeout(timeout)
        .build()
        .map_err(OpenError::Pool)
}

const PING: Duration = Duration::from_secs(1);

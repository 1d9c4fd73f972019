//! A migrated store on an empty database, and changes made to it as the service makes them.

use std::time::Duration;

use acceptance::Database;
use keystile_domain::{ChainHash, ChainKey, EventDraft, SealedEvent, Seq};
use keystile_storage::{Store, StoreError, StoreOptions, Tx, Url};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::samples;

/// A store of its own for one test.
pub struct Stage {
    pub store: Store,
    pub options: StoreOptions,
    _directory: TempDir,
}

impl Stage {
    /// A store with the tables and nothing in them.
    pub async fn new(database: Database) -> Self {
        let stage = Self::blank(database, 4);
        stage.store.migrate(None).await.unwrap();
        stage
    }

    /// A store with a provider and the built-in roles, which keys need.
    pub async fn furnished(database: Database) -> Self {
        let stage = Self::new(database).await;
        stage.change(furnish).await;
        stage
    }

    /// A store without tables.
    pub fn blank(database: Database, pool_size: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Postgres(address) => Url::Postgres(address.into()),
            Database::Sqlite => Url::Sqlite(directory.path().join("keystile.db")),
        };
        let options = StoreOptions { url, pool_size, acquire_timeout: Duration::from_secs(30) };
        let store = Store::open(options.clone(), &Handle::current()).unwrap();
        Self { store, options, _directory: directory }
    }

    /// The same database through connections of its own, as another server has it.
    pub fn another(&self, pool_size: usize, acquire_timeout: Duration) -> Store {
        let options = StoreOptions { pool_size, acquire_timeout, ..self.options.clone() };
        Store::open(options, &Handle::current()).unwrap()
    }

    /// Runs one change, and commits it with one event.
    pub async fn change<T>(&self, write: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>) -> T {
        let mut tx = self.store.begin().await.unwrap();
        let written = write(&mut tx).await.unwrap();
        commit(tx).await.unwrap();
        written
    }

    /// Runs one change that fails, and returns why.
    pub async fn refused<T>(
        &self,
        write: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> StoreError {
        let mut tx = self.store.begin().await.unwrap();
        match write(&mut tx).await {
            Ok(_) => panic!("the change was not refused"),
            Err(error) => error,
        }
    }
}

/// Stores what keys need.
pub async fn furnish(tx: &mut Tx) -> Result<(), StoreError> {
    tx.insert_provider(&samples::provider("api-keys", 1)).await?;
    for role in samples::built_in_roles() {
        tx.insert_role(&role).await?;
    }
    Ok(())
}

/// Commits a change with one event.
pub async fn commit(tx: Tx) -> Result<Seq, StoreError> {
    let events = sealed(tx.seq(), tx.previous(), [samples::draft()]);
    tx.commit(events).await
}

/// Seals events that follow each other.
pub fn sealed(
    mut seq: Seq,
    mut previous: ChainHash,
    drafts: impl IntoIterator<Item = EventDraft>,
) -> Vec<SealedEvent> {
    let seal = |draft| {
        let sealed =
            chain().seal(samples::event(seq, draft), previous, [[1; 16], [2; 16], [3; 16]]);
        (seq, previous) = (seq.next(), sealed.hash);
        sealed
    };
    drafts.into_iter().map(seal).collect()
}

/// The key that seals the events of all tests.
pub fn chain() -> ChainKey {
    ChainKey::from_bytes(&[7; 32])
}

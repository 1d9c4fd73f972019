//! Opening what the settings name: the data directory and the database.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use keystile_storage::{ServerLock, Store, StoreOptions, Url, lock_server};

use crate::settings::Database;

/// Opens the database, brings its schema up to date, and keeps a second process off a file.
pub async fn open_store(database: &Database) -> anyhow::Result<(Store, Option<ServerLock>)> {
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
pub fn make_private(directory: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make the data directory {}", directory.display()))
}

const POOL_SIZE: usize = 16;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

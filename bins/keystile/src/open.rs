//! Opening what the settings name: the data directory and the database.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use keystile_service::MasterKey;
use keystile_service::first_start::is_initialised_under;
use keystile_storage::{ServerLock, Store, StoreOptions, Url, lock_server};

use crate::master_key;
use crate::settings::{Database, Flags, Settings, Sources};

/// Opens the database, brings its schema up to date, and keeps a second process off a file.
pub async fn open_store(database: &Database) -> anyhow::Result<(Store, Option<ServerLock>)> {
    let (url, lock) = match database {
        Database::Sqlite { path } => (Url::Sqlite(path.clone()), Some(lock_server(path)?)),
        Database::Postgres { url, .. } => (Url::Postgres(url.clone()), None),
    };
    let options = StoreOptions { url, pool_size: POOL_SIZE, acquire_timeout: ACQUIRE_TIMEOUT };
    let store = Store::open(options, &tokio::runtime::Handle::current())?;
    store.migrate(database.direct_url()).await?;
    Ok((store, lock))
}

/// Opens a database that a server may be serving, and its master key.
pub async fn open_beside(flags: Flags) -> anyhow::Result<(Store, MasterKey)> {
    let settings = load(flags)?;
    let store = open_store_beside(&settings.database).await?;
    let master = master_key::load(settings.master_key, &settings.data_dir, true)?;
    if !is_initialised_under(&store, &master).await? {
        bail!("the database is empty: no server was ever started on it");
    }
    Ok((store, master))
}

/// Opens a database that a server may be serving; its schema must be that of this version already.
pub async fn open_store_beside(database: &Database) -> anyhow::Result<Store> {
    let url = match database {
        Database::Sqlite { path } if !path.exists() => {
            bail!("there is no database at {}", path.display())
        }
        Database::Sqlite { path } => Url::Sqlite(path.clone()),
        Database::Postgres { direct_url, .. } => Url::Postgres(direct_url.clone()),
    };
    let options = StoreOptions { url, pool_size: POOL_SIZE, acquire_timeout: ACQUIRE_TIMEOUT };
    let store = Store::open(options, &tokio::runtime::Handle::current())?;
    if !store.is_migrated().await? {
        bail!("the database has another schema than this version of Keystile works with");
    }
    Ok(store)
}

/// Reads the settings of a command, and tells of what is odd about them.
pub fn load(flags: Flags) -> anyhow::Result<Settings> {
    let (settings, warnings) = Settings::from_sources(&Sources::gather(flags)?)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    Ok(settings)
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

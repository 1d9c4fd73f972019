//! Connections to an SQLite file: how they are set up, and how their blocking calls are kept off
//! the threads that serve requests.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::fs::OpenOptions;
use std::future::ready;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};

use diesel::connection::SimpleConnection;
use diesel::result::ConnectionError;
use diesel::{Connection, ConnectionResult, SqliteConnection};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A connection whose calls run on the blocking threads of the main runtime.
pub(crate) type SqliteLink = SyncConnectionWrapper<SqliteConnection, BlockingThreads>;

/// The blocking threads of one runtime.
///
/// diesel-async's own choice would be those of whichever runtime opens the connection, and it
/// panics when a call is dropped on a single-threaded runtime, as web workers are.
pub(crate) struct BlockingThreads(Handle);

/// Makes the pool's connections to `file`.
pub(crate) fn manager(file: &Path, handle: &Handle) -> AsyncDieselConnectionManager<SqliteLink> {
    let file = file.to_owned();
    let handle = handle.clone();
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let (file, handle) = (file.clone(), handle.clone());
        Box::pin(async move {
            match handle.spawn_blocking(move || open_for_changes(&file)).await {
                Ok(link) => Ok(SyncConnectionWrapper::with_runtime(link?, BlockingThreads(handle))),
                Err(error) => Err(ConnectionError::BadConnection(error.to_string())),
            }
        })
    });
    AsyncDieselConnectionManager::new_with_config("", config)
}

/// Makes the file, if it is not there, so that its owner alone can read it, and with it the files
/// that SQLite will put beside it. Blocks.
pub(crate) fn create(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Never opens one that is there: closing it again would drop the locks that SQLite has on it.
    match options.write(true).create_new(true).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens the file, which is made if it is not there. Blocks.
pub(crate) fn open(file: &Path) -> ConnectionResult<SqliteConnection> {
    let Some(path) = file.to_str() else {
        return Err(ConnectionError::InvalidConnectionUrl("the path is not UTF-8".to_owned()));
    };
    let mut link = SqliteConnection::establish(path)?;
    link.batch_execute(PRAGMAS).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(link)
}

/// Opens it for changes that share a transaction. What a savepoint would put back is kept in memory:
/// in a file, as SQLite has it by default from a few pages on, it took more time than the changes.
///
/// Not for migrations, whose sorting may take more than there is memory.
fn open_for_changes(file: &Path) -> ConnectionResult<SqliteConnection> {
    let mut link = open(file)?;
    link.batch_execute("PRAGMA temp_store = MEMORY")
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(link)
}

/// Runs on a blocking thread, from beginning to end, what makes many calls: moving each of them
/// there by itself takes longer than most of them do.
pub(crate) fn spawn<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let handle = runtime.clone();
    runtime.spawn_blocking(move || {
        let _here = MayBlock::here();
        handle.block_on(work)
    })
}

/// While it lives, calls need not be moved away from this thread.
struct MayBlock;

impl MayBlock {
    fn here() -> Self {
        MAY_BLOCK.set(true);
        Self
    }
}

impl Drop for MayBlock {
    fn drop(&mut self) {
        MAY_BLOCK.set(false);
    }
}

thread_local! {
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

impl SpawnBlocking for BlockingThreads {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<R, Box<dyn Error + Send + Sync>>> + Send + 'a>>
    where
        R: Send + 'static,
    {
        if MAY_BLOCK.get() {
            return Box::pin(ready(Ok(task())));
        }
        let (running, ended) = mpsc::channel();
        let task = self.0.spawn_blocking(move || {
            let _running = running;
            task()
        });
        Box::pin(Call { task, ended })
    }

    fn get_runtime() -> Self {
        Self(Handle::current())
    }
}

/// A call that is under way.
///
/// Dropped early, it waits for the call's end: the connection goes back to the pool right after,
/// and must not still be at work then. Calls are short, except those that wait for the write lock,
/// and a [`Tx`](crate::Tx) waits for its turn before it makes them.
struct Call<R> {
    task: JoinHandle<R>,
    ended: mpsc::Receiver<Infallible>,
}

impl<R> Future for Call<R> {
    type Output = Result<R, Box<dyn Error + Send + Sync>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx).map_err(Into::into)
    }
}

impl<R> Drop for Call<R> {
    fn drop(&mut self) {
        // Nothing is ever sent: this returns when the call has dropped its end of the channel.
        let _ = self.ended.recv();
    }
}

/// In this order: changing the journal may already have to wait for others.
///
/// `synchronous = FULL`, since with NORMAL a power loss took back 400 of 400 acknowledged commits,
/// and a revoked key came back to life.
const PRAGMAS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = -8000;
";

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    use super::*;

    #[derive(QueryableByName)]
    struct Settings {
        #[diesel(sql_type = Text)]
        settings: String,
    }

    #[test]
    fn a_commit_is_on_the_disk_before_it_is_acknowledged() {
        let directory = tempfile::tempdir().unwrap();
        let mut link = open(&directory.path().join("keystile.db")).unwrap();
        let read = "
            SELECT journal_mode || ' ' || synchronous || ' ' || foreign_keys AS settings
            FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys";
        let read: Settings = diesel::sql_query(read).get_result(&mut link).unwrap();
        assert_eq!(read.settings, "wal 2 1");
    }
}

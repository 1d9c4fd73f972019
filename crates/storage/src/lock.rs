//! Locks beside an SQLite file: one server for one file, one migration at a time.
//!
//! The operating system drops them with the process, however it ends; the files stay.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::{OpenError, sqlite};

/// Holds an SQLite file for this process, until it is dropped.
#[derive(Debug)]
#[must_use = "the file is free again as soon as this is dropped"]
pub struct ServerLock {
    _file: File,
}

/// Takes the SQLite file `database` for this process.
///
/// Two servers on one file would each keep their own memory of it, and a revocation on one would
/// not be in force on the other.
///
/// # Errors
///
/// [`OpenError::InUse`] names the process that has it; [`OpenError::File`] if the lock file beside
/// it cannot be made.
pub fn lock_server(database: &Path) -> Result<ServerLock, OpenError> {
    let path = beside(&real(database)?, ".server.lock");
    let failed = |source| OpenError::File { path: path.clone(), source };
    let mut file = open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(ServerLock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Who holds it may not have written its name yet.
            let read = file.read_to_string(&mut pid);
            let pid = if read.is_ok() && !pid.is_empty() { pid } else { "unknown".to_owned() };
            Err(OpenError::InUse { path: database.to_owned(), pid })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Whether somebody has taken the file. Who takes it at this very moment may find it in use.
pub(crate) fn is_served(database: &Path) -> Result<bool, OpenError> {
    let path = beside(&real(database)?, ".server.lock");
    let failed = |source| OpenError::File { path: path.clone(), source };
    match open(&path).map_err(failed)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Waits until no other process migrates `database`, and keeps them away. Blocks.
pub(crate) fn lock_migrations(database: &Path) -> Result<File, OpenError> {
    let path = beside(&real(database)?, ".migrate.lock");
    let locked = open(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| OpenError::File { path, source })
}

/// Where the file really is: whoever reaches it by a link must meet the same lock.
fn real(database: &Path) -> Result<PathBuf, OpenError> {
    sqlite::create(database)
        .and_then(|()| database.canonicalize())
        .map_err(|source| OpenError::File { path: database.to_owned(), source })
}

/// The owner's alone: whoever could open it could lock it, and no server would start.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.read(true).write(true).create(true).truncate(false).open(path)
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(ending);
    path.into()
}

//! The schema's history, built into the program, and how a database is brought to its end.
//!
//! Several servers may start at once: on PostgreSQL an advisory lock, on SQLite a lock file lets
//! one of them work while the others wait, and then find nothing to do.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{OpenError, lock, sqlite};

/// Brings the SQLite file up to date. Blocks.
pub(crate) fn run_sqlite(file: &Path) -> Result<(), OpenError> {
    let _lock = lock::lock_migrations(file)?;
    let mut link = sqlite::open(file).map_err(|error| OpenError::Migration(error.into()))?;
    run(&mut link, SQLITE)
}

/// Brings the PostgreSQL database up to date. Blocks, and so must run on a blocking thread.
pub(crate) fn run_postgres(link: AsyncPgConnection) -> Result<(), OpenError> {
    let mut link = AsyncConnectionWrapper::<AsyncPgConnection>::from(link);
    // The lock belongs to the connection: it is free again when that closes, at the latest.
    link.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).map_err(failed)?;
    run(&mut link, POSTGRES)?;
    link.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})")).map_err(failed)
}

/// The versions of all migrations, in order.
pub(crate) fn versions() -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let known = MigrationSource::<Sqlite>::migrations(&SQLITE)?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn run<DB: Backend, C: MigrationHarness<DB>>(
    link: &mut C,
    migrations: EmbeddedMigrations,
) -> Result<(), OpenError>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known = MigrationSource::<DB>::migrations(&migrations).map_err(OpenError::Migration)?;
    let known: BTreeSet<String> =
        known.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = link.applied_migrations().map_err(OpenError::Migration)?;
    let newer = applied.iter().map(ToString::to_string).find(|version| !known.contains(version));
    if let Some(version) = newer {
        return Err(OpenError::NewerSchema { version });
    }
    link.run_pending_migrations(migrations).map_err(OpenError::Migration)?;
    Ok(())
}

fn failed(error: diesel::result::Error) -> OpenError {
    OpenError::Migration(error.into())
}

/// Any number that no other program on the same database takes: "keystile" in ASCII.
const LOCK: i64 = 0x6b65_7973_7469_6c65;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;

    use super::*;

    fn names<DB: Backend>(migrations: &EmbeddedMigrations) -> Vec<String>
    where
        EmbeddedMigrations: MigrationSource<DB>,
    {
        let migrations = MigrationSource::<DB>::migrations(migrations).unwrap();
        migrations.iter().map(|migration| migration.name().to_string()).collect()
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        assert_eq!(names::<Sqlite>(&SQLITE), names::<Pg>(&POSTGRES));
        assert!(!names::<Sqlite>(&SQLITE).is_empty());
    }
}

//! Connections past the store, for what the store never does.

use std::path::Path;

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use keystile_storage::Url;
use secrecy::ExposeSecret;

use crate::stage::Stage;

/// A connection past the store, for a blocking thread.
pub enum Raw {
    Postgres(Box<AsyncConnectionWrapper<AsyncPgConnection>>),
    Sqlite(SqliteConnection),
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Raw {
    /// Reads one column of text, by a statement for each database.
    pub fn lines(&mut self, [sqlite, postgres]: [&str; 2]) -> Vec<String> {
        let lines: Vec<Line> = match self {
            Self::Postgres(raw) => diesel::sql_query(postgres).load(&mut **raw),
            Self::Sqlite(raw) => diesel::sql_query(sqlite).load(raw),
        }
        .unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// Runs a statement that both databases understand.
    pub fn execute(&mut self, sql: &str) {
        self.try_execute(sql).unwrap();
    }

    /// Runs a statement that both databases may refuse.
    pub fn try_execute(&mut self, sql: &str) -> QueryResult<usize> {
        match self {
            Self::Postgres(raw) => diesel::sql_query(sql).execute(&mut **raw),
            Self::Sqlite(raw) => diesel::sql_query(sql).execute(raw),
        }
    }

    /// Runs a statement for each database.
    pub fn execute_each(&mut self, [sqlite, postgres]: [&str; 2]) {
        match self {
            Self::Postgres(_) => self.execute(postgres),
            Self::Sqlite(_) => self.execute(sqlite),
        }
    }

    /// Makes every migration.
    pub fn run_all(&mut self) {
        match self {
            Self::Postgres(raw) => run_all(&mut **raw, "postgres"),
            Self::Sqlite(raw) => run_all(raw, "sqlite"),
        }
    }

    /// Takes every migration back.
    pub fn revert_all(&mut self) {
        match self {
            Self::Postgres(raw) => revert_all(&mut **raw, "postgres"),
            Self::Sqlite(raw) => revert_all(raw, "sqlite"),
        }
    }
}

/// Runs something on a connection of its own to the database of a stage.
pub async fn on_raw<T: Send + 'static>(
    stage: &Stage,
    run: impl FnOnce(&mut Raw) -> T + Send + 'static,
) -> T {
    let url = stage.options.url.clone();
    let run = move || {
        run(&mut match url {
            Url::Postgres(url) => {
                Raw::Postgres(Box::new(Connection::establish(url.expose_secret()).unwrap()))
            }
            Url::Sqlite(file) => {
                Raw::Sqlite(Connection::establish(file.to_str().unwrap()).unwrap())
            }
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn run_all<DB: Backend>(raw: &mut impl MigrationHarness<DB>, folder: &str)
where
    FileBasedMigrations: MigrationSource<DB>,
{
    raw.run_pending_migrations(files(folder)).unwrap();
}

fn revert_all<DB: Backend>(raw: &mut impl MigrationHarness<DB>, folder: &str)
where
    FileBasedMigrations: MigrationSource<DB>,
{
    raw.revert_all_migrations(files(folder)).unwrap();
}

fn files(folder: &str) -> FileBasedMigrations {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    FileBasedMigrations::from_path(root.join(folder)).unwrap()
}

//! Everything that is worth keeping, read as it stood at one moment and in a form that either
//! database takes back.
//!
//! The databases themselves write rows as JSON arrays and read them again: no table has code of its
//! own here, and what is a column of bytes or a truth value, only the database at hand knows. Bytes
//! are hexadecimal digits in between, and truth values what each database calls them, which the
//! other understands.

mod catalogue;
mod postgres;
mod sqlite;

use std::io;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use keystile_domain::{ChainHash, Seq};

pub(crate) use self::catalogue::{Column, Dialect};
pub(crate) use self::postgres::dump as dump_postgres;
pub(crate) use self::sqlite::dump as dump_sqlite;
use crate::columns::bytes;
use crate::{OpenError, StoreError};

/// Takes what is read, as it comes: first the moment, then each table with its rows.
pub trait Sink: Send + 'static {
    /// Takes the moment at which everything that follows was so.
    ///
    /// # Errors
    ///
    /// Whatever stops it, and so the reading.
    fn moment(&mut self, moment: &Moment) -> io::Result<()>;

    /// Takes the beginning of a table: its name, and those of its columns.
    ///
    /// # Errors
    ///
    /// Whatever stops it, and so the reading.
    fn table(&mut self, name: &str, columns: &[String]) -> io::Result<()>;

    /// Takes a row of the table that began last: a JSON array in one line.
    ///
    /// # Errors
    ///
    /// Whatever stops it, and so the reading.
    fn row(&mut self, row: &str) -> io::Result<()>;
}

/// What a database was at one moment, beside its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is rebuilt from a file")]
pub struct Moment {
    /// The migrations that it had.
    pub migrations: Vec<String>,
    /// The end of its log.
    pub head: (Seq, ChainHash),
    /// The number of the pepper that new secrets stood under.
    pub pepper: i32,
    /// The highest id that a role ever had, deleted or not: none is given twice.
    pub last_role_id: i64,
}

/// Why not everything was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The database has another schema than this version of the program.
    #[error("the database has another schema than this version of Keystile")]
    OtherSchema,
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Whoever takes what is read could not.
    #[error("what was read could not be written")]
    Sink(#[from] io::Error),
    /// The database could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for DumpError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A row, or a name.
#[derive(QueryableByName)]
pub(crate) struct Line {
    #[diesel(sql_type = Text)]
    pub(crate) line: String,
}

#[derive(QueryableByName)]
struct Facts {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Integer)]
    pepper: i32,
    #[diesel(sql_type = BigInt)]
    last_role_id: i64,
}

impl Facts {
    fn at(self, migrations: Vec<Line>) -> Result<Moment, StoreError> {
        let hash = ChainHash::from_bytes(bytes(&self.hash, "feed_head.hash")?);
        Ok(Moment {
            migrations: migrations.into_iter().map(|line| line.line).collect(),
            head: (Seq(self.seq), hash),
            pepper: self.pepper,
            last_role_id: self.last_role_id,
        })
    }
}

pub(crate) const MIGRATIONS: &str =
    "SELECT version AS line FROM __diesel_schema_migrations ORDER BY version";

/// What is kept, each table behind those that its rows refer to.
pub(crate) const TABLES: [&str; 23] = [
    "meta",
    "peppers",
    "roles",
    "providers",
    "formats",
    "users",
    "user_roles",
    "identities",
    "api_keys",
    "api_key_roles",
    "quota_uses",
    "tokens",
    "secrets",
    "tombstones",
    "import_schemes",
    "imports",
    "signing_keys",
    "spent_tokens",
    "usage_hours",
    "last_uses",
    "exercises",
    "old_secret_uses",
    "events",
];

/// What is not: the end of the log is part of the moment; nodes and their leases are of a cluster
/// that is gone; a session that was ended since would live again, and so none does; the others are
/// good for minutes, or keep a secret that was to be forgotten within a day.
#[cfg(test)]
const LEFT_OUT: [&str; 7] =
    ["feed_head", "nodes", "refresh_tokens", "replays", "sessions", "sign_in_failures", "tickets"];

#[cfg(test)]
mod tests {
    use diesel::RunQueryDsl;

    use super::*;
    use crate::migrations;

    #[test]
    fn every_table_is_kept_or_left_out_on_purpose() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keystile.db");
        migrations::run_sqlite(&file).unwrap();
        let names = "SELECT name AS line FROM sqlite_master WHERE type = 'table'
                     AND name NOT LIKE 'sqlite%' AND name <> '__diesel_schema_migrations'";
        let mut link = crate::sqlite::open(&file).unwrap();
        let found: Vec<Line> = diesel::sql_query(names).load(&mut link).unwrap();
        for Line { line } in found {
            let places = [&TABLES[..], &LEFT_OUT].map(|tables| tables.contains(&line.as_str()));
            assert!(places[0] != places[1], "{line} is in no backup, and nobody decided so");
        }
    }
}

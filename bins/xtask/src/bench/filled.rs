//! A server with many keys, made past it: by SQL, because nobody can wait until ten million keys
//! are made one batch after the other. Some are made by the server itself, and these are shown.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::keys::Keys;
use super::target::Target;
use crate::step;

/// A directory with the data of a server that has stopped, and the keys that it made.
pub struct Filled {
    pub directory: PathBuf,
    pub keys: Keys,
}

impl Filled {
    /// Makes `in_use` keys by the server, and `others` that differ from one of these in nothing but
    /// their names, their secrets, which nobody has, and the millisecond in which they were made.
    pub fn new(directory: PathBuf, in_use: usize, others: usize) -> Result<Self> {
        let server = Target::keystile_on_all_cores(&directory)?;
        let keys = Keys::prepare(&server, &directory, in_use, in_use)?;
        drop(server);
        step::say(&format!("store {others} keys more"));
        let file = directory.join("keystile.db");
        let mut statements = FAST.to_owned();
        for (table, columns) in COPIED {
            statements += &copy(&file, table, columns, others)?;
        }
        sqlite(&file, &format!("{statements} COMMIT;"))?;
        Ok(Self { directory, keys })
    }
}

/// A statement that puts so many copies of the last key's row into a table. In `columns` are those
/// in which they differ, and how.
fn copy(file: &Path, table: &str, columns: &[(&str, &str)], count: usize) -> Result<String> {
    let names = sqlite(file, &format!("SELECT name FROM pragma_table_info('{table}');"))?;
    let (key, _) = columns.first().context("a key is named in each table")?;
    let values: Vec<_> = names
        .lines()
        .map(|name| columns.iter().find(|(own, _)| *own == name).map_or(name, |(_, value)| value))
        .collect();
    Ok(format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {count})
         INSERT INTO {table} SELECT {} FROM numbers
         CROSS JOIN (SELECT * FROM {table} WHERE {key} = (SELECT max(id) FROM api_keys WHERE id < '{LATE}'));",
        values.join(", ")
    ))
}

fn sqlite(file: &Path, statements: &str) -> Result<String> {
    let mut sqlite = Command::new("sqlite3");
    sqlite.args(["-bail", "-batch"]).arg(file).arg(statements);
    step::output("sqlite3", sqlite)
}

/// The first column is that of the key. Digests grow with their number, as no others do, so that
/// each table is written from one end to the other.
const COPIED: [(&str, &[(&str, &str)]); 3] = [
    (
        "api_keys",
        &[
            ("id", ID),
            ("name", "printf('key-%08d', n)"),
            ("name_folded", "printf('key-%08d', n)"),
            ("created_at", "created_at + n"),
        ],
    ),
    ("api_key_roles", &[("key_id", ID)]),
    (
        "secrets",
        &[("credential_id", ID), ("digest", "CAST(printf('%016x', n) || randomblob(16) AS BLOB)")],
    ),
];

const ID: &str = "printf('ffffffff-0000-7000-8000-%012x', n)";
/// No server makes an id so late.
const LATE: &str = "ffffffff";

/// Whoever loses power here begins anew.
const FAST: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -200000;
    BEGIN;
";

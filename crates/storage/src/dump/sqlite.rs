//! Reading an SQLite file. In its write-ahead log a reader keeps its moment, and writers go on.

use std::path::Path;

use diesel::RunQueryDsl;
use diesel::connection::{DefaultLoadingMode, SimpleConnection};

use super::{Column, Dialect, DumpError, Facts, Line, MIGRATIONS, Sink, TABLES};
use crate::{OpenError, StoreError, migrations, sqlite};

/// Reads everything. Blocks.
pub(crate) fn dump<S: Sink>(file: &Path, mut sink: S) -> Result<S, DumpError> {
    let mut link = sqlite::open(file).map_err(StoreError::unavailable)?;
    link.batch_execute("BEGIN")?;
    // The first statement that reads is what fixes the moment.
    let applied: Vec<Line> = diesel::sql_query(MIGRATIONS).load(&mut link)?;
    let facts: Facts = diesel::sql_query(FACTS).get_result(&mut link)?;
    let moment = facts.at(applied)?;
    if moment.migrations != migrations::versions().map_err(OpenError::Migration)? {
        return Err(DumpError::OtherSchema);
    }
    sink.moment(&moment)?;
    for table in TABLES {
        let columns = diesel::sql_query(Dialect::Sqlite.columns(table));
        let columns: Vec<Column> = columns.load(&mut link)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        sink.table(table, &names)?;
        let rows = diesel::sql_query(Dialect::Sqlite.select(table, &columns));
        for row in rows.load_iter::<Line, DefaultLoadingMode>(&mut link)? {
            sink.row(&row?.line)?;
        }
    }
    Ok(sink)
}

const FACTS: &str = "
    SELECT seq, hash, pepper,
           (SELECT seq FROM sqlite_sequence WHERE name = 'roles') AS last_role_id
    FROM feed_head";

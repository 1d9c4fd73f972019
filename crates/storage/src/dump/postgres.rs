//! Reading a PostgreSQL database, in a transaction that sees what was committed when it began.

use std::pin::pin;

use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::TryStreamExt;

use super::{Column, Dialect, DumpError, Facts, Line, MIGRATIONS, Sink, TABLES};
use crate::{OpenError, migrations};

/// Reads everything.
pub(crate) async fn dump<S: Sink>(
    mut link: AsyncPgConnection,
    mut sink: S,
) -> Result<S, DumpError> {
    link.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let applied: Vec<Line> = diesel::sql_query(MIGRATIONS).load(&mut link).await?;
    let facts: Facts = diesel::sql_query(FACTS).get_result(&mut link).await?;
    let moment = facts.at(applied)?;
    if moment.migrations != migrations::versions().map_err(OpenError::Migration)? {
        return Err(DumpError::OtherSchema);
    }
    sink.moment(&moment)?;
    for table in TABLES {
        let columns = diesel::sql_query(Dialect::Postgres.columns(table));
        let columns: Vec<Column> = columns.load(&mut link).await?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        sink.table(table, &names)?;
        let rows = diesel::sql_query(Dialect::Postgres.select(table, &columns));
        let mut rows = pin!(rows.load_stream::<Line>(&mut link).await?);
        while let Some(row) = rows.try_next().await? {
            sink.row(&row.line)?;
        }
    }
    Ok(sink)
}

const FACTS: &str = "
    SELECT seq, hash, pepper,
           (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM roles_id_seq)
               AS last_role_id
    FROM feed_head";

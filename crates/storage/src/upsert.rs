//! Many rows at once that add to those that are there. They travel as one text of JSON, which both
//! databases read: a statement for each row takes SQLite longer to prepare than to run.

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde::Serialize;

use crate::conn::{Link, on_conn};
use crate::{Books, StoreError};

/// A row that may be there already. It is written as an array, with a member for each column.
///
/// Rows of one statement must differ in the columns that tell them apart, and be in the order of
/// those: no statement may meet a row twice, and two nodes that write the same rows in different
/// orders would wait for each other.
pub(crate) trait Upsert: Serialize {
    /// `INSERT INTO … SELECT …`, out of the array `value`. What is no text is cast.
    const INSERT: &'static str;
    /// `(…) DO UPDATE SET …`: what becomes of a row that is there.
    const CONFLICT: &'static str;
}

impl Books {
    /// Stores the rows, or adds them to those that are there.
    pub(crate) async fn upsert<R: Upsert>(&mut self, rows: &[R]) -> Result<(), StoreError> {
        let each = match &self.0 {
            Link::Postgres(_) => "json_array_elements($1::json) AS row (value)",
            Link::Sqlite(_) => "json_each(?)",
        };
        for rows in rows.chunks(AT_ONCE) {
            let rows = serde_json::to_string(rows).ok().ok_or(StoreError::Corrupt("rows"))?;
            let (insert, conflict) = (R::INSERT, R::CONFLICT);
            // Without a condition SQLite would take ON CONFLICT for the join of two tables.
            let statement = format!("{insert} FROM {each} WHERE true ON CONFLICT {conflict}");
            let statement = diesel::sql_query(statement).bind::<Text, _>(rows);
            on_conn!(self, |link| statement.execute(link).await?);
        }
        Ok(())
    }
}

/// How many rows one text has.
const AT_ONCE: usize = 5_000;

//! Many rows for PostgreSQL at once, as one array for each column. The statement is as long for ten
//! thousand rows as for one: to read as many `VALUES` takes the server longer than to store them.

use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::StoreError;
use crate::conn::in_time;

/// A row that can be stored with many others.
pub(crate) trait Bulk: Sized {
    /// The statement that stores them.
    fn insert(rows: &[Self]) -> BoxedSqlQuery<'_, Pg, SqlQuery>;
}

/// Says which field of a row each column of its table is.
macro_rules! bulk {
    ($row:ident, $table:ident, { $($column:ident: $($field:ident).+,)* }) => {
        impl $crate::bulk::Bulk for $row {
            fn insert(
                rows: &[Self],
            ) -> ::diesel::query_builder::BoxedSqlQuery<
                '_,
                ::diesel::pg::Pg,
                ::diesel::query_builder::SqlQuery,
            > {
                use ::diesel::Expression;
                use ::diesel::sql_types::Array;
                let columns = [$(stringify!($column)),*];
                let parameters: Vec<_> =
                    (1..=columns.len()).map(|number| format!("${number}")).collect();
                let insert = format!(
                    "INSERT INTO {} ({}) SELECT * FROM unnest({})",
                    stringify!($table),
                    columns.join(", "),
                    parameters.join(", "),
                );
                let insert = ::diesel::sql_query(insert).into_boxed();
                $(let insert = insert.bind::<Array<<$table::$column as Expression>::SqlType>, _>(
                    rows.iter().map(|row| &row.$($field).+).collect::<Vec<_>>(),
                );)*
                insert
            }
        }
    };
}

pub(crate) use bulk;

/// Stores rows by one statement.
pub(crate) async fn insert<R: Bulk>(
    link: &mut AsyncPgConnection,
    rows: &[R],
) -> Result<(), StoreError> {
    in_time(async { Ok(R::insert(rows).execute(link).await?) }).await.map(drop)
}

/// From how many rows on it is worth it.
pub(crate) const MANY: usize = 100;

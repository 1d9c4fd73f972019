//! One lent connection, and the macros that run one query on either database.
//!
//! A query is a value without a backend; only running it picks one. So the macros paste the running
//! into an arm for each database, where the compiler checks it against that database alone.

use std::time::Duration;

use deadpool::managed::Object;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;

use crate::StoreError;
use crate::sqlite::SqliteLink;

/// One connection of the pool, which goes back to it when this is dropped.
///
/// Its methods are the reads. Outside of a [`Tx`](crate::Tx), each statement sees the newest that
/// was committed.
pub struct Conn(pub(crate) Link);

pub(crate) enum Link {
    /// Boxed for its size: every future that holds a connection would be as large.
    Postgres(Box<Object<AsyncDieselConnectionManager<AsyncPgConnection>>>),
    Sqlite(Object<AsyncDieselConnectionManager<SqliteLink>>),
}

/// Runs an expression on the connection of a [`Conn`], whichever database it leads to.
///
/// A row that is the only one of its key is asked for by `get_result`. `first` has a limit, which is
/// a parameter, and SQLite prepares a statement anew whenever such a parameter gets its value.
macro_rules! on_conn {
    ($conn:expr, |$link:ident| $body:expr) => {
        match &mut $conn.0 {
            $crate::conn::Link::Postgres(object) => {
                let $link = &mut ***object;
                $crate::conn::in_time(async { Ok($body) }).await?
            }
            $crate::conn::Link::Sqlite(object) => {
                let $link = &mut **object;
                $body
            }
        }
    };
}

/// Inserts a vector of rows.
///
/// SQLite gets them one by one, since it knows no `DEFAULT` for several, but in one blocking call:
/// 2.9 µs a row instead of 50.6. PostgreSQL gets as many at once as its 65,535 parameters allow.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {{
        let rows: Vec<_> = $rows;
        match &mut $conn.0 {
            $crate::conn::Link::Postgres(object) => {
                for chunk in rows.chunks($crate::conn::ROWS_AT_ONCE) {
                    let insert = ::diesel::insert_into($table).values(chunk);
                    let insert = ::diesel_async::RunQueryDsl::execute(insert, &mut ***object);
                    $crate::conn::in_time(async { Ok(insert.await?) }).await?;
                }
            }
            $crate::conn::Link::Sqlite(_) if rows.is_empty() => {}
            $crate::conn::Link::Sqlite(object) => {
                let insert = move |link: &mut ::diesel::SqliteConnection| {
                    rows.iter().try_for_each(|row| {
                        let insert = ::diesel::insert_into($table).values(row);
                        ::diesel::RunQueryDsl::execute(insert, link).map(drop)
                    })
                };
                object.spawn_blocking(insert).await?;
            }
        }
    }};
}

/// Inserts a vector of rows that know how to go in [`bulk`](crate::bulk).
macro_rules! insert_many {
    ($conn:expr, $table:expr, $rows:expr) => {{
        let rows: Vec<_> = $rows;
        match &mut $conn.0 {
            $crate::conn::Link::Postgres(object) if rows.len() >= $crate::bulk::MANY => {
                $crate::bulk::insert(&mut ***object, &rows).await?;
            }
            _ => $crate::conn::insert_all!($conn, $table, rows),
        }
    }};
}

pub(crate) use {insert_all, insert_many, on_conn};

/// Waits for PostgreSQL, but not for one that has stopped in the middle: its machine goes on
/// acknowledging what it is sent, so that nothing else would ever end the wait.
pub(crate) async fn in_time<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(PATIENCE, work).await.map_err(StoreError::unavailable)?
}

/// More than PostgreSQL itself waits for a lock, and so longer than any statement of ours takes.
const PATIENCE: Duration = Duration::from_secs(7);

/// 32 columns, the most that a table here may have, times this stays below PostgreSQL's limit.
pub(crate) const ROWS_AT_ONCE: usize = 2_000;

/// How many keys of rows a statement names: SQLite takes no more than 32,766 parameters.
pub(crate) const KEYS_AT_ONCE: usize = 10_000;

//! Putting what was read elsewhere into an empty database, as one change.

use diesel::prelude::*;
use diesel::query_builder::SqlQuery;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use keystile_domain::{Seq, Timestamp};
use uuid::Uuid;

use crate::columns::parse;
use crate::conn::{Link, in_time, on_conn};
use crate::dump::{Column, Dialect, Line, MIGRATIONS, Moment, TABLES};
use crate::schema::{api_keys, tokens};
use crate::{Conn, StoreError, Tx, migrations};

/// A table that rows are put into.
#[derive(Clone, Debug)]
pub struct RestoredTable {
    insert: String,
}

/// Why a database takes nothing back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreRefusal {
    /// Something was kept in it already.
    #[error("the database is not empty: restore into a new one")]
    NotEmpty,
    /// What is to be restored comes from a newer schema.
    #[error(
        "a newer version of Keystile made this: it has migration {0}, which this version does not \
         know"
    )]
    NewerSchema(String),
    /// There is no such table, or column.
    #[error("there is no place for {0}")]
    NoPlace(String),
    /// The database could not be asked, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Conn {
    pub(crate) async fn list_migrations(&mut self) -> Result<Vec<String>, StoreError> {
        let applied = diesel::sql_query(MIGRATIONS);
        let applied: Vec<Line> = on_conn!(self, |link| applied.load(link).await?);
        Ok(applied.into_iter().map(|line| line.line).collect())
    }
}

impl Tx {
    /// Makes sure that nothing was ever kept in the database, and that it can take what comes from
    /// that moment. Until this change has ended nobody else keeps anything in it.
    ///
    /// # Errors
    ///
    /// [`RestoreRefusal`] says what is in the way.
    pub async fn begin_restore(&mut self, moment: &Moment) -> Result<(), RestoreRefusal> {
        // Whatever is kept begins with an event.
        if self.seq() != Seq(1) {
            return Err(RestoreRefusal::NotEmpty);
        }
        let known = migrations::versions().ok().ok_or(StoreError::Corrupt("migrations"))?;
        let newer = moment.migrations.iter().find(|version| !known.contains(version));
        if let Some(version) = newer {
            return Err(RestoreRefusal::NewerSchema(version.clone()));
        }
        if let Link::Postgres(link) = &mut self.0 {
            // What comes may come slowly.
            let wait = "SET LOCAL idle_in_transaction_session_timeout = 0";
            let wait = async { Ok(link.batch_execute(wait).await?) };
            in_time(wait).await?;
        }
        Ok(())
    }

    /// Finds the place for rows that have these columns. Columns that came later than the rows have
    /// the value of a row from before them.
    ///
    /// # Errors
    ///
    /// [`RestoreRefusal::NoPlace`] if there is none.
    pub async fn restored_table(
        &mut self,
        table: &str,
        columns: &[String],
    ) -> Result<RestoredTable, RestoreRefusal> {
        let no_place = |name: &str| RestoreRefusal::NoPlace(format!("{name:?}"));
        if !TABLES.contains(&table) {
            return Err(no_place(table));
        }
        let dialect = match &self.0 {
            Link::Postgres(_) => Dialect::Postgres,
            Link::Sqlite(_) => Dialect::Sqlite,
        };
        let read = diesel::sql_query(dialect.columns(table));
        let present: Vec<Column> = self.catalogue(read).await?;
        let find = |name: &String| {
            let column = present.iter().find(|column| column.name == *name);
            column.ok_or_else(|| no_place(&format!("{table}.{name}")))
        };
        let columns = columns.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        Ok(RestoredTable { insert: dialect.insert(table, &columns) })
    }

    /// Puts rows into a table: a JSON array of arrays.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the rows contradict the schema, or the database does not answer.
    pub async fn restore_rows(
        &mut self,
        table: &RestoredTable,
        rows: &str,
    ) -> Result<(), StoreError> {
        let insert = diesel::sql_query(&table.insert).bind::<Text, _>(rows);
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }

    /// Continues the log where it ended at that moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn restore_head(&mut self, moment: &Moment) -> Result<(), StoreError> {
        let last = diesel::sql_query(match &self.0 {
            Link::Postgres(_) => "SELECT setval('roles_id_seq', $1)",
            Link::Sqlite(_) => "UPDATE sqlite_sequence SET seq = ? WHERE name = 'roles'",
        });
        let last = last.bind::<BigInt, _>(moment.last_role_id);
        on_conn!(self, |link| last.execute(link).await?);
        self.take_pepper(moment.pepper).await?;
        self.continue_from(moment.head);
        Ok(())
    }

    /// Lists the keys and tokens that were made or changed at a moment or later.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_credentials_changed_since(
        &mut self,
        moment: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let moment = moment.as_millis();
        let keys = api_keys::table.filter(api_keys::updated_at.ge(moment)).select(api_keys::id);
        let tokens = tokens::table.filter(tokens::updated_at.ge(moment)).select(tokens::id);
        let mut ids: Vec<String> = on_conn!(self, |link| keys.load(link).await?);
        ids.extend::<Vec<String>>(on_conn!(self, |link| tokens.load(link).await?));
        ids.iter().map(|id| parse(id, "api_keys.id")).collect()
    }

    async fn catalogue(&mut self, read: SqlQuery) -> Result<Vec<Column>, StoreError> {
        Ok(on_conn!(self, |link| read.load(link).await?))
    }
}

//! Facts about the installation as a whole, by name.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::conn::on_conn;
use crate::schema::meta;
use crate::{Conn, StoreError, Tx};

impl Conn {
    /// Finds a fact.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn find_meta(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let query = meta::table.find(name).select(meta::value);
        on_conn!(self, |link| Ok(query.get_result(link).await.optional()?))
    }
}

impl Tx {
    /// Writes a fact, in place of an older one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let put = diesel::insert_into(meta::table)
            .values((meta::name.eq(name), meta::value.eq(value)))
            .on_conflict(meta::name)
            .do_update()
            .set(meta::value.eq(value));
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }
}

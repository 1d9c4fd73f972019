//! The keys that sign access tokens, shared by all nodes: the private halves are sealed before they
//! come here.

use std::fmt;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Expiry, JwtAlgorithm, Timestamp};

use crate::columns::{from_expiry, parameter, parse, to_expiry};
use crate::conn::on_conn;
use crate::schema::signing_keys;
use crate::{Conn, StoreError, Tx};

/// A signing key, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// What the headers of its tokens call it (RFC 7515, section 4.1.4).
    pub kid: String,
    /// The one algorithm that it signs with.
    pub algorithm: JwtAlgorithm,
    /// The public half: a JWK (RFC 7517) as JSON.
    pub public_key: String,
    /// The private half, encrypted under a key that the database never sees.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs; until then it is only shown, so that everybody knows it by then.
    pub signs_from: Timestamp,
    /// From when on it neither signs nor counts: whatever it signed is refused.
    pub retired_at: Expiry,
}

impl fmt::Debug for StoredSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Conn {
    /// Lists every signing key in the order in which they were made, retired ones among them for
    /// as long as they are kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_signing_keys(&mut self) -> Result<Vec<StoredSigningKey>, StoreError> {
        let query = signing_keys::table.order((signing_keys::created_at, signing_keys::kid));
        let rows =
            on_conn!(self, |link| query.select(SigningKeyRow::as_select()).load(link).await?);
        rows.into_iter().map(SigningKeyRow::read).collect()
    }
}

impl Tx {
    /// Stores a new signing key.
    ///
    /// # Errors
    ///
    /// [`Conflict::Value`](crate::Conflict::Value) if another key is called so.
    pub async fn insert_signing_key(&mut self, key: &StoredSigningKey) -> Result<(), StoreError> {
        let insert = diesel::insert_into(signing_keys::table).values(SigningKeyRow::new(key));
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }

    /// Sets from when on a key neither signs nor counts, in place of what was set before.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such key.
    pub async fn retire_signing_key(&mut self, kid: &str, at: Timestamp) -> Result<(), StoreError> {
        let put = diesel::update(signing_keys::table.find(parameter(kid)))
            .set(signing_keys::retired_at.eq(at.as_millis()));
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Forgets the keys that were retired before a moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_signing_keys_retired_before(
        &mut self,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let old =
            diesel::delete(signing_keys::table).filter(signing_keys::retired_at.lt(at.as_millis()));
        on_conn!(self, |link| old.execute(link).await?);
        Ok(())
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = signing_keys)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct SigningKeyRow {
    kid: String,
    algorithm: String,
    public_key: String,
    sealed: Vec<u8>,
    created_at: i64,
    signs_from: i64,
    retired_at: i64,
}

impl SigningKeyRow {
    fn new(key: &StoredSigningKey) -> Self {
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm.as_str().to_owned(),
            public_key: key.public_key.clone(),
            sealed: key.sealed.clone(),
            created_at: key.created_at.as_millis(),
            signs_from: key.signs_from.as_millis(),
            retired_at: from_expiry(key.retired_at),
        }
    }

    fn read(self) -> Result<StoredSigningKey, StoreError> {
        Ok(StoredSigningKey {
            algorithm: parse(&self.algorithm, "signing_keys.algorithm")?,
            kid: self.kid,
            public_key: self.public_key,
            sealed: self.sealed,
            created_at: Timestamp::from_millis(self.created_at),
            signs_from: Timestamp::from_millis(self.signs_from),
            retired_at: to_expiry(self.retired_at),
        })
    }
}

//! The formats that keys have or had: a text that fits none of them is junk, without a look-up.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{KeyLength, SecretFormat};

use crate::columns::parse;
use crate::conn::on_conn;
use crate::schema::formats;
use crate::{Conn, StoreError, Tx};

impl Conn {
    /// Lists every format that was ever remembered.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_formats(&mut self) -> Result<Vec<SecretFormat>, StoreError> {
        let query = formats::table.order((formats::prefix, formats::encoding, formats::key_length));
        let rows: Vec<(String, String, i32)> = on_conn!(self, |link| query.load(link).await?);
        rows.iter().map(|(prefix, encoding, length)| format(prefix, encoding, *length)).collect()
    }
}

impl Tx {
    /// Remembers a format; one that is remembered already stays so.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remember_format(&mut self, format: &SecretFormat) -> Result<(), StoreError> {
        let put = diesel::insert_into(formats::table)
            .values((
                formats::prefix.eq(format.prefix.as_str()),
                formats::encoding.eq(format.encoding.as_str()),
                formats::key_length.eq(i32::from(format.key_length.bytes())),
            ))
            .on_conflict_do_nothing();
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }
}

fn format(prefix: &str, encoding: &str, length: i32) -> Result<SecretFormat, StoreError> {
    let key_length = u8::try_from(length).ok().and_then(|length| KeyLength::new(length).ok());
    Ok(SecretFormat {
        prefix: parse(prefix, "formats.prefix")?,
        encoding: parse(encoding, "formats.encoding")?,
        key_length: key_length.ok_or(StoreError::Corrupt("formats.key_length"))?,
    })
}

//! The formats that keys have or had: a text that fits none of them is junk, without a look-up.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{KeyLength, SecretFormat, Timestamp};

use crate::columns::parse;
use crate::conn::on_conn;
use crate::schema::{formats, secrets};
use crate::{Conn, StoreError, Tx};

impl Conn {
    /// Lists every format that is remembered.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_formats(&mut self) -> Result<Vec<SecretFormat>, StoreError> {
        let query = formats::table
            .order((formats::prefix, formats::encoding, formats::key_length))
            .select((formats::prefix, formats::encoding, formats::key_length));
        let rows: Vec<(String, String, i32)> = on_conn!(self, |link| query.load(link).await?);
        rows.iter().map(|(prefix, encoding, length)| format(prefix, encoding, *length)).collect()
    }

    /// Whether a secret that works, or could work again, has the format or may have it.
    ///
    /// Where few do, this reads through every secret there is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn is_format_alive(
        &mut self,
        format: &SecretFormat,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let counted = row(format).select(formats::counted);
        let counted: Option<bool> =
            on_conn!(self, |link| counted.get_result(link).await.optional()?);
        if counted == Some(false) {
            return Ok(true);
        }
        let living = secrets::table
            .filter(secrets::format.eq(format.to_string()))
            .filter(secrets::current.or(secrets::ends_at.gt(now.as_millis())));
        let living = diesel::select(diesel::dsl::exists(living));
        Ok(on_conn!(self, |link| living.get_result(link).await?))
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
                formats::counted.eq(true),
            ))
            .on_conflict_do_nothing();
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }

    /// Forgets a format.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn forget_format(&mut self, format: &SecretFormat) -> Result<(), StoreError> {
        on_conn!(self, |link| diesel::delete(row(format)).execute(link).await?);
        Ok(())
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn row<'f>(format: &'f SecretFormat) -> _ {
    let prefix: &'f str = format.prefix.as_str();
    let encoding: &'f str = format.encoding.as_str();
    let key_length: i32 = i32::from(format.key_length.bytes());
    formats::table.find((prefix, encoding, key_length))
}

fn format(prefix: &str, encoding: &str, length: i32) -> Result<SecretFormat, StoreError> {
    let key_length = u8::try_from(length).ok().and_then(|length| KeyLength::new(length).ok());
    Ok(SecretFormat {
        prefix: parse(prefix, "formats.prefix")?,
        encoding: parse(encoding, "formats.encoding")?,
        key_length: key_length.ok_or(StoreError::Corrupt("formats.key_length"))?,
    })
}

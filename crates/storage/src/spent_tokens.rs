//! JWTs that are not accepted again, although they have not ended: our own that were revoked, and
//! those of others that were traded.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::Timestamp;

use crate::columns::parameter;
use crate::conn::on_conn;
use crate::schema::spent_tokens;
use crate::{Books, Conn, StoreError, Tx};

impl Conn {
    /// Whether a token was spent; its name, `jti`, is its issuer's choice (RFC 7519, section
    /// 4.1.7).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn is_spent(&mut self, issuer: &str, jti: &str) -> Result<bool, StoreError> {
        let query = spent_tokens::table.find((parameter(issuer), parameter(jti))).count();
        let spent: i64 = on_conn!(self, |link| query.get_result(link).await?);
        Ok(spent > 0)
    }
}

impl Tx {
    /// Remembers that a token must not be accepted again, at least until it ends at `ends_at`.
    /// Returns whether it was accepted so far: of many who try at once, one is told so.
    ///
    /// Issuer and name together stay below 2,000 bytes, which is for the caller to see to: longer
    /// ones fit into no index of PostgreSQL.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn spend_token(
        &mut self,
        issuer: &str,
        jti: &str,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let put = diesel::insert_into(spent_tokens::table)
            .values((
                spent_tokens::issuer.eq(parameter(issuer)),
                spent_tokens::jti.eq(parameter(jti)),
                spent_tokens::ends_at.eq(ends_at.as_millis()),
            ))
            .on_conflict_do_nothing();
        Ok(on_conn!(self, |link| put.execute(link).await?) == 1)
    }
}

impl Books {
    /// Forgets the tokens that have ended: nobody accepts them anyway.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_ended_spent_tokens(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let ended =
            diesel::delete(spent_tokens::table).filter(spent_tokens::ends_at.le(now.as_millis()));
        on_conn!(self, |link| ended.execute(link).await?);
        Ok(())
    }
}

//! Refresh tokens: each works once, and is remembered afterwards, so that whoever shows it again is
//! found out (RFC 9700, section 4.14.2).

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Digest, SessionId, Timestamp};

use crate::columns::parse;
use crate::conn::{Link, in_time, on_conn};
use crate::schema::{refresh_tokens, sessions};
use crate::transaction::Transaction;
use crate::{Books, Conn, StoreError, Tx};

/// A refresh token, without its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session that it prolongs.
    pub session: SessionId,
    /// Whether it still works; `false`: it was used.
    pub current: bool,
    /// When it ends, used or not.
    pub ends_at: Timestamp,
}

/// A refresh token that was just used, perhaps not for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The session that it prolongs.
    pub session: SessionId,
    /// Whether this was its first use. If not, it was stolen, from its holder or by them, and the
    /// session must end.
    pub was_current: bool,
    /// When it ends; that may be past.
    pub ends_at: Timestamp,
}

impl Conn {
    /// Finds a refresh token, whether or not it was used or has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_refresh_token(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<RefreshToken>, StoreError> {
        let query = refresh_tokens::table.find(digest.as_bytes().as_slice()).select((
            refresh_tokens::session_id,
            refresh_tokens::current,
            refresh_tokens::ends_at,
        ));
        let row: Option<(String, bool, i64)> =
            on_conn!(self, |link| query.get_result(link).await.optional()?);
        row.map(|(session, current, ends_at)| {
            let session = parse(&session, "refresh_tokens.session_id")?;
            Ok(RefreshToken { session, current, ends_at: Timestamp::from_millis(ends_at) })
        })
        .transpose()
    }
}

impl Tx {
    /// Stores the first refresh token of a session.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if there is no such session.
    pub async fn insert_refresh_token(
        &mut self,
        session: SessionId,
        digest: &Digest,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transaction.insert_refresh_token(session, digest, ends_at).await
    }
}

impl Books {
    /// Stores the refresh token that follows a spent one.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if there is no such session.
    pub async fn insert_refresh_token(
        &mut self,
        session: SessionId,
        digest: &Digest,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transaction.insert_refresh_token(session, digest, ends_at).await
    }

    /// Uses a refresh token up. Of many who try at once, one is told that it was current.
    ///
    /// That it works no more lasts only with the commit.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn spend_refresh_token(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<Spent>, StoreError> {
        self.hold_session_of(digest).await?;
        let current = refresh_tokens::table
            .find(digest.as_bytes().as_slice())
            .filter(refresh_tokens::current);
        let spend = diesel::update(current).set(refresh_tokens::current.eq(false));
        let was_current = on_conn!(self, |link| spend.execute(link).await?) == 1;
        let token = self.find_refresh_token(digest).await?;
        Ok(token.map(|RefreshToken { session, ends_at, .. }| Spent {
            session,
            was_current,
            ends_at,
        }))
    }

    /// Takes hold of the session before the token, as whoever ends the session does: in the other
    /// order, the two would wait for each other. SQLite has one lock for everything.
    async fn hold_session_of(&mut self, digest: &Digest) -> Result<(), StoreError> {
        if let Link::Postgres(link) = &mut self.0 {
            let session = refresh_tokens::table
                .find(digest.as_bytes().as_slice())
                .select(refresh_tokens::session_id);
            let hold = sessions::table
                .filter(sessions::id.eq_any(session))
                .select(sessions::id)
                .for_key_share();
            in_time(async { Ok(hold.execute(&mut ***link).await?) }).await?;
        }
        Ok(())
    }
}

impl Transaction {
    async fn insert_refresh_token(
        &mut self,
        session: SessionId,
        digest: &Digest,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = diesel::insert_into(refresh_tokens::table).values((
            refresh_tokens::digest.eq(digest.as_bytes().as_slice()),
            refresh_tokens::session_id.eq(session.to_string()),
            refresh_tokens::current.eq(true),
            refresh_tokens::ends_at.eq(ends_at.as_millis()),
        ));
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }
}

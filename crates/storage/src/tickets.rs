//! Tickets: what each opens is sealed, so that whoever writes into this table makes none.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Digest, Timestamp};

use crate::conn::on_conn;
use crate::schema::tickets;
use crate::{Books, Conn, StoreError};

/// A ticket, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTicket {
    /// What it opens, and in whose name, under a key that the database never sees.
    pub sealed: Vec<u8>,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl std::fmt::Debug for StoredTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredTicket(..)")
    }
}

impl Conn {
    /// Finds a ticket that was not used yet, whether or not it has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn find_ticket(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<StoredTicket>, StoreError> {
        let query = tickets::table
            .find(digest.as_bytes().to_vec())
            .select((tickets::sealed, tickets::ends_at));
        let row: Option<(Vec<u8>, i64)> =
            on_conn!(self, |link| query.get_result(link).await.optional()?);
        Ok(row.map(|(sealed, ends_at)| StoredTicket {
            sealed,
            ends_at: Timestamp::from_millis(ends_at),
        }))
    }
}

impl Books {
    /// Keeps a new ticket.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn insert_ticket(
        &mut self,
        digest: &Digest,
        ticket: &StoredTicket,
    ) -> Result<(), StoreError> {
        let insert = diesel::insert_into(tickets::table).values((
            tickets::digest.eq(digest.as_bytes().to_vec()),
            tickets::sealed.eq(&ticket.sealed),
            tickets::ends_at.eq(ticket.ends_at.as_millis()),
        ));
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }

    /// Takes a ticket away. Returns whether it was there: of many who try at once, one is told so.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn take_ticket(&mut self, digest: &Digest) -> Result<bool, StoreError> {
        let take = diesel::delete(tickets::table.find(digest.as_bytes().to_vec()));
        Ok(on_conn!(self, |link| take.execute(link).await?) == 1)
    }

    /// Forgets the tickets that have ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_ended_tickets(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let ended = diesel::delete(tickets::table).filter(tickets::ends_at.le(now.as_millis()));
        on_conn!(self, |link| ended.execute(link).await?);
        Ok(())
    }
}

//! A change: one transaction, which ends with the events that tell of it or not at all.

use std::ops::{Deref, DerefMut};

use deadpool::managed::Object;
use diesel::connection::AnsiTransactionManager as SyncTransactions;
use diesel::prelude::*;
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, RunQueryDsl, SimpleAsyncConnection, TransactionManager,
};
use keystile_domain::{ChainHash, SealedEvent, Seq};
use tokio::sync::OwnedSemaphorePermit;

use crate::columns::bytes;
use crate::conn::{Link, in_time, on_conn};
use crate::postgres::Unproven;
use crate::schema::feed_head;
use crate::{Conn, StoreError};

/// A change under way. It has the reads of [`Conn`], and alone the writes.
///
/// Whatever it reads stays so until it ends, because no other change can begin before. Dropped, it
/// changes nothing.
#[must_use = "a change that is not committed changes nothing"]
pub struct Tx {
    /// `None` only while a method that takes `self` ends the transaction.
    conn: Option<Conn>,
    seq: Seq,
    previous: ChainHash,
    unproven: Unproven,
    /// Given back last, when the next one can begin.
    _turn: OwnedSemaphorePermit,
}

impl Tx {
    /// Takes the head of the log before anything is read, so that everything that is read is as
    /// the last change left it.
    pub(crate) async fn begin(
        conn: Conn,
        unproven: Unproven,
        turn: OwnedSemaphorePermit,
    ) -> Result<Self, StoreError> {
        let (seq, previous) = (Seq(0), ChainHash::START);
        let mut tx = Self { conn: Some(conn), seq, previous, unproven, _turn: turn };
        match &mut tx.0 {
            Link::Postgres(link) => {
                let begin =
                    AnsiTransactionManager::begin_transaction_sql(&mut ***link, POSTGRES_BEGIN);
                in_time(async { Ok(begin.await?) }).await?;
            }
            Link::Sqlite(link) => {
                let begin = |link: &mut SqliteConnection| {
                    SyncTransactions::begin_transaction_sql(link, "BEGIN IMMEDIATE")
                };
                link.spawn_blocking(begin).await?;
            }
        }
        let take = diesel::update(feed_head::table.find(HEAD))
            .set(feed_head::seq.eq(feed_head::seq + 1))
            .returning((feed_head::seq, feed_head::hash));
        let taken =
            on_conn!(tx, |link| take.get_result::<(i64, Vec<u8>)>(link).await.optional()?);
        let (seq, hash) = taken.ok_or(StoreError::Corrupt("feed_head"))?;
        tx.seq = Seq(seq);
        tx.previous = ChainHash::from_bytes(bytes(&hash, "feed_head.hash")?);
        Ok(tx)
    }

    /// The place that the first event of this change will have.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The seal of the last event before this change.
    #[must_use]
    pub fn previous(&self) -> ChainHash {
        self.previous
    }

    /// Makes the change last, together with its events, and returns the place of the last one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unaudited`] if there are no events, or they do not follow each other from
    /// [`seq`](Self::seq) and [`previous`](Self::previous) on: then nothing is changed.
    /// [`StoreError::Unavailable`] if nobody knows whether the change lasts.
    pub async fn commit(mut self, events: Vec<SealedEvent>) -> Result<Seq, StoreError> {
        let (seq, hash) = self.end_of(&events)?;
        self.insert_events(&events).await?;
        let put = diesel::update(feed_head::table.find(HEAD))
            .set((feed_head::seq.eq(seq.0), feed_head::hash.eq(hash.as_bytes().to_vec())));
        on_conn!(self, |link| put.execute(link).await?);
        if let Link::Postgres(link) = &mut self.0 {
            let notify = format!("NOTIFY keystile_feed, '{seq}'");
            in_time(async { Ok(link.batch_execute(&notify).await?) }).await?;
        }
        let before = self.unproven.count();
        let committed = on_conn!(self, |link| commit(link).await);
        committed.map_err(StoreError::unavailable)?;
        // Whether or not a standby has it: the transaction is over, and the connection sound.
        drop(self.conn.take());
        self.unproven.none_since(before)?;
        Ok(seq)
    }

    /// Ends the change without changing anything, and keeps its connection for others.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer; nothing is changed in this case either.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        on_conn!(self, |link| rollback(link).await)?;
        drop(self.conn.take());
        Ok(())
    }

    fn end_of(&self, events: &[SealedEvent]) -> Result<(Seq, ChainHash), StoreError> {
        let mut end = None;
        let (mut seq, mut previous) = (self.seq, self.previous);
        for sealed in events {
            if sealed.event.seq != seq || sealed.previous != previous {
                return Err(StoreError::Unaudited);
            }
            end = Some((seq, sealed.hash));
            (seq, previous) = (seq.next(), sealed.hash);
        }
        end.ok_or(StoreError::Unaudited)
    }
}

impl Deref for Tx {
    type Target = Conn;

    #[expect(clippy::expect_used, reason = "only methods that take `self` take the connection")]
    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("a transaction under way has its connection")
    }
}

impl DerefMut for Tx {
    #[expect(clippy::expect_used, reason = "only methods that take `self` take the connection")]
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("a transaction under way has its connection")
    }
}

impl Drop for Tx {
    /// Closes the connection of a transaction that was not ended: in the pool, it would hold up
    /// every other change until somebody happened to take it out again.
    fn drop(&mut self) {
        match self.conn.take() {
            None => {}
            Some(Conn(Link::Postgres(link))) => drop(Object::take(*link)),
            Some(Conn(Link::Sqlite(link))) => drop(Object::take(link)),
        }
    }
}

async fn commit<C: AsyncConnection>(link: &mut C) -> QueryResult<()> {
    C::TransactionManager::commit_transaction(link).await
}

async fn rollback<C: AsyncConnection>(link: &mut C) -> QueryResult<()> {
    C::TransactionManager::rollback_transaction(link).await
}

const HEAD: i32 = 1;

/// The head's row lock makes changes follow each other, and READ COMMITTED lets each see the one
/// before. A node that stalls in between must not hold up all others for long.
const POSTGRES_BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL synchronous_commit = on;
    SET LOCAL lock_timeout = '5s';
    SET LOCAL idle_in_transaction_session_timeout = '10s';
";

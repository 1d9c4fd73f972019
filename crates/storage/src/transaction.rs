//! How a transaction begins and ends: the same for a change, which tells of itself, and for
//! bookkeeping, which does not.

use std::ops::{Deref, DerefMut};

use deadpool::managed::Object;
use diesel::SqliteConnection;
use diesel::connection::AnsiTransactionManager as SyncTransactions;
use diesel::result::QueryResult;
use diesel_async::{AnsiTransactionManager, AsyncConnection, TransactionManager};
use tokio::sync::OwnedSemaphorePermit;

use crate::conn::{Link, in_time, on_conn};
use crate::postgres::Unproven;
use crate::{Conn, StoreError};

/// A transaction under way, with the reads of [`Conn`]. Dropped, it changes nothing.
pub(crate) struct Transaction {
    /// `None` only while a method that takes `self` ends the transaction.
    conn: Option<Conn>,
    unproven: Unproven,
    /// Given back last, when the next one can begin.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    pub(crate) async fn begin(
        conn: Conn,
        unproven: Unproven,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, StoreError> {
        let mut transaction = Self { conn: Some(conn), unproven, _turn: turn };
        match &mut transaction.0 {
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
        Ok(transaction)
    }

    /// Marks the place to which [`back`](Self::back) leads.
    pub(crate) async fn mark(&mut self) -> Result<(), StoreError> {
        on_conn!(self, |link| begin(link).await?);
        Ok(())
    }

    /// Forgets the mark, and keeps what was done since.
    pub(crate) async fn unmark(&mut self) -> Result<(), StoreError> {
        on_conn!(self, |link| commit(link).await?);
        Ok(())
    }

    /// Undoes what was done since the mark, and forgets it.
    pub(crate) async fn back(&mut self) -> Result<(), StoreError> {
        on_conn!(self, |link| rollback(link).await?);
        Ok(())
    }

    /// Makes it last. Fails with [`StoreError::Unavailable`] if nobody knows whether it does.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let before = self.unproven.count();
        let committed = on_conn!(self, |link| commit(link).await);
        committed.map_err(StoreError::unavailable)?;
        // Whether or not a standby has it: the transaction is over, and the connection sound.
        drop(self.conn.take());
        self.unproven.none_since(before)
    }

    /// Ends it without changing anything, and keeps its connection for others.
    pub(crate) async fn rollback(mut self) -> Result<(), StoreError> {
        on_conn!(self, |link| rollback(link).await)?;
        drop(self.conn.take());
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Conn;

    #[expect(clippy::expect_used, reason = "only methods that take `self` take the connection")]
    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("a transaction under way has its connection")
    }
}

impl DerefMut for Transaction {
    #[expect(clippy::expect_used, reason = "only methods that take `self` take the connection")]
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("a transaction under way has its connection")
    }
}

impl Drop for Transaction {
    /// Closes the connection of a transaction that was not ended: in the pool, it would hold up
    /// every other one until somebody happened to take it out again.
    fn drop(&mut self) {
        match self.conn.take() {
            None => {}
            Some(Conn(Link::Postgres(link))) => drop(Object::take(*link)),
            Some(Conn(Link::Sqlite(link))) => drop(Object::take(link)),
        }
    }
}

/// Inside of a transaction, each of these is about a savepoint.
async fn begin<C: AsyncConnection>(link: &mut C) -> QueryResult<()> {
    C::TransactionManager::begin_transaction(link).await
}

async fn commit<C: AsyncConnection>(link: &mut C) -> QueryResult<()> {
    C::TransactionManager::commit_transaction(link).await
}

async fn rollback<C: AsyncConnection>(link: &mut C) -> QueryResult<()> {
    C::TransactionManager::rollback_transaction(link).await
}

/// READ COMMITTED lets each statement see what it had to wait for. A node that stalls in between
/// must not hold up all others for long.
const POSTGRES_BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL synchronous_commit = on;
    SET LOCAL lock_timeout = '5s';
    SET LOCAL idle_in_transaction_session_timeout = '2s';
";

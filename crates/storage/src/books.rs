//! Bookkeeping: writes that nobody decided on, and that no event tells of.

use std::ops::{Deref, DerefMut};

use crate::transaction::Transaction;
use crate::{Conn, StoreError};

/// Bookkeeping under way: uses, failures, refresh tokens, and the clearing away of what is over.
///
/// It has the reads of [`Conn`], and of the writes those alone that give nobody anything: whatever
/// makes or takes away a right is a [`Tx`](crate::Tx). On PostgreSQL any number of these go on at
/// once, beside changes too, so that what it reads may be different a moment later. Dropped, it
/// changes nothing.
#[must_use = "bookkeeping that is not committed changes nothing"]
pub struct Books {
    pub(crate) transaction: Transaction,
}

impl Books {
    /// Makes everything that was written last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if nobody knows whether it lasts.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await
    }

    /// Ends without changing anything, and keeps the connection for others.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer; nothing is changed in this case either.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.transaction.rollback().await
    }
}

impl Deref for Books {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.transaction
    }
}

impl DerefMut for Books {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.transaction
    }
}

//! A change: one transaction, which ends with the events that tell of it or not at all.

use std::ops::{Deref, DerefMut};

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use keystile_domain::{ChainHash, SealedEvent, Seq};

use crate::columns::bytes;
use crate::conn::{Link, in_time, on_conn};
use crate::schema::feed_head;
use crate::transaction::Transaction;
use crate::{Conn, StoreError};

/// A change under way. It has the reads of [`Conn`], and the writes that somebody decides on.
///
/// Whatever it reads stays so until it ends, because no other change can begin before. Dropped, it
/// changes nothing.
#[must_use = "a change that is not committed changes nothing"]
pub struct Tx {
    pub(crate) transaction: Transaction,
    seq: Seq,
    previous: ChainHash,
    pepper: i32,
    /// Whether the transaction holds changes that were made before this one.
    is_shared: bool,
}

impl Tx {
    /// Takes the head of the log before anything is read, so that everything that is read is as
    /// the last change left it: the head's row lock makes changes follow each other.
    pub(crate) async fn begin(mut transaction: Transaction) -> Result<Self, StoreError> {
        let take = diesel::update(feed_head::table.find(HEAD))
            .set(feed_head::seq.eq(feed_head::seq + 1))
            .returning((feed_head::seq, feed_head::hash, feed_head::pepper));
        let taken: Option<(i64, Vec<u8>, i32)> =
            on_conn!(transaction, |link| take.get_result(link).await.optional()?);
        let (seq, hash, pepper) = taken.ok_or(StoreError::Corrupt("feed_head"))?;
        let previous = ChainHash::from_bytes(bytes(&hash, "feed_head.hash")?);
        Ok(Self { transaction, seq: Seq(seq), previous, pepper, is_shared: false })
    }

    /// Begins the next change in the transaction of this one, which is kept.
    pub(crate) async fn follow(self) -> Result<Self, StoreError> {
        let mut transaction = self.transaction;
        transaction.mark().await?;
        let next = Self::begin(transaction).await?;
        Ok(Self { is_shared: true, ..next })
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

    /// The number of the pepper that the secrets of this change stand under.
    #[must_use]
    pub fn pepper(&self) -> i32 {
        self.pepper
    }

    /// Lets secrets stand under another pepper, from this change on.
    pub(crate) async fn take_pepper(&mut self, number: i32) -> Result<(), StoreError> {
        let put = diesel::update(feed_head::table.find(HEAD)).set(feed_head::pepper.eq(number));
        on_conn!(self, |link| put.execute(link).await?);
        self.pepper = number;
        Ok(())
    }

    /// Lets the events of this change follow another end of the log than the one that was found.
    pub(crate) fn continue_from(&mut self, (seq, hash): (Seq, ChainHash)) {
        (self.seq, self.previous) = (seq.next(), hash);
    }

    /// Makes the change last, together with its events, and returns the place of the last one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unaudited`] if there are no events, or they do not follow each other from
    /// [`seq`](Self::seq) and [`previous`](Self::previous) on: then nothing is changed.
    /// [`StoreError::Unavailable`] if nobody knows whether the change lasts.
    pub async fn commit(mut self, events: Vec<SealedEvent>) -> Result<Seq, StoreError> {
        let seq = self.keep(&events).await?;
        self.transaction.commit().await?;
        Ok(seq)
    }

    /// Writes the events, and so ends the change in a transaction that may go on.
    pub(crate) async fn keep(&mut self, events: &[SealedEvent]) -> Result<Seq, StoreError> {
        let (seq, hash) = self.end_of(events)?;
        self.insert_events(events).await?;
        let put = diesel::update(feed_head::table.find(HEAD))
            .set((feed_head::seq.eq(seq.0), feed_head::hash.eq(hash.as_bytes().to_vec())));
        on_conn!(self, |link| put.execute(link).await?);
        if let Link::Postgres(link) = &mut self.0 {
            let notify = format!("NOTIFY keystile_feed, '{seq}'");
            in_time(async { Ok(link.batch_execute(&notify).await?) }).await?;
        }
        if self.is_shared {
            self.transaction.unmark().await?;
        }
        Ok(seq)
    }

    /// Undoes this change alone. The transaction goes on if it holds others, else it is over.
    pub(crate) async fn undo(mut self) -> Result<Option<Self>, StoreError> {
        if self.is_shared {
            self.transaction.back().await?;
            Ok(Some(self))
        } else {
            self.rollback().await?;
            Ok(None)
        }
    }

    /// Ends the change without changing anything, and keeps its connection for others.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer; nothing is changed in this case either.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.transaction.rollback().await
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

    fn deref(&self) -> &Conn {
        &self.transaction
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.transaction
    }
}

const HEAD: i32 = 1;

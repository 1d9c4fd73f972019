//! Answers that are kept for a while, so that a request sent twice is done once.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::Timestamp;
use uuid::Uuid;

use crate::columns::{bytes, id_text};
use crate::conn::on_conn;
use crate::schema::replays;
use crate::{Conn, StoreError, Tx};

/// An answer that was given, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Replay {
    /// What the request was, to tell it from another under the same key.
    pub request_hash: [u8; 32],
    /// The answer, encrypted under a key that the database never sees.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Replay(..)")
    }
}

impl Conn {
    /// Finds the answer that `caller` was given under an idempotency key, unless its time is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_replay(
        &mut self,
        caller: Uuid,
        key_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Replay>, StoreError> {
        let query = replays::table
            .find((id_text(caller), key_hash.to_vec()))
            .filter(replays::expires_at.gt(now.as_millis()))
            .select((replays::request_hash, replays::sealed));
        let row: Option<(Vec<u8>, Vec<u8>)> =
            on_conn!(self, |link| query.get_result(link).await.optional()?);
        row.map(|(request_hash, sealed)| {
            Ok(Replay { request_hash: bytes(&request_hash, "replays.request_hash")?, sealed })
        })
        .transpose()
    }
}

impl Tx {
    /// Keeps an answer until `expires_at`, in place of one whose time is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn insert_replay(
        &mut self,
        caller: Uuid,
        key_hash: &[u8; 32],
        replay: &Replay,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let kept = (
            replays::request_hash.eq(replay.request_hash.to_vec()),
            replays::sealed.eq(&replay.sealed),
            replays::expires_at.eq(expires_at.as_millis()),
        );
        let put = diesel::insert_into(replays::table)
            .values((
                replays::caller.eq(id_text(caller)),
                replays::key_hash.eq(key_hash.to_vec()),
                kept.clone(),
            ))
            .on_conflict((replays::caller, replays::key_hash))
            .do_update()
            .set(kept);
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }

    /// Forgets the answers whose time is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_expired_replays(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let over = diesel::delete(replays::table).filter(replays::expires_at.le(now.as_millis()));
        on_conn!(self, |link| over.execute(link).await?);
        Ok(())
    }
}

//! The row of an event, as far as the feed shows it.

use diesel::prelude::*;
use keystile_domain::{ChainHash, Seq};

use super::{FeedEvent, FeedPlace};
use crate::StoreError;
use crate::columns::bytes;
use crate::schema::events;

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub(crate) struct FeedRow {
    seq: i64,
    hash: Vec<u8>,
    action: String,
    target_kind: String,
    target_id: String,
}

impl FeedRow {
    pub(crate) fn read(self) -> Result<FeedEvent, StoreError> {
        let Self { seq, hash, action, target_kind, target_id } = self;
        let hash = ChainHash::from_bytes(bytes(&hash, "events.hash")?);
        Ok(FeedEvent { place: FeedPlace { seq: Seq(seq), hash }, action, target_kind, target_id })
    }
}

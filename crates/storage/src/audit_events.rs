//! The audit log: read in pages by people, and in order by those who follow it. Only the commit of
//! a [`Tx`](crate::Tx) writes it.

mod row;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    ChainHash, EventFilter, EventSort, Listing, PageRequest, SealedEvent, Seq, Start,
};

use self::row::EventRow;
use crate::columns::{bytes, id_text, parameter};
use crate::conn::{insert_many, on_conn};
use crate::feed::FeedRow;
use crate::listing::{cut, number, part, text_id};
use crate::schema::{events, feed_head};
use crate::{Conn, FeedEvent, FeedPlace, StoreError, Tx};

impl Conn {
    /// Lists events.
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignMark`] if the page begins behind a mark of a list in another order.
    pub async fn list_events(
        &mut self,
        filter: &EventFilter,
        page: &PageRequest<EventSort>,
    ) -> Result<Listing<SealedEvent>, StoreError> {
        let (mut rows, total) = on_conn!(self, |link| {
            let matching = || {
                let mut query = events::table.into_boxed();
                if let Some(action) = filter.action {
                    query = query.filter(events::action.eq(action.as_str()));
                }
                if let Some(actor) = filter.actor {
                    query = query.filter(events::actor_id.eq(id_text(actor)));
                }
                if let Some(credential) = filter.credential {
                    query = query.filter(events::credential_id.eq(id_text(credential)));
                }
                if let Some(kind) = filter.target_kind {
                    query = query.filter(events::target_kind.eq(kind.as_str()));
                }
                if let Some(id) = &filter.target_id {
                    query = query.filter(events::target_id.eq(parameter(id)));
                }
                if let Some(request) = &filter.request_id {
                    query = query.filter(events::request_id.eq(request.as_str()));
                }
                if let Some(since) = filter.since {
                    query = query.filter(events::at.ge(since.as_millis()));
                }
                if let Some(until) = filter.until {
                    query = query.filter(events::at.lt(until.as_millis()));
                }
                query
            };
            let total = match &page.start {
                Start::Page(_) => Some(matching().count().get_result(link).await?),
                Start::After(_) => None,
            };
            let query = matching().select(EventRow::as_select());
            let query = part!(query, page, events::seq, number, events::id, text_id);
            (query.load(link).await?, total)
        });
        let next = cut(&mut rows, page.limit, EventRow::mark);
        let items = rows.iter().map(EventRow::read).collect::<Result<_, _>>()?;
        Ok(Listing { items, total, next })
    }

    /// Lists the events that follow a place in the log, at most `limit`, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_events_after(
        &mut self,
        seq: Seq,
        limit: i64,
    ) -> Result<Vec<SealedEvent>, StoreError> {
        let query = events::table.filter(events::seq.gt(seq.0)).order(events::seq).limit(limit);
        let rows = on_conn!(self, |link| query.select(EventRow::as_select()).load(link).await?);
        rows.iter().map(EventRow::read).collect()
    }

    /// Lists what follows a place in the log, at most `limit`, in order. An event may hold much; of
    /// this, there can be many readers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_feed_after(
        &mut self,
        seq: Seq,
        limit: usize,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = events::table.filter(events::seq.gt(seq.0)).order(events::seq).limit(limit);
        let rows: Vec<FeedRow> =
            on_conn!(self, |link| query.select(FeedRow::as_select()).load(link).await?);
        rows.into_iter().map(FeedRow::read).collect()
    }

    /// The end of the log: the place and the seal of its last event.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn head(&mut self) -> Result<(Seq, ChainHash), StoreError> {
        let query = feed_head::table.select((feed_head::seq, feed_head::hash));
        let head: Option<(i64, Vec<u8>)> =
            on_conn!(self, |link| query.get_result(link).await.optional()?);
        let (seq, hash) = head.ok_or(StoreError::Corrupt("feed_head"))?;
        Ok((Seq(seq), ChainHash::from_bytes(bytes(&hash, "feed_head.hash")?)))
    }

    /// The last event that there is: the [`head`](Self::head), unless somebody has edited the log.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds no event that can be read.
    pub async fn find_last_place(&mut self) -> Result<FeedPlace, StoreError> {
        let query = events::table.order(events::seq.desc()).select((events::seq, events::hash));
        let last: Option<(i64, Vec<u8>)> =
            on_conn!(self, |link| query.first(link).await.optional()?);
        let (seq, hash) = last.ok_or(StoreError::Corrupt("events"))?;
        let hash = ChainHash::from_bytes(bytes(&hash, "events.hash")?);
        Ok(FeedPlace { seq: Seq(seq), hash })
    }
}

impl Tx {
    pub(crate) async fn insert_events(&mut self, sealed: &[SealedEvent]) -> Result<(), StoreError> {
        insert_many!(self, events::table, sealed.iter().map(EventRow::new).collect());
        Ok(())
    }
}

//! Looks at PostgreSQL, and the notices that say when to look.

use std::sync::Arc;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use keystile_domain::{ChainHash, Seq};
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{AT_ONCE, FeedEvent, FeedPlace, Look, Report, Seen};
use crate::columns::{bytes, id_text};
use crate::nodes::generation;
use crate::postgres::Connector;
use crate::{OpenError, StoreError};

pub(super) struct PostgresFeed {
    connector: Connector,
    handle: Handle,
    /// Nothing before the first look, and after one that failed.
    link: Option<AsyncPgConnection>,
    news: Arc<Notify>,
}

impl PostgresFeed {
    pub(super) fn new(
        connector: &Connector,
        direct: Option<&SecretString>,
        handle: &Handle,
    ) -> Result<Self, OpenError> {
        let news = Arc::new(Notify::new());
        let connector = match direct {
            Some(address) => connector.to(address)?,
            None => connector.clone(),
        };
        let connector = connector.noticing(Arc::clone(&news));
        Ok(Self { connector, handle: handle.clone(), link: None, news })
    }

    pub(super) async fn look(&mut self, report: &Report) -> Result<Look, StoreError> {
        // Taken out: a look that is abandoned half-way leaves no connection behind.
        let link = self.link.take();
        let looking = async {
            let mut link = match link {
                Some(link) => link,
                None => self.connect().await?,
            };
            let look = look(&mut link, report).await?;
            Ok((link, look))
        };
        let looked = timeout(PATIENCE, looking).await.map_err(StoreError::unavailable)?;
        let (link, look) = looked.map_err(|error: StoreError| error)?;
        self.link = Some(link);
        Ok(look)
    }

    pub(super) async fn wait(&self, at_most: Duration) {
        // Out of time or woken: both are good reasons to look.
        let _ = timeout(at_most, self.news.notified()).await;
    }

    async fn connect(&self) -> Result<AsyncPgConnection, StoreError> {
        let connector = self.connector.clone();
        let connecting = self.handle.spawn(async move { connector.connect().await });
        let link = connecting.await.map_err(StoreError::unavailable)?;
        let mut link = link.map_err(StoreError::unavailable)?;
        link.batch_execute(SET_UP).await?;
        Ok(link)
    }
}

async fn look(link: &mut AsyncPgConnection, report: &Report) -> Result<Look, StoreError> {
    let look = diesel::sql_query(LOOK)
        .bind::<Text, _>(id_text(report.incarnation))
        .bind::<BigInt, _>(report.place.seq.0)
        .bind::<Binary, _>(report.place.hash.as_bytes().to_vec())
        .bind::<BigInt, _>(report.settled.0)
        .bind::<BigInt, _>(report.followers)
        .bind::<BigInt, _>(report.unproven)
        .bind::<BigInt, _>(AT_ONCE);
    let rows: Vec<EventRow> = look.load(link).await?;
    let Some(last) = rows.last() else { return why_nothing(link, report).await };
    let (place, generation) = (last.place()?, last.generation.clone());
    let is_cut = i64::try_from(rows.len()).is_ok_and(|count| count == AT_ONCE);
    // The first is the one that was applied last.
    let events = rows.into_iter().skip(1).map(EventRow::read).collect::<Result<_, _>>()?;
    Ok(Look::Seen(Seen { events, place, is_cut, generation }))
}

async fn why_nothing(link: &mut AsyncPgConnection, report: &Report) -> Result<Look, StoreError> {
    let ask = diesel::sql_query("SELECT EXISTS (SELECT FROM nodes WHERE incarnation = $1) AS yes");
    let registered: Answer =
        ask.bind::<Text, _>(id_text(report.incarnation)).get_result(link).await?;
    Ok(if registered.yes { Look::Forked } else { Look::Gone })
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    target_kind: String,
    #[diesel(sql_type = Text)]
    target_id: String,
    #[diesel(sql_type = Text)]
    generation: String,
}

impl EventRow {
    fn place(&self) -> Result<FeedPlace, StoreError> {
        let hash = ChainHash::from_bytes(bytes(&self.hash, "events.hash")?);
        Ok(FeedPlace { seq: Seq(self.seq), hash })
    }

    fn read(self) -> Result<FeedEvent, StoreError> {
        let place = self.place()?;
        let Self { action, target_kind, target_id, .. } = self;
        Ok(FeedEvent { place, action, target_kind, target_id })
    }
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// One statement, and so one moment. It fails on a standby, which cannot be written to. It writes
/// nothing if the node is not registered, or the history has another event at its place; then it
/// brings nothing either.
const LOOK: &str = concat!(
    "WITH node AS (
        UPDATE nodes
        SET beat = beat + 1, position = $2, settled = $4, followers = $5, unproven = $6
        WHERE incarnation = $1 AND EXISTS (SELECT FROM events WHERE seq = $2 AND hash = $3)
        RETURNING incarnation
    ), server AS (",
    generation!(),
    ")
    SELECT seq, hash, action, target_kind, target_id, generation
    FROM node, server, LATERAL (
        SELECT seq, hash, action, target_kind, target_id
        FROM events WHERE seq >= $2 ORDER BY seq LIMIT $7
    ) AS behind
    ORDER BY seq"
);

/// A look tells of itself and changes nothing: it need not wait for a standby.
const SET_UP: &str = "
    SET synchronous_commit = local;
    SET statement_timeout = '2s';
    LISTEN keystile_feed";

/// Longer than any look that is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(3);

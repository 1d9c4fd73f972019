//! The feed: the log of events as whoever follows it looks at it, on a connection of its own.
//!
//! A look at PostgreSQL is one statement, which says that the node lives, how far it is, and brings
//! what happened since. A look at an SQLite file asks whether anybody wrote into it, and reads the
//! events only then.

mod postgres;
mod row;
mod sqlite;

use std::time::Duration;

use keystile_domain::{ChainHash, Effect, Seq, Touches};
use secrecy::SecretString;
use uuid::Uuid;

use self::postgres::PostgresFeed;
pub(crate) use self::row::FeedRow;
use self::sqlite::SqliteFeed;
use crate::store::Backend;
use crate::{OpenError, Store, StoreError};

/// A way to the feed. Only one look is under way at a time.
pub struct Feed(Way);

enum Way {
    Postgres(Box<PostgresFeed>),
    Sqlite(Box<SqliteFeed>),
}

/// A place in the feed: an event, and the seal that says in which history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPlace {
    /// The place of the event.
    pub seq: Seq,
    /// Its seal.
    pub hash: ChainHash,
}

/// An event without what it tells of people: where it is, and what happened to which thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEvent {
    /// Where it is.
    pub place: FeedPlace,
    /// What happened, in the word of its row, which this version may not know.
    pub action: String,
    /// To which kind of thing, in the word of its row.
    pub target_kind: String,
    /// To which of them.
    pub target_id: String,
}

impl FeedEvent {
    /// What it does to what is remembered.
    #[must_use]
    pub fn effect(&self) -> Effect {
        Effect { seq: self.place.seq, touches: Touches::of(&self.action, &self.target_id) }
    }
}

/// What a node says of itself when it looks.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Which node.
    pub incarnation: Uuid,
    /// The last event that it has applied.
    pub place: FeedPlace,
    /// Up to where neither it nor anybody who follows it decides by what was before.
    pub settled: Seq,
    /// How many verifiers follow it.
    pub followers: i64,
    /// How many of those go on when they are cut off.
    pub unproven: i64,
}

/// What a look has brought.
#[derive(Clone, Debug)]
pub enum Look {
    /// What happened since.
    Seen(Seen),
    /// The node is not registered.
    Gone,
    /// The event that the node has applied last is not in this history.
    Forked,
}

/// What happened since a place.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The events behind the place, in order.
    pub events: Vec<FeedEvent>,
    /// The last of them; the place itself if there is none.
    pub place: FeedPlace,
    /// Whether there are more.
    pub is_cut: bool,
    /// Which server this is and since when it has been running: another one after a failover, a
    /// restart or a restore.
    pub generation: String,
}

impl Store {
    /// A way to the feed. `direct` is a way to a PostgreSQL database past a connection pooler, which
    /// would not pass notices on.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the address cannot be read.
    pub fn feed(&self, direct: Option<&SecretString>) -> Result<Feed, OpenError> {
        Ok(Feed(match self.backend() {
            Backend::Postgres { connector, .. } => {
                Way::Postgres(Box::new(PostgresFeed::new(connector, direct, self.handle())?))
            }
            Backend::Sqlite { file, .. } => {
                Way::Sqlite(Box::new(SqliteFeed::new(file.clone(), self.handle().clone())))
            }
        }))
    }

    /// Whether other servers may use the database at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.backend(), Backend::Postgres { .. })
    }
}

impl Feed {
    /// Looks at the primary: says how far the node is, and learns what happened since.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the primary does not answer in time; then nothing is known.
    pub async fn look(&mut self, report: &Report) -> Result<Look, StoreError> {
        match &mut self.0 {
            Way::Postgres(feed) => feed.look(report).await,
            Way::Sqlite(feed) => feed.look(report.place).await,
        }
    }

    /// Waits until somebody may have changed something, at most so long.
    pub async fn wait(&mut self, at_most: Duration) {
        match &self.0 {
            Way::Postgres(feed) => feed.wait(at_most).await,
            Way::Sqlite(_) => tokio::time::sleep(at_most).await,
        }
    }
}

/// How many events one look brings at most.
const AT_ONCE: i64 = 10_000;

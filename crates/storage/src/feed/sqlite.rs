//! Looks at an SQLite file: whether it is still the same, and whether anybody has written into it.

use std::path::PathBuf;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, SqliteConnection};
use tokio::runtime::Handle;

use super::row::FeedRow;
use super::{AT_ONCE, FeedPlace, Look, Seen};
use crate::schema::events;
use crate::{StoreError, sqlite};

pub(super) struct SqliteFeed {
    file: PathBuf,
    handle: Handle,
    /// Which file it was at the first look. In the place of another one the pool still has this.
    inode: Option<u64>,
    watch: Option<Watch>,
}

/// A connection that writes nothing, so that what changes was changed by others.
struct Watch {
    link: SqliteConnection,
    /// What SQLite said when the events were read last, and up to where they were.
    seen: Option<(i64, FeedPlace)>,
}

impl SqliteFeed {
    pub(super) fn new(file: PathBuf, handle: Handle) -> Self {
        Self { file, handle, inode: None, watch: None }
    }

    pub(super) async fn look(&mut self, place: FeedPlace) -> Result<Look, StoreError> {
        let (watch, file, known) = (self.watch.take(), self.file.clone(), self.inode);
        let looking = self.handle.spawn_blocking(move || {
            let inode = inode(&file)?;
            if known.is_some_and(|known| known != inode) {
                return Err(StoreError::unavailable("the database file was replaced by another"));
            }
            let mut watch = match watch {
                Some(watch) => watch,
                None => Watch::open(&file)?,
            };
            let look = watch.look(place, inode)?;
            Ok((watch, inode, look))
        });
        let (watch, inode, look) = looking.await.map_err(StoreError::unavailable)??;
        (self.watch, self.inode) = (Some(watch), Some(inode));
        Ok(look)
    }
}

impl Watch {
    fn open(file: &std::path::Path) -> Result<Self, StoreError> {
        let link = sqlite::open(file).map_err(StoreError::unavailable)?;
        Ok(Self { link, seen: None })
    }

    fn look(&mut self, place: FeedPlace, inode: u64) -> Result<Look, StoreError> {
        // Asked before the events: what is written in between counts as unseen.
        let version: DataVersion =
            diesel::sql_query("PRAGMA data_version").get_result(&mut self.link)?;
        let version = version.data_version;
        let generation = inode.to_string();
        if self.seen == Some((version, place)) {
            let seen = Seen { events: Vec::new(), place, is_cut: false, generation };
            return Ok(Look::Seen(seen));
        }
        let rows: Vec<FeedRow> = events::table
            .filter(events::seq.ge(place.seq.0))
            .order(events::seq)
            .limit(AT_ONCE)
            .select(FeedRow::as_select())
            .load(&mut self.link)?;
        let is_cut = i64::try_from(rows.len()).is_ok_and(|count| count == AT_ONCE);
        let events = rows.into_iter().map(FeedRow::read);
        let mut events = events.collect::<Result<Vec<_>, StoreError>>()?;
        if events.first().map(|first| first.place) != Some(place) {
            return Ok(Look::Forked);
        }
        let place = events.last().map_or(place, |last| last.place);
        // It was applied last.
        events.remove(0);
        self.seen = (!is_cut).then_some((version, place));
        Ok(Look::Seen(Seen { events, place, is_cut, generation }))
    }
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

fn inode(file: &std::path::Path) -> Result<u64, StoreError> {
    let metadata = std::fs::metadata(file).map_err(StoreError::unavailable)?;
    Ok(inode_of(&metadata))
}

#[cfg(unix)]
fn inode_of(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Where files have no number, nobody notices that another has taken the place of this one.
#[cfg(not(unix))]
fn inode_of(_: &std::fs::Metadata) -> u64 {
    0
}

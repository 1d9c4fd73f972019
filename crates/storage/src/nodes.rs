//! The nodes of a cluster, as they are registered: who must have seen a change before it is in force
//! everywhere.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Seq, Timestamp};
use uuid::Uuid;

use crate::columns::{id_text, parse};
use crate::conn::{Link, in_time, on_conn};
use crate::schema::{meta, nodes};
use crate::{Books, Conn, StoreError};

/// A node that is about to register.
#[derive(Clone, Debug)]
pub struct NodeDraft {
    /// Its name, new at every start.
    pub incarnation: Uuid,
    /// Where it listens, for people.
    pub address: String,
    /// Its version, for people.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// The lease that it counts on, in milliseconds.
    pub lease_millis: i64,
}

/// A node that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name, new at every start.
    pub incarnation: Uuid,
    /// Where it listens.
    pub address: String,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// How often it has looked.
    pub beat: i64,
    /// Up to where it has followed the feed.
    pub position: Seq,
    /// Up to where neither it nor anybody who follows it decides by what was before.
    pub settled: Seq,
    /// How many verifiers follow it.
    pub followers: i64,
    /// How many of those go on when they are cut off.
    pub unproven: i64,
}

impl Conn {
    /// Lists the nodes that are registered, whether or not they still live.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_nodes(&mut self) -> Result<Vec<Node>, StoreError> {
        let query = nodes::table.order((nodes::started_at, nodes::incarnation));
        let rows: Vec<NodeRow> =
            on_conn!(self, |link| query.select(NodeRow::as_select()).load(link).await?);
        rows.into_iter().map(NodeRow::read).collect()
    }

    /// Which server this is, and since when it has been running and the primary: another one after
    /// a failover, a restart or a restore. `None`: a file, which has no server.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer, or is no primary.
    pub async fn find_generation(&mut self) -> Result<Option<String>, StoreError> {
        let Link::Postgres(link) = &mut self.0 else { return Ok(None) };
        let ask = diesel::sql_query(generation!());
        let row: GenerationRow = in_time(async { Ok(ask.get_result(&mut ***link).await?) }).await?;
        Ok(Some(row.generation))
    }

    /// The lease that the cluster counts on, in milliseconds; `None`: there never was a node.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_lease(&mut self) -> Result<Option<i64>, StoreError> {
        let lease = self.find_meta(LEASE).await?;
        lease.map(|lease| parse(&lease, "meta.lease_millis")).transpose()
    }
}

impl Books {
    /// The lease that the cluster counts on, which nobody changes until this ends. It becomes
    /// `millis` if there was none, or nobody is registered who counts on another.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn settle_lease(&mut self, millis: i64) -> Result<i64, StoreError> {
        let text = millis.to_string();
        let begin = diesel::insert_into(meta::table)
            .values((meta::name.eq(LEASE), meta::value.eq(&text)))
            .on_conflict_do_nothing();
        on_conn!(self, |link| begin.execute(link).await?);
        // Writing it takes its lock.
        let hold = diesel::update(meta::table.find(LEASE)).set(meta::value.eq(meta::value));
        let held: String =
            on_conn!(self, |link| hold.returning(meta::value).get_result(link).await?);
        let present = parse(&held, "meta.lease_millis")?;
        if present == millis || !self.list_nodes().await?.is_empty() {
            return Ok(present);
        }
        let change = diesel::update(meta::table.find(LEASE)).set(meta::value.eq(&text));
        on_conn!(self, |link| change.execute(link).await?);
        Ok(millis)
    }

    /// Registers a node that has seen nothing yet. That gives it no lease.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn insert_node(&mut self, draft: &NodeDraft) -> Result<(), StoreError> {
        let row = NodeRow {
            incarnation: id_text(draft.incarnation),
            address: draft.address.clone(),
            version: draft.version.clone(),
            started_at: draft.started_at.as_millis(),
            beat: 0,
            position: 0,
            settled: 0,
            followers: 0,
            unproven: 0,
        };
        let insert = diesel::insert_into(nodes::table).values(&row);
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }

    /// Removes a node, if it has not looked since that beat; says whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn reap_node(&mut self, incarnation: Uuid, beat: i64) -> Result<bool, StoreError> {
        let dead = nodes::table.find(id_text(incarnation)).filter(nodes::beat.eq(beat));
        let reap = diesel::delete(dead);
        Ok(on_conn!(self, |link| reap.execute(link).await?) == 1)
    }

    /// Removes a node that decides nothing any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_node(&mut self, incarnation: Uuid) -> Result<(), StoreError> {
        let leave = diesel::delete(nodes::table.find(id_text(incarnation)));
        on_conn!(self, |link| leave.execute(link).await?);
        Ok(())
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = nodes)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct NodeRow {
    incarnation: String,
    address: String,
    version: String,
    started_at: i64,
    beat: i64,
    position: i64,
    settled: i64,
    followers: i64,
    unproven: i64,
}

impl NodeRow {
    fn read(self) -> Result<Node, StoreError> {
        Ok(Node {
            incarnation: parse(&self.incarnation, "nodes.incarnation")?,
            address: self.address,
            version: self.version,
            started_at: Timestamp::from_millis(self.started_at),
            beat: self.beat,
            position: Seq(self.position),
            settled: Seq(self.settled),
            followers: self.followers,
            unproven: self.unproven,
        })
    }
}

#[derive(QueryableByName)]
struct GenerationRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    generation: String,
}

const LEASE: &str = "lease_millis";

/// Asks which server the primary is, since when it runs, and since which restore: in one place, as
/// who waits and who looks must get the same answer. It fails on a standby.
macro_rules! generation {
    () => {
        "SELECT system_identifier || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
            || ' ' || extract(epoch FROM pg_postmaster_start_time())
            || coalesce(' ' || (SELECT value FROM meta WHERE name = 'generation'), '') AS generation
        FROM pg_control_system()"
    };
}
pub(crate) use generation;

//! Whether what was committed outlives the primary: a promise about a change is worth no more than
//! its commit.

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use crate::conn::Link;
use crate::{Conn, StoreError};

/// What of the primary's own settings cannot carry a promise about what was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever reads it must have a word for each")]
pub struct Durability {
    /// Standbys follow, and no commit waits for any of them: one that takes over may lack changes
    /// that were answered. A program that only archives what is written counts as a standby too.
    pub standby_may_lag: bool,
    /// A crash of the machine may take back what was committed: `fsync` or `full_page_writes` is
    /// off. (`synchronous_commit` is on for every change of ours, whatever the server's default.)
    pub disk_may_lose: bool,
}

impl Conn {
    /// How the primary is set up. There is nothing to say of SQLite, which is set up here.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn durability(&mut self) -> Result<Durability, StoreError> {
        let Link::Postgres(link) = &mut self.0 else { return Ok(Durability::default()) };
        let asking = diesel::sql_query(ASK);
        let row: Row =
            crate::conn::in_time(async { Ok(asking.get_result(&mut ***link).await?) }).await?;
        Ok(Durability { standby_may_lag: row.standby_may_lag, disk_may_lose: row.disk_may_lose })
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    standby_may_lag: bool,
    #[diesel(sql_type = Bool)]
    disk_may_lose: bool,
}

/// Who may not look into `pg_stat_replication` sees how many rows it has, and no state. A backup
/// that is being taken is in it as well.
const ASK: &str = "
    SELECT current_setting('synchronous_standby_names') = '' AND EXISTS (
            SELECT FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'
        ) AS standby_may_lag,
        NOT (current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean)
            AS disk_may_lose";

//! Restoring a backup into an empty database, all of it in one change or nothing.
//!
//! What was ended after the backup lives again, because nothing in the backup says that it ended:
//! whoever restores can name it, and it is ended within the same change, before anybody can show it.

mod ended;
mod reader;

use std::io::{self, Read};

use base64ct::{Base64UrlUnpadded, Encoding};
use keystile_auth::Clock;
use keystile_domain::{Action, ChainHash, ChainKey, Seq, Target, Timestamp};
use keystile_storage::{RestoreRefusal, Store, Tx};
use serde_json::json;
use uuid::Uuid;

use self::reader::{Line, Reader};
use crate::audit_events::{ChainBreak, follows};
use crate::change::Scope;
use crate::keys::Keys;
use crate::root_key::RootKey;
use crate::{MasterKey, ServiceError, StoreError, random};

/// What shall not live again.
#[derive(Clone, Debug, Default)]
pub struct NotAgain {
    /// Keys and tokens that were made or changed at this moment or later.
    pub changed_since: Option<Timestamp>,
    /// Keys, tokens and users with these ids.
    pub ended: Vec<Uuid>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made: what ended later lives again.
    pub made_at: Timestamp,
    /// How many rows there are.
    pub rows: u64,
    /// The last event of the backup.
    pub head: Seq,
    /// How many keys, tokens and users were ended once more.
    pub ended: usize,
    /// Ids that were to be ended and that the backup does not have.
    pub unknown: Vec<Uuid>,
}

/// Why nothing was restored. Nothing was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It was changed, or something happened to it.
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    /// The audit log in it is not what was sealed.
    #[error("the audit log of the backup is broken at event {}", .0.0)]
    Log(Seq, #[source] ChainBreak),
    /// A newer version of this program made it.
    #[error("a newer version of Keystile made this backup")]
    Newer,
    /// After ending what was named, nobody would be left who may do everything.
    #[error("this would end the last key or person that may do everything")]
    NoAdministrator,
    /// It is no backup.
    #[error("this is no backup of Keystile")]
    NotABackup,
    /// It was made under another master key.
    #[error("the backup was made under another master key; restoring it takes that one")]
    OtherMasterKey,
    /// It could not be read.
    #[error("the backup cannot be read")]
    Read(#[from] io::Error),
    /// The database does not take it.
    #[error(transparent)]
    Refused(#[from] RestoreRefusal),
    /// The change itself failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// Restores a backup into a migrated store in which nothing was ever kept.
///
/// # Errors
///
/// [`RestoreError`] says what stopped it. Then the database is as empty as before.
pub async fn restore(
    store: &Store,
    master: &MasterKey,
    clock: &dyn Clock,
    backup: impl Read + Send,
    not_again: NotAgain,
) -> Result<Restored, RestoreError> {
    let (header, mut reader) = Reader::open(backup, master.backup_seal())?;
    if header.master_key_check != master.check_value() {
        return Err(RestoreError::OtherMasterKey);
    }
    let made_at = header.made_at.parse().ok().ok_or(RestoreError::NotABackup)?;
    let moment = header.moment().ok_or(RestoreError::NotABackup)?;
    let mut tx = store.begin().await?;
    tx.begin_restore(&moment).await?;
    let rows = fill(&mut tx, &mut reader).await?;
    tx.restore_head(&moment).await?;
    let keys = Keys::new(&RootKey::read(&mut tx, master).await?);
    keys.learn_peppers(&mut tx).await?;
    check_log(&mut tx, &keys.chain, moment.head).await?;

    let mut scope = Scope::continuing(tx, keys, clock.now());
    let generation = Base64UrlUnpadded::encode_string(&random::bytes::<16>()?);
    scope.tx.set_meta(GENERATION, &generation).await?;
    let state = json!({"backup": header.made_at, "generation": generation});
    scope.record(Action::SystemRestored, Target::system(), (None, Some(state)), None)?;
    let (ended, unknown) = ended::end(&mut scope, not_again).await?;
    scope.commit().await?;
    Ok(Restored { made_at, rows, head: moment.head.0, ended, unknown })
}

/// Takes every row, and makes sure at the end that they are those of the backup.
async fn fill<R: Read + Send>(tx: &mut Tx, reader: &mut Reader<R>) -> Result<u64, RestoreError> {
    let (mut table, mut rows) = (None, String::new());
    loop {
        let line = reader.next()?;
        let is_row = matches!(line, Line::Row(_));
        if let Some(table) = &table
            && !rows.is_empty()
            && (!is_row || rows.len() > BATCH_BYTES)
        {
            rows.push(']');
            tx.restore_rows(table, &rows).await.map_err(unfit)?;
            rows.clear();
        }
        match line {
            Line::Row(_) if table.is_none() => return Err(RestoreError::Damaged(LOST_ROW)),
            Line::Row(row) => {
                rows.push(if rows.is_empty() { '[' } else { ',' });
                rows.push_str(row);
            }
            Line::Table(head) => {
                let place = tx.restored_table(&head.table, &head.columns).await;
                table = Some(place.map_err(|refusal| match refusal {
                    // Every version that made the migrations of the backup has the same names.
                    RestoreRefusal::NoPlace(_) => RestoreError::Damaged(UNFIT_ROW),
                    refusal => refusal.into(),
                })?);
            }
            Line::End(count) => return Ok(count),
        }
    }
}

/// What a database refuses was written by none.
fn unfit(error: StoreError) -> RestoreError {
    match error {
        StoreError::Conflict(_) | StoreError::Query(_) => RestoreError::Damaged(UNFIT_ROW),
        error => error.into(),
    }
}

async fn check_log(
    tx: &mut Tx,
    chain: &ChainKey,
    head: (Seq, ChainHash),
) -> Result<(), RestoreError> {
    let mut last = (Seq(0), ChainHash::START);
    loop {
        let events = tx.list_events_after(last.0, PAGE).await?;
        if events.is_empty() {
            break;
        }
        for sealed in events {
            follows(chain, &sealed, last).map_err(|(seq, why)| RestoreError::Log(seq, why))?;
            last = (sealed.event.seq, sealed.hash);
        }
    }
    if last == head { Ok(()) } else { Err(RestoreError::Log(last.0.next(), ChainBreak::Missing)) }
}

/// Which history of the installation this is: another one after each restore.
const GENERATION: &str = "generation";
const LOST_ROW: &str = "a row belongs to no table";
const UNFIT_ROW: &str = "a row fits nowhere";
/// A statement's worth of rows.
const BATCH_BYTES: usize = 256 * 1024;
const PAGE: i64 = 500;

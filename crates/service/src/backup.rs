//! Backups: one file with everything that is worth keeping, as it stood at one moment.
//!
//! The file is compressed text (gzip, RFC 1952) of one JSON value in each line: what it is and from
//! when, then for each table its name and columns and a line for each row, and at the end how many
//! rows there were and a seal over every line before. The seal is an HMAC under the master key:
//! nobody who lacks it can change a backup, or make one. The master key is not in it, and neither is
//! any secret that the database did not have.

use std::io::{self, Write};

use base64ct::{Base64, Encoding};
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::{Hmac, Mac};
use keystile_domain::{ChainHash, Seq, Timestamp};
use keystile_storage::{DumpError, Moment, Sink, Store};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::MasterKey;
use crate::first_start::{FirstStartError, is_initialised_under};

/// What was backed up.
#[derive(Debug)]
pub struct BackedUp<W> {
    /// What it was written to.
    pub out: W,
    /// How many rows there are.
    pub rows: u64,
    /// The end of the log.
    pub head: (Seq, ChainHash),
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database could not be read, or the backup not written.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// Nothing was ever kept in the database.
    #[error("the database is empty: no server was ever started on it")]
    Empty,
    /// The end of the backup could not be written.
    #[error("the backup could not be written")]
    Write(#[from] io::Error),
    /// The database is not under this master key.
    #[error(transparent)]
    MasterKey(#[from] FirstStartError),
}

/// The first line of a backup.
#[derive(Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of the form.
    pub(crate) keystile_backup: u32,
    pub(crate) made_at: String,
    /// The version of the program.
    made_by: String,
    migrations: Vec<String>,
    pub(crate) seq: i64,
    hash: String,
    pepper: i32,
    last_role_id: i64,
    pub(crate) master_key_check: String,
}

/// What begins a table.
#[derive(Serialize, Deserialize)]
pub(crate) struct TableHead {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) rows: u64,
    pub(crate) seal: String,
}

/// Backs a database up, whether or not servers run on it.
///
/// # Errors
///
/// [`BackupError`] says what stopped it. What was written until then is no backup.
pub async fn back_up<W: Write + Send + 'static>(
    store: &Store,
    master: &MasterKey,
    now: Timestamp,
    out: W,
) -> Result<BackedUp<W>, BackupError> {
    if !is_initialised_under(store, master).await? {
        return Err(BackupError::Empty);
    }
    let writer = Writer {
        out: GzEncoder::new(out, Compression::default()),
        seal: master.backup_seal(),
        made_at: now.to_string(),
        master_key_check: master.check_value(),
        head: (Seq(0), ChainHash::START),
        rows: 0,
    };
    Ok(store.dump(writer).await?.finish()?)
}

impl Header {
    /// The moment that the backup is from; nothing if no database was ever so.
    pub(crate) fn moment(&self) -> Option<Moment> {
        let hash = Base64::decode_vec(&self.hash).ok()?.try_into().ok()?;
        Some(Moment {
            migrations: self.migrations.clone(),
            head: (Seq(self.seq), ChainHash::from_bytes(hash)),
            pepper: self.pepper,
            last_role_id: self.last_role_id,
        })
    }
}

struct Writer<W: Write> {
    out: GzEncoder<W>,
    seal: Hmac<Sha256>,
    made_at: String,
    master_key_check: String,
    head: (Seq, ChainHash),
    rows: u64,
}

impl<W: Write> Writer<W> {
    fn value(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line(&serde_json::to_string(value)?)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        for part in [line.as_bytes(), b"\n"] {
            self.seal.update(part);
            self.out.write_all(part)?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<BackedUp<W>> {
        let seal = self.seal.clone().finalize().into_bytes();
        self.value(&End { rows: self.rows, seal: Base64::encode_string(&seal) })?;
        Ok(BackedUp { out: self.out.finish()?, rows: self.rows, head: self.head })
    }
}

impl<W: Write + Send + 'static> Sink for Writer<W> {
    fn moment(&mut self, moment: &Moment) -> io::Result<()> {
        self.head = moment.head;
        let (seq, hash) = moment.head;
        let header = Header {
            keystile_backup: FORM,
            made_at: self.made_at.clone(),
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            migrations: moment.migrations.clone(),
            seq: seq.0,
            hash: Base64::encode_string(hash.as_bytes()),
            pepper: moment.pepper,
            last_role_id: moment.last_role_id,
            master_key_check: self.master_key_check.clone(),
        };
        self.value(&header)
    }

    fn table(&mut self, name: &str, columns: &[String]) -> io::Result<()> {
        self.value(&TableHead { table: name.to_owned(), columns: columns.to_vec() })
    }

    fn row(&mut self, row: &str) -> io::Result<()> {
        self.rows += 1;
        self.line(row)
    }
}

/// The version of the form that this program writes, and the newest that it reads.
pub(crate) const FORM: u32 = 1;

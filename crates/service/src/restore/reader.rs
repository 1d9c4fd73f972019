//! Reading a backup, line by line.

use std::io::{self, BufRead, BufReader, Read};

use base64ct::{Base64, Encoding};
use flate2::bufread::GzDecoder;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::RestoreError;
use crate::backup::{End, FORM, Header, TableHead};

/// Gives the lines of a backup, and believes them only when the last one has come.
pub(super) struct Reader<R> {
    lines: BufReader<GzDecoder<BufReader<R>>>,
    seal: Hmac<Sha256>,
    line: String,
    rows: u64,
}

/// A line of a backup.
pub(super) enum Line<'l> {
    /// A table begins.
    Table(TableHead),
    /// A row: a JSON array.
    Row(&'l str),
    /// There were so many rows, and nobody has changed any of them.
    End(u64),
}

/// What is no row.
#[derive(Deserialize)]
#[serde(untagged)]
enum Other {
    Table(TableHead),
    End(End),
}

impl<R: Read> Reader<R> {
    /// Reads the first line.
    pub(super) fn open(backup: R, seal: Hmac<Sha256>) -> Result<(Header, Self), RestoreError> {
        let lines = BufReader::new(GzDecoder::new(BufReader::new(backup)));
        let mut reader = Self { lines, seal, line: String::new(), rows: 0 };
        if let Err(error) = reader.read() {
            let is_compressed = reader.lines.get_ref().header().is_some();
            return Err(match error {
                RestoreError::Damaged(_) if !is_compressed => RestoreError::NotABackup,
                error => error,
            });
        }
        let version = serde_json::from_str::<Version>(&reader.line);
        match version {
            Ok(Version { keystile_backup }) if keystile_backup > FORM => {
                return Err(RestoreError::Newer);
            }
            Ok(_) => {}
            Err(_) => return Err(RestoreError::NotABackup),
        }
        let header = serde_json::from_str(&reader.line);
        let header = header.ok().ok_or(RestoreError::NotABackup)?;
        reader.seal.update(reader.line.as_bytes());
        Ok((header, reader))
    }

    /// Reads the next line.
    pub(super) fn next(&mut self) -> Result<Line<'_>, RestoreError> {
        self.read()?;
        if self.line.starts_with('[') {
            self.seal.update(self.line.as_bytes());
            self.rows += 1;
            return Ok(Line::Row(self.line.trim_end()));
        }
        match serde_json::from_str(&self.line) {
            Ok(Other::Table(head)) => {
                self.seal.update(self.line.as_bytes());
                Ok(Line::Table(head))
            }
            Ok(Other::End(end)) => self.end(&end),
            Err(_) => Err(RestoreError::Damaged("a line is none of a backup")),
        }
    }

    fn end(&self, end: &End) -> Result<Line<'_>, RestoreError> {
        let seal = Base64::decode_vec(&end.seal).unwrap_or_default();
        match self.seal.clone().verify_slice(&seal) {
            Ok(()) if end.rows == self.rows => Ok(Line::End(end.rows)),
            _ => Err(RestoreError::Damaged("its seal is not that of its lines")),
        }
    }

    fn read(&mut self) -> Result<(), RestoreError> {
        self.line.clear();
        match self.lines.read_line(&mut self.line) {
            Ok(_) if self.line.ends_with('\n') => Ok(()),
            Ok(_) => Err(RestoreError::Damaged(CUT)),
            Err(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof => Err(RestoreError::Damaged(CUT)),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    Err(RestoreError::Damaged("it cannot be unpacked"))
                }
                _ => Err(error.into()),
            },
        }
    }
}

/// What every version of a first line has.
#[derive(Deserialize)]
struct Version {
    keystile_backup: u32,
}

const CUT: &str = "its end is missing";

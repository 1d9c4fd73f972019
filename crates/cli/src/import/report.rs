//! What came of an import: the rows that were refused, and the secrets that were drawn.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use keystile_api::api_keys::{IssuedApiKey, RefusedApiKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::rows::Row;
use crate::failure::Failure;
use crate::output::{Column, Shown};

/// A row that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its line in the file.
    pub row: u64,
    /// The name in it.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Refused {
    /// A row that is no key.
    pub fn by_reader(row: &Row, why: &str) -> Self {
        Self { row: row.line, name: row.name.clone(), reason: why.to_owned() }
    }

    /// A key that the server did not make.
    pub fn by_server(row: &Row, refused: RefusedApiKey) -> Self {
        let error = |error: &keystile_api::problem::FieldError| {
            // It points into the batch; which key is known.
            let member = error.pointer.splitn(4, '/').nth(3).unwrap_or_default();
            format!("{member} {}", error.detail).trim().to_owned()
        };
        let errors: Vec<_> = refused.errors.iter().map(error).collect();
        let reason = if errors.is_empty() { refused.detail } else { errors.join("; ") };
        Self { row: row.line, name: row.name.clone(), reason }
    }
}

impl Shown for Refused {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ROW", cell: |refused, _| refused.row.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |refused, _| refused.name.as_str().into(), from: 0 },
        Column { head: "REASON", cell: |refused, _| refused.reason.as_str().into(), from: 0 },
    ];

    fn id(&self) -> String {
        self.row.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Refuses a file that is there before anything is done; whoever makes it sees to it once more.
pub fn refuse_to_write_over(file: &Path) -> Result<(), Failure> {
    match file.exists() {
        true => Err(Failure::System(format!("{}: {THERE}", file.display()))),
        false => Ok(()),
    }
}

const THERE: &str = "is there already: name another file";

/// The file of the secrets that were drawn: one in each line, as JSON, for its owner alone.
pub struct Secrets {
    path: Option<PathBuf>,
    file: Option<File>,
    length: u64,
    lines: Vec<u8>,
}

impl Secrets {
    /// Opens it. What stands behind `length` belongs to a batch that is sent again; `None`: nothing
    /// was sent yet, and nobody's secrets are written over.
    pub fn open(path: Option<&Path>, length: Option<u64>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { path: None, file: None, length: 0, lines: Vec::new() });
        };
        let told =
            |error: &dyn std::fmt::Display| Failure::System(format!("{}: {error}", path.display()));
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600).create(true).create_new(length.is_none());
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => told(&THERE),
            _ => told(&error),
        })?;
        let length = length.unwrap_or_default();
        if file.metadata().map_err(|error| told(&error))?.len() < length {
            return Err(told(&"secrets that were written to it are missing"));
        }
        file.set_len(length).map_err(|error| told(&error))?;
        Ok(Self { path: Some(path.to_owned()), file: Some(file), length, lines: Vec::new() })
    }

    /// The file, if there is no secret in it.
    pub fn empty_file(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| self.length == 0)
    }

    /// Takes a secret, if one was drawn.
    pub fn keep(&mut self, key: &IssuedApiKey) -> Result<(), Failure> {
        if let (Some(_), Some(secret)) = (&self.file, &key.key) {
            let line = json!({"id": key.api_key.id, "name": key.api_key.name, "key": secret});
            writeln!(self.lines, "{line}").map_err(Failure::Output)?;
        }
        Ok(())
    }

    /// Writes down what was taken, and how long the file is now.
    pub fn write(&mut self) -> Result<u64, Failure> {
        if let Some(file) = &mut self.file {
            let written = file
                .seek(SeekFrom::Start(self.length))
                .and_then(|_| file.write_all(&self.lines))
                .and_then(|()| file.sync_all());
            written.map_err(|error| Failure::System(format!("the file of secrets: {error}")))?;
            self.length += u64::try_from(self.lines.len()).unwrap_or_default();
            self.lines.clear();
        }
        Ok(self.length)
    }
}

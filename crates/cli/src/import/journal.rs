//! How far an import got: one small file for each, in the folder for such things of the platform.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::report::Refused;
use crate::failure::Failure;
use crate::files;

/// How far an import got.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    /// What is imported, for whoever looks into the folder.
    file: PathBuf,
    /// How often it was begun anew.
    pub runs: u32,
    /// How many batches were answered.
    pub batches: usize,
    /// When the batch was sent that was not answered yet.
    #[serde(with = "text")]
    pub under_way: Option<Timestamp>,
    /// How many keys were made.
    pub made: usize,
    /// What the server refused.
    pub refused: Vec<Refused>,
    /// Where secrets are written.
    secrets_file: Option<PathBuf>,
    /// How long that file was after the last batch that was answered; `None`: there is none yet.
    pub secrets: Option<u64>,
    /// When the last batch was answered.
    #[serde(with = "text")]
    pub finished: Option<Timestamp>,
    #[serde(skip)]
    name: String,
    /// Where this is kept; `None`: nowhere.
    #[serde(skip)]
    path: Option<PathBuf>,
}

impl Journal {
    /// The journal of an import, if it was begun before, or a new one.
    pub fn open(name: &str, file: &Path) -> Result<Self, Failure> {
        let path = folder()?.join(format!("{name}.json"));
        let journal = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_broken| {
                Failure::System(format!("{} cannot be read: remove it", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(Failure::System(format!("{}: {error}", path.display()))),
        };
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        Ok(Self { file, name: name.to_owned(), path: Some(path), ..journal })
    }

    /// What is left of the import, in a journal of which nothing is kept.
    pub fn rehearsal(&self) -> Self {
        let (name, runs, batches) = (self.name.clone(), self.runs, self.batches);
        Self { name, runs, batches, ..Self::default() }
    }

    /// Notes where secrets are written: where they were written before.
    pub fn write_secrets_to(&mut self, file: Option<&Path>) -> Result<(), Failure> {
        match (self.secrets, &self.secrets_file) {
            (Some(_), before) if before.as_deref() != file => Err(Failure::Usage(format!(
                "the secrets of this import are in {}: --secrets must be the same",
                before.as_deref().unwrap_or(Path::new("no file")).display()
            ))),
            _ => {
                self.secrets_file = file.map(Path::to_owned);
                Ok(())
            }
        }
    }

    /// Forgets how far it got.
    pub fn begin_anew(&mut self) {
        let (runs, file) = (self.runs + 1, self.file.clone());
        *self =
            Self { runs, file, name: self.name.clone(), path: self.path.take(), ..Self::default() };
    }

    /// The idempotency key of a batch.
    pub fn key(&self, batch: usize) -> String {
        format!("import-{}-{}-{batch}", self.name, self.runs)
    }

    /// Notes that the next batch is sent now. One that was under way stays so: the server has
    /// known it since then.
    pub fn send(&mut self, now: Timestamp) -> Result<(), Failure> {
        self.under_way.get_or_insert(now);
        self.secrets.get_or_insert_default();
        self.save()
    }

    /// Notes that a batch was answered.
    pub fn answered(&mut self, batch: usize, secrets: u64) {
        (self.batches, self.secrets, self.under_way) = (batch + 1, Some(secrets), None);
    }

    /// Notes that there is nothing left to send.
    pub fn finish(&mut self, now: Timestamp) -> Result<(), Failure> {
        (self.under_way, self.finished) = (None, Some(now));
        self.save()
    }

    /// Keeps it as it is.
    pub fn save(&self) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_vec(self)?;
        files::replace(path, &text)
            .map_err(|error| Failure::System(format!("{}: {error}", path.display())))
    }
}

/// What an import is called: by all that it depends on.
pub fn name(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn folder() -> Result<PathBuf, Failure> {
    let strategy = etcetera::base_strategy::choose_native_strategy();
    let strategy = strategy.map_err(|error| Failure::System(error.to_string()))?;
    let state = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(state.join("keystile").join("imports"))
}

/// A time as people read it (RFC 3339).
mod text {
    use jiff::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        at.map(|at| at.to_string()).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse()).transpose().map_err(D::Error::custom)
    }
}

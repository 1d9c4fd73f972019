//! Where settings come from: the only place that touches the environment of the process.
//!
//! Everything behind it is a function of [`Sources`], so that tests need no environment and no
//! terminal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use super::problem::{Problem, SettingsError};
use super::table::VARIABLE_PREFIX;

/// What the command line says about settings.
#[derive(Default)]
pub struct Flags {
    /// The file of settings, where one is named.
    pub config: Option<PathBuf>,
    /// The values of flags, by the key of their setting.
    pub values: BTreeMap<&'static str, String>,
}

/// Everything that the settings depend on. Holds secrets, hence no `Debug`.
pub struct Sources {
    /// The command line.
    pub flags: Flags,
    /// The variables of the process that begin with [`VARIABLE_PREFIX`]. Not text yet: a secret with
    /// a byte that is no UTF-8 must be refused, not quietly altered.
    pub environment: BTreeMap<String, OsString>,
    /// The file of settings, read.
    pub file: Option<ConfigFile>,
    /// Reads the files that `…_FILE` variables name.
    pub read: fn(&Path) -> io::Result<String>,
    /// How many threads this machine runs at once.
    pub cores: usize,
    /// Whether the log would go to a terminal.
    pub terminal: bool,
}

/// A TOML file of settings.
pub struct ConfigFile {
    /// Its path, as it was named.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Sources {
    /// Gathers the sources of this process.
    ///
    /// # Errors
    /// The file of settings cannot be read.
    pub fn gather(flags: Flags) -> Result<Self, SettingsError> {
        let environment: BTreeMap<_, _> = env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
            .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
            .collect();
        let named = match &flags.config {
            Some(path) => Some(("--config", path.clone())),
            None => environment.get(CONFIG_VARIABLE).map(|path| (CONFIG_VARIABLE, path.into())),
        };
        let file = named.map(|(name, path)| read_config(name, path)).transpose()?;
        Ok(Self {
            flags,
            environment,
            file,
            read: |path| fs::read_to_string(path),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            terminal: io::stderr().is_terminal(),
        })
    }
}

fn read_config(name: &str, path: PathBuf) -> Result<ConfigFile, SettingsError> {
    match fs::read_to_string(&path) {
        Ok(text) => Ok(ConfigFile { path, text }),
        Err(error) => {
            let rule = format!("names {}, which cannot be read: {error}", path.display());
            Err(SettingsError::new(vec![Problem::new(name, rule)]))
        }
    }
}

/// Names the file of settings where `--config` does not.
pub const CONFIG_VARIABLE: &str = "KEYSTILE_CONFIG";

/// Variables of the command line's: known, and no business of the server's.
pub const FOREIGN_VARIABLES: &[&str] = &["KEYSTILE_TOKEN", "KEYSTILE_URL"];

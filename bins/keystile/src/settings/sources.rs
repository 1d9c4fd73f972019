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
    /// Whether the standard variables of OpenTelemetry name a collector of traces.
    pub collector: bool,
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
            collector: names_collector(|name| env::var_os(name)),
            file,
            read: |path| fs::read_to_string(path),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            terminal: io::stderr().is_terminal(),
        })
    }
}

/// Whether the variables of OpenTelemetry ask for traces to be sent somewhere. To whom, and how, its
/// own library reads.
fn names_collector(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is = |name, value: &str| variable(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is_off = is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none");
    let endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    !is_off && (endpoints.into_iter().any(is_set) || is("OTEL_TRACES_EXPORTER", "otlp"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_sent_where_the_standard_variables_name_a_collector() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        for (variables, named) in [
            (vec![], false),
            (vec![("OTEL_SERVICE_NAME", "keys")], false),
            (vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "")], false),
            (vec![endpoint], true),
            (vec![("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/t")], true),
            (vec![("OTEL_TRACES_EXPORTER", "otlp")], true),
            (vec![endpoint, ("OTEL_TRACES_EXPORTER", "none")], false),
            (vec![endpoint, ("OTEL_SDK_DISABLED", "TRUE")], false),
        ] {
            let found = names_collector(|name| {
                let variable = variables.iter().find(|(known, _)| *known == name);
                variable.map(|(_, value)| value.into())
            });
            assert_eq!(found, named, "{variables:?}");
        }
    }
}

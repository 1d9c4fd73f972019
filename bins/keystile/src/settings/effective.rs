//! Precedence: of all that flags, environment, file and defaults say, the text that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::file;
use super::problem::{Problem, Rule, Warning};
use super::sources::{CONFIG_VARIABLE, FOREIGN_VARIABLES, Sources};
use super::table::{Fallback, SETTINGS, Setting, VARIABLE_PREFIX};

/// The text of each setting that has one, not yet judged, and what is wrong so far.
pub struct Effective {
    values: BTreeMap<&'static str, Value>,
    problems: Vec<Problem>,
}

/// What was said about a setting, and by whom.
pub struct Value {
    /// The text, or why there is none. Any setting may hold a pasted secret: all are kept as one.
    pub text: Result<SecretString, Rule>,
    /// Who said it.
    pub origin: Origin,
}

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// This variable.
    Environment(String),
    /// This line of the file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// This flag, hyphens included.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "file {}", file::place(path, *line)),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl Effective {
    /// Takes for each setting the first of flag, environment, file and default.
    pub fn from_sources(sources: &Sources) -> Self {
        let mut problems = Vec::new();
        let mut file =
            sources.file.as_ref().map(|file| file::values(file, &mut problems)).unwrap_or_default();
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let value = flag_value(sources, setting)
                .or_else(|| environment_value(sources, setting))
                .or_else(|| file.remove(setting.key))
                .or_else(|| default_value(sources, setting, &values));
            values.extend(value.map(|value| (setting.key, value)));
        }
        Self { values, problems }
    }

    /// The value of the setting of this key, where there is one.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The typed value of a setting: nothing where it is unset or wrong.
    ///
    /// What is wrong is kept for [`Effective::problems`], so that reading goes on.
    pub fn parse<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.values.get(key)?.text.as_ref();
        let parse =
            |text: &SecretString| parse(text.expose_secret()).map_err(|rule| rule.to_string());
        match text.map_err(ToString::to_string).and_then(parse) {
            Ok(parsed) => Some(parsed),
            Err(rule) => {
                self.refuse(key, rule);
                None
            }
        }
    }

    /// Notes that the value of the setting, or its absence, breaks a rule.
    pub fn refuse(&mut self, key: &'static str, rule: impl fmt::Display) {
        let name = match self.values.get(key).map(|value| &value.origin) {
            Some(Origin::Environment(name) | Origin::Flag(name)) => name.clone(),
            Some(Origin::File { path, line }) => format!("`{key}` in {}", file::place(path, *line)),
            Some(Origin::Default) => format!("`{key}` by default"),
            None => Setting::find(key).map_or_else(|| key.to_owned(), Setting::variable),
        };
        self.problems.push(Problem::new(name, rule));
    }

    /// All that was found wrong.
    pub fn problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// The variables that look like settings and are none.
pub fn unknown_variables(sources: &Sources) -> Vec<Warning> {
    let known: BTreeSet<String> = SETTINGS
        .iter()
        .flat_map(|setting| [Some(setting.variable()), setting.file_variable()])
        .flatten()
        .chain([CONFIG_VARIABLE].iter().chain(FOREIGN_VARIABLES).map(|name| (*name).to_owned()))
        .collect();
    let unknown = |name: &&String| name.starts_with(VARIABLE_PREFIX) && !known.contains(*name);
    sources.environment.keys().filter(unknown).map(|name| Warning::new(name)).collect()
}

fn flag_value(sources: &Sources, setting: &Setting) -> Option<Value> {
    let text = sources.flags.values.get(setting.key)?;
    let origin = Origin::Flag(format!("--{}", setting.flag()?));
    Some(Value { text: Ok(text.as_str().into()), origin })
}

fn environment_value(sources: &Sources, setting: &Setting) -> Option<Value> {
    let variable = setting.variable();
    let direct = sources.environment.get(&variable);
    let through_file = setting
        .file_variable()
        .and_then(|name| sources.environment.get(&name).map(|path| (name, Path::new(path))));
    let (name, text) = match (direct, through_file) {
        (None, None) => return None,
        (Some(text), None) => (variable, text.to_str().map(SecretString::from).ok_or(NOT_UTF8)),
        (None, Some((name, path))) => (name, secret_in_file(sources, path)),
        (Some(_), Some((name, _))) => (name, Err(TWICE)),
    };
    Some(Value { text, origin: Origin::Environment(name) })
}

/// The path stays out of the rule: it is the secret itself if `_FILE` was added to the name by
/// mistake.
fn secret_in_file(sources: &Sources, path: &Path) -> Result<SecretString, Rule> {
    match (sources.read)(path) {
        Ok(text) => Ok(without_line_end(&text).into()),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => Rule("names a file that does not exist"),
            ErrorKind::PermissionDenied => Rule("names a file that the server may not read"),
            _ => Rule("names a file that cannot be read as text"),
        }),
    }
}

fn default_value(
    sources: &Sources,
    setting: &Setting,
    earlier: &BTreeMap<&'static str, Value>,
) -> Option<Value> {
    let text = match (setting.default, setting.key) {
        (Fallback::Value(text), _) => text.to_owned(),
        (Fallback::Rule { .. }, "database_url") => {
            let directory = earlier.get("data_dir")?.text.as_ref().ok()?;
            format!("sqlite://{}/keystile.db", directory.expose_secret())
        }
        (Fallback::Rule { .. }, "log_format") => {
            if sources.terminal { "text" } else { "json" }.to_owned()
        }
        (Fallback::Rule { .. }, "workers") => sources.cores.to_string(),
        (Fallback::Rule { .. }, _) => return None,
    };
    Some(Value { text: Ok(text.into()), origin: Origin::Default })
}

/// Editors end a file with a line end; more than one is part of the secret.
fn without_line_end(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

const NOT_UTF8: Rule = Rule("must be UTF-8 text");
const TWICE: Rule = Rule("and the variable without _FILE are both set: leave one out");

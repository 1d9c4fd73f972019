//! What is wrong with the settings: collected, so that one start names every mistake.
//!
//! A problem says which setting and which rule, never the value: whoever pastes a secret into the
//! wrong place must not find it in a log.

use std::fmt;

/// What a value must be, as a phrase that goes on from the setting's name: `must be …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule(pub &'static str);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    name: String,
    rule: String,
}

impl Problem {
    /// `name` is the setting as its author wrote it.
    pub fn new(name: impl Into<String>, rule: impl fmt::Display) -> Self {
        Self { name: name.into(), rule: rule.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rule)
    }
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, thiserror::Error)]
pub struct SettingsError {
    problems: Vec<Problem>,
}

impl SettingsError {
    /// `problems` in the order in which they are to be read.
    pub fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are wrong")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// A variable that looks like a setting and is none.
///
/// It does not stop the start: Kubernetes puts such names into the environment of every container
/// beside a service called `keystile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    variable: String,
}

impl Warning {
    /// About the variable of this name.
    pub fn new(variable: &str) -> Self {
        Self { variable: variable.to_owned() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a setting, and ignored", self.variable)
    }
}

//! What the process around a command gives it: variables, the clock, who is asked.
//!
//! The one place that looks at them, so that everything else is told.

use std::io::IsTerminal;

use jiff::Timestamp;
use secrecy::SecretString;

/// The address of the server, from `KEYSTILE_URL`.
pub fn url() -> Option<String> {
    variable("KEYSTILE_URL")
}

/// The key or token, from `KEYSTILE_TOKEN`.
pub fn token() -> Option<SecretString> {
    // A file that it was read from may end with a line.
    let token = variable("KEYSTILE_TOKEN")?;
    Some(token.trim_end()).filter(|token| !token.is_empty()).map(SecretString::from)
}

/// Whether somebody wants no colours: `NO_COLOR` is set, to anything but nothing.
pub fn minds_colour() -> bool {
    variable("NO_COLOR").is_some()
}

/// What this machine calls itself, to tell one sign-in from another.
pub fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The time.
#[expect(clippy::disallowed_methods, reason = "the one clock of the command line")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Whether somebody can be asked: scripts and pipelines have nobody.
pub fn has_somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

#[expect(clippy::disallowed_methods, reason = "the command line has no settings of the server")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

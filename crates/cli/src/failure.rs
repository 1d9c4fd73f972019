//! What goes wrong, as one line for people and one number for scripts.

use std::fmt::Write;
use std::io;
use std::process::ExitCode;

use keystile_api::problem::ErrorCode;
use keystile_client::Error;

use crate::output::plain;

/// Why a command did not do all that it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server refused it, or could not be asked.
    #[error("{}", told(.0))]
    Client(#[from] Box<Error>),
    /// Whoever reads standard output has stopped, which is theirs to say.
    #[error("nobody reads standard output any more")]
    Closed,
    /// It cannot be written in this form.
    #[error("it cannot be printed like this: {0}")]
    Form(String),
    /// Somebody pressed Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// Whoever asks may not do it.
    #[error("{0}")]
    NotAllowed(String),
    /// There is nothing of this name.
    #[error("{0}")]
    NotFound(String),
    /// Standard output takes no more.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// Some of it was done.
    #[error("{0}")]
    Partly(String),
    /// The machine did not let us.
    #[error("{0}")]
    System(String),
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// What scripts see: 0 nobody wants to know more, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 partly done.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The same as a number.
    pub fn number(&self) -> u8 {
        match self {
            Self::Client(error) => match error.status() {
                Some(401 | 403) => 4,
                Some(404) => 3,
                _ => 1,
            },
            Self::Closed => 0,
            Self::Form(_) | Self::Interrupted(_) | Self::Output(_) | Self::System(_) => 1,
            Self::NotAllowed(_) => 4,
            Self::NotFound(_) => 3,
            Self::Partly(_) => 5,
            Self::Usage(_) => 2,
        }
    }
}

impl Failure {
    /// Another text with the same number.
    pub fn saying(&self, text: String) -> Self {
        match self.number() {
            2 => Self::Usage(text),
            3 => Self::NotFound(text),
            4 => Self::NotAllowed(text),
            5 => Self::Partly(text),
            _ => Self::System(text),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Form(error.to_string())
    }
}

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        Self::Form(error.to_string())
    }
}

/// One line: what went wrong and what to do, then the code and the request, for whoever looks it up.
fn told(error: &Error) -> String {
    let mut line = error.to_string().trim_end_matches('.').to_owned();
    if let Some(hint) = hint(error) {
        line.push_str(": ");
        line.push_str(hint);
    }
    if let Some(refusal) = error.refusal() {
        // Writing to a string cannot fail.
        _ = write!(line, " ({}", refusal.code);
        if let Some(id) = &refusal.request_id {
            _ = write!(line, ", request {id}");
        }
        line.push(')');
    }
    plain(&line)
}

/// What whoever reads it can do about it.
fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::Lost(_) | Error::TimedOut => Some("it may have been done all the same; look"),
        Error::Refused(refusal) => match refusal.status {
            400 if refusal.code == ErrorCode::UnknownFields => {
                Some("the server is of another version than this program")
            }
            401 if refusal.code == ErrorCode::InvalidCredential
                || refusal.code == ErrorCode::MissingCredential =>
            {
                Some("sign in again with `keystile login`")
            }
            405 => Some("the server is of another version than this program"),
            _ => None,
        },
        Error::Tls(_) => Some("--ca-file names who vouches for the server"),
        Error::Unreachable(_) => Some("is the address right, and does the server run?"),
        _ => None,
    }
}

//! What goes wrong, as one line for people and one number for scripts.

use std::fmt::Write;
use std::io;
use std::process::ExitCode;

use keystile_api::problem::ErrorCode;
use keystile_client::Error;

use crate::environment;
use crate::output::plain;

/// Why a command did not do all that it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server refused a change, or could not be asked.
    #[error("{}", told(.0, hint_for_change(.0)))]
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
    /// The server refused what would have changed nothing, or could not be asked.
    #[error("{}", told(.0, hint(.0)))]
    Question(Box<Error>),
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
            Self::Client(error) | Self::Question(error) => match error.status() {
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
    /// The same of something that changes nothing, whatever became of it.
    pub fn of_question(self) -> Self {
        match self {
            Self::Client(error) => Self::Question(error),
            failure => failure,
        }
    }

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
fn told(error: &Error, hint: Option<&str>) -> String {
    let mut line = error.to_string().trim_end_matches('.').to_owned();
    if let Some(hint) = hint {
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
        Error::Lost(_) => Some("does the address begin with http:// where it should be https://?"),
        Error::NotKeystile { status: 404, .. } => {
            Some("leave out what stands behind the host and the port, unless a proxy needs it")
        }
        Error::Refused(refusal) => match refusal.status {
            400 if refusal.code == ErrorCode::UnknownFields => Some(OTHER_VERSION),
            401 if refusal.code == ErrorCode::InvalidCredential
                || refusal.code == ErrorCode::MissingCredential =>
            {
                Some(if environment::token().is_some() {
                    "KEYSTILE_TOKEN holds it: set another one, or unset it to use a profile"
                } else {
                    "sign in again with `keystile login`"
                })
            }
            403 if refusal.code == ErrorCode::AccountRequired => {
                Some("--user names whose tokens you mean")
            }
            405 => Some(OTHER_VERSION),
            409 if !refusal.tokens.is_empty() => Some("here that is --revoke-tokens"),
            _ => None,
        },
        error if error.is_no_tls() => {
            Some("if nobody speaks TLS there, try http:// in the address")
        }
        Error::Tls(_) => Some("--ca-file names who vouches for the server"),
        Error::Unreachable(_) => Some("is the address right, and does the server run?"),
        Error::Unreadable { .. } => Some("use the `keystile` of the server's version"),
        _ => None,
    }
}

/// The same of a change, of which it may not be known whether it was made.
fn hint_for_change(error: &Error) -> Option<&'static str> {
    match hint(error) {
        _ if error.may_be_done() => Some("it may have been done all the same; look"),
        hint => hint,
    }
}

const OTHER_VERSION: &str = "the server is of another version than this program";

//! Asking whoever sits at the terminal. Without a terminal nobody is asked, and nothing is guessed.
//!
//! Prompts stand on standard error, so that standard output stays what was asked for.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Read};
use std::str::FromStr;

use inquire::{Confirm, CustomType, InquireError, Password, PasswordDisplayMode};
use secrecy::SecretString;

use crate::environment;
use crate::failure::Failure;

/// What somebody says to one of several changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Do this and all that follow.
    All,
    /// Not this one.
    No,
    /// Neither this nor what follows.
    Quit,
    /// Do it.
    Yes,
}

/// Asks whether to do something.
///
/// # Errors
/// There is nobody to ask, who is told of `instead`; or they pressed Ctrl-C.
pub fn ask(question: &str, instead: &str) -> Result<Answer, Failure> {
    somebody_or(instead)?;
    CustomType::new(question)
        .with_help_message("yes, no, all, quit")
        .with_error_message("answer with yes, no, all or quit, or their first letter")
        .prompt()
        .map_err(interrupted)
}

/// Asks whether to do the one thing that there is.
///
/// # Errors
/// There is nobody to ask, who is told of `instead`; or they pressed Ctrl-C.
pub fn agree(question: &str, instead: &str) -> Result<bool, Failure> {
    somebody_or(instead)?;
    Confirm::new(question)
        .with_help_message("yes, no")
        .with_error_message("answer with yes or no, or their first letter")
        .prompt()
        .map_err(interrupted)
}

fn somebody_or(instead: &str) -> Result<(), Failure> {
    let nobody = || Failure::Usage(format!("there is no terminal to ask on: {instead}"));
    environment::has_somebody().then_some(()).ok_or_else(nobody)
}

/// Takes a secret: on a terminal without showing it, otherwise the first line of standard input.
///
/// # Errors
/// There was none.
pub fn secret(question: &str) -> Result<SecretString, Failure> {
    let text = if environment::has_somebody() {
        let prompt = Password::new(question).without_confirmation();
        let prompt = prompt.with_display_mode(PasswordDisplayMode::Hidden);
        prompt.prompt().map_err(interrupted)?
    } else if io::stdin().is_terminal() {
        return Err(Failure::Usage("there is no terminal to ask on".into()));
    } else {
        let mut line = String::new();
        let read = io::stdin().lock().take(LONGEST).read_line(&mut line);
        read.map_err(|error| Failure::System(format!("standard input: {error}")))?;
        if !line.ends_with('\n') && u64::try_from(line.len()).is_ok_and(|length| length == LONGEST)
        {
            return Err(Failure::Usage(format!("the first line has no end. {question}")));
        }
        line
    };
    match text.trim() {
        "" => Err(Failure::Usage(format!("nothing was given. {question}"))),
        text => Ok(SecretString::from(text)),
    }
}

impl FromStr for Answer {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.trim().to_ascii_lowercase().as_str() {
            "a" | "all" => Ok(Self::All),
            "n" | "no" => Ok(Self::No),
            "q" | "quit" => Ok(Self::Quit),
            "y" | "yes" => Ok(Self::Yes),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::No => "no",
            Self::Quit => "quit",
            Self::Yes => "yes",
        })
    }
}

fn interrupted(error: InquireError) -> Failure {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            Failure::Interrupted("interrupted: nothing was done".into())
        }
        error => Failure::System(format!("the terminal: {error}")),
    }
}

/// What whoever said no hears.
pub const DECLINED: &str = "Nothing was done";
/// How many bytes of a line are read: no secret is longer.
const LONGEST: u64 = 64 * 1024;

//! The command line: an ordinary client of the HTTP API, for people who live in a terminal.
//!
//! - `commands` are all of them;
//! - `session` says which server is asked, as whom, and how output looks; `profiles`, `login`
//!   and `logout` keep that, `environment` is all that is taken from the process;
//! - `resource` is the shape of the five kinds of things in `resources`, and `verbs` what is done
//!   with any of them; `rotate` is what keys and tokens have beside it;
//! - `targets` finds the things that a command names, `deed` changes them one by one: what-if,
//!   questions, Ctrl-C;
//! - `import`, `verify`, `insights`, `audit` and `usage` are the commands beside those, `shell` what
//!   shells and `man` ask of all of them;
//! - `output` prints, `prompt` asks, `failure` is what went wrong, with its exit code,
//!   `files` writes.
//!
//! It knows no rule of Keystile: whatever may be or not be, the server says.

mod audit;
mod commands;
mod deed;
mod environment;
mod expiry;
mod failure;
mod files;
mod import;
mod insights;
mod login;
mod logout;
mod moments;
mod output;
mod profiles;
mod prompt;
mod resource;
mod resources;
mod rotate;
mod session;
mod shell;
mod spans;
mod sso;
mod stop;
mod targets;
mod usage;
mod verbs;
mod verify;
mod whoami;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches, Subcommand};

use self::failure::Failure;
use self::session::Common;

/// A command that asks a server, as clap reads it.
///
/// ```
/// use clap::Parser;
///
/// #[derive(Parser)]
/// struct Cli {
///     #[command(subcommand)]
///     command: keystile_cli::Command,
/// }
///
/// assert!(Cli::try_parse_from(["keystile", "keys", "list", "--name", "CI*"]).is_ok());
/// assert!(Cli::try_parse_from(["keystile", "--profile", "staging", "keys", "list"]).is_ok());
/// assert!(Cli::try_parse_from(["keystile", "keys", "set", "CI", "--enable", "--disable"]).is_err());
/// ```
pub struct Command(commands::Command);

/// Runs a command to its end. `program` is the whole command line, of which it is one: what shells
/// complete, and the manual describes.
///
/// What went wrong stands in one line on standard error. The exit code is 0 if all was done, 1 if
/// it failed, 2 if it cannot be asked like that, 3 if there is no such thing, 4 if it is not
/// allowed, and 5 if only some of it was done.
pub fn run(command: Command, program: impl FnOnce() -> clap::Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .map_err(|error| Failure::System(error.to_string()))
        .and_then(|runtime| runtime.block_on(Box::pin(command.0.run(program))));
    match done {
        Ok(()) | Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(failure) => {
            output::say(format_args!("keystile: {failure}"));
            failure.exit_code()
        }
    }
}

impl Command {
    /// Refuses flags of these commands in front of one that has no use for them, as in
    /// `keystile --profile NAME serve`.
    ///
    /// # Errors
    /// There is such a flag; `program` is the whole command line.
    pub fn refuse_stray_flags(
        matches: &ArgMatches,
        program: &mut clap::Command,
    ) -> Result<(), clap::Error> {
        let Some((name, _)) = matches.subcommand() else { return Ok(()) };
        if <Self as Subcommand>::has_subcommand(name) {
            return Ok(());
        }
        let given = |arg: &clap::Arg| {
            matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        let Some(flag) = Common::before_command().find(given) else { return Ok(()) };
        let text =
            format!("--{} is for commands that ask a server, not for `{name}`", flag.get_id());
        Err(program.error(ErrorKind::ArgumentConflict, text.replace('_', "-")))
    }
}

impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        commands::Command::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        commands::Command::augment_subcommands(command.args(Common::before_command()))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        commands::Command::augment_subcommands_for_update(command)
    }

    fn has_subcommand(name: &str) -> bool {
        commands::Command::has_subcommand(name)
    }
}

//! The command line: which command, and the flags that are settings.
//!
//! The flags are not written here but made from the table of settings, and so is their help.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{
    Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand,
    value_parser,
};
use keystile_domain::Timestamp;

use crate::settings::{CONFIG_VARIABLE, Fallback, Flags, SETTINGS, Setting};

/// Issues, checks, rotates and revokes API keys, tokens and JWTs.
#[derive(Parser)]
#[command(name = "keystile", version, max_term_width = 100)]
#[command(arg_required_else_help = true, after_help = BEGINNING)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Action,
}

impl Cli {
    /// Reads it from the process. Whoever asks for what cannot be is told, and the process ends.
    pub fn read() -> Self {
        let mut program = Self::command();
        let matches = program.get_matches_mut();
        let read = keystile_cli::Command::refuse_stray_flags(&matches, &mut program)
            .and_then(|()| Self::from_arg_matches(&matches));
        read.unwrap_or_else(|error| error.exit())
    }
}

/// What to do: what belongs to the machine of the server is here, what asks a server from anywhere
/// is [`keystile_cli::Command`].
#[derive(Subcommand)]
pub enum Action {
    /// Ask a server.
    #[command(flatten)]
    Ask(keystile_cli::Command),
    /// Help whoever is locked out, on the machine of the server
    #[command(subcommand, arg_required_else_help = true)]
    Admin(AdminAction),
    /// Write everything that is worth keeping into one file, while the server runs
    ///
    /// The file has neither the master key nor any key or token in plain; it has names, addresses
    /// and hashes of passwords.
    Backup {
        /// Where to; `-` is the standard output
        file: PathBuf,
        /// Replace a file that is there
        #[arg(long, short)]
        force: bool,
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
    /// Check the settings or show them
    #[command(subcommand, arg_required_else_help = true)]
    Config(ConfigAction),
    #[command(about = "Print the OpenAPI document")]
    Openapi,
    /// Read a backup into an empty database, of either kind
    ///
    /// It takes the master key that the backup was made under. What was revoked after the backup
    /// lives again, unless it is named here.
    Restore {
        /// Where from; `-` is the standard input
        file: PathBuf,
        /// End the keys and tokens that were made or changed at this moment or later
        #[arg(long, value_name = "TIME")]
        disable_changed_since: Option<Timestamp>,
        /// End the keys, tokens and users whose ids are in this file, one in each line
        #[arg(long, value_name = "FILE")]
        ended: Option<PathBuf>,
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
    /// Start the server
    Serve(Flags),
}

/// What takes the database instead of a credential.
#[derive(Subcommand)]
pub enum AdminAction {
    /// Forget every pepper but the present one
    ///
    /// Nothing is done while keys or tokens would stop because nobody has shown them since the
    /// rotation: they are listed.
    ForgetOldPeppers {
        /// Let them stop
        #[arg(long)]
        force: bool,
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
    /// Give somebody a new password, print it, and end their sessions
    ///
    /// With SQLite, stop the server first.
    ResetPassword {
        /// Their user name
        #[arg(default_value = "admin")]
        username: String,
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
    /// Put the database under another master key
    ///
    /// Servers that run go on; the next start takes the new key. Backups from before still need the
    /// old one.
    RotateMasterKey {
        /// Where the new key is, or is to be written; needed where the settings give the key
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
    /// Make a new pepper for the digests of keys and tokens
    ///
    /// Those that are there come under it as they are used, and work all the time.
    RotatePepper {
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
    /// Make a new key to sign access tokens with
    ///
    /// It takes over as soon as everybody can know it, in ten minutes. With SQLite, stop the server
    /// first.
    RotateSigningKey {
        /// The old key is compromised: nothing that it signed works any more
        #[arg(long)]
        now: bool,
        /// Where the database is.
        #[command(flatten)]
        flags: Flags,
    },
}

/// What to do with the settings.
#[derive(Subcommand)]
pub enum ConfigAction {
    /// Check the settings as `serve` would, and start nothing
    Check(Flags),
    /// Print the settings that count and where each came from, secrets masked
    Show(Flags),
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help(format!("A TOML file of settings [env: {CONFIG_VARIABLE}]"));
        SETTINGS
            .iter()
            .filter_map(flag)
            .fold(command.arg(config), Command::arg)
            .after_help(footer())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.config = matches.get_one(CONFIG).cloned();
        self.values = SETTINGS
            .iter()
            .filter(|setting| setting.flag)
            .filter_map(|setting| Some((setting.key, matches.get_one(setting.key).cloned()?)))
            .collect();
        Ok(())
    }
}

fn flag(setting: &'static Setting) -> Option<Arg> {
    let (Fallback::Rule { says: default, .. } | Fallback::Value(default)) = setting.default;
    let default = if default.is_empty() { "none" } else { default };
    Some(
        Arg::new(setting.key)
            .long(setting.flag()?)
            .help_heading(setting.group)
            .value_name(setting.takes)
            .help(format!("{}\n[env: {}] [default: {default}]", setting.about, setting.variable())),
    )
}

/// The settings that have no flag, in the shape that the flags have above them.
fn footer() -> String {
    let mut text = "From the environment or the file alone:\n".to_owned();
    for setting in SETTINGS.iter().filter(|setting| !setting.flag) {
        // Writing to a string cannot fail.
        _ = writeln!(text, "  {}\n          {}", setting.variable(), setting.about);
    }
    text + "\nA secret may also be in a file that <VARIABLE>_FILE names. Flags win over the environment, \
            and the environment over the file."
}

const CONFIG: &str = "config";

const BEGINNING: &str = "\
To begin:
  keystile serve            starts a server; the first time it shows the administrator's key
  keystile login            asks for that key, and keeps it
  keystile keys new NAME    makes another, and prints it once";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_that_reads_settings_takes_them_all_as_flags() {
        for command in [
            &["serve"][..],
            &["config", "check"],
            &["config", "show"],
            &["admin", "forget-old-peppers"],
            &["admin", "reset-password"],
            &["admin", "rotate-master-key"],
            &["admin", "rotate-pepper"],
            &["admin", "rotate-signing-key"],
            &["backup", "-"],
            &["restore", "-"],
        ] {
            for setting in SETTINGS {
                let Some(flag) = setting.flag() else { continue };
                let arguments = ["keystile"].iter().chain(command).map(ToString::to_string);
                let cli = Cli::try_parse_from(arguments.chain([format!("--{flag}"), "v".into()]));
                let flags = match cli.unwrap().command {
                    Action::Serve(flags)
                    | Action::Backup { flags, .. }
                    | Action::Restore { flags, .. }
                    | Action::Admin(
                        AdminAction::ForgetOldPeppers { flags, .. }
                        | AdminAction::ResetPassword { flags, .. }
                        | AdminAction::RotateMasterKey { flags, .. }
                        | AdminAction::RotatePepper { flags }
                        | AdminAction::RotateSigningKey { flags, .. },
                    )
                    | Action::Config(ConfigAction::Check(flags) | ConfigAction::Show(flags)) => {
                        flags
                    }
                    Action::Ask(_) | Action::Openapi => panic!("another command"),
                };
                assert_eq!(
                    flags.values.into_iter().collect::<Vec<_>>(),
                    [(setting.key, "v".into())]
                );
            }
        }
    }

    #[test]
    fn a_setting_without_a_flag_is_an_unknown_flag() {
        let error = Cli::try_parse_from(["keystile", "serve", "--master-key", "x"]).err().unwrap();
        assert!(error.to_string().contains("--master-key"));
    }

    #[test]
    fn the_help_names_every_variable() {
        let help = Cli::try_parse_from(["keystile", "serve", "--help"]).err().unwrap().to_string();
        for setting in SETTINGS {
            assert!(help.contains(&setting.variable()), "{}", setting.key);
        }
    }
}

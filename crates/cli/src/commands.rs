//! The commands that ask a server, and which of the rooms does each.

use clap::Subcommand;

use crate::audit::AuditVerb;
use crate::failure::Failure;
use crate::import::Import;
use crate::insights::Insights;
use crate::login::Login;
use crate::logout::Logout;
use crate::profiles::verbs::ProfileVerb;
use crate::resources::api_keys::ApiKeys;
use crate::resources::providers::Providers;
use crate::resources::roles::Roles;
use crate::resources::tokens::Tokens;
use crate::resources::users::Users;
use crate::rotate::Rotate;
use crate::session::Session;
use crate::shell::{Completions, Man};
use crate::usage::{UsageOfKey, UsageOfToken};
use crate::verbs::{Group, Verb};
use crate::verify::Verify;
use crate::whoami::Whoami;

/// The commands that ask a server.
#[derive(Subcommand)]
pub enum Command {
    /// The audit log, who changed what: list, follow, verify
    Audit(Group<AuditVerb>),
    /// Print what makes a shell complete commands and flags
    Completions(Completions),
    /// Make keys from a file, those of another store by their hashes
    Import(Import),
    /// Tell which keys deserve attention: unused, expiring, granted too much
    Insights(Insights),
    /// API keys: list, get, new, set, rotate, remove, usage
    #[command(after_help = KEYS)]
    Keys(Group<KeyVerb>),
    /// Keep the address of a server and a key or token for it
    #[command(after_help = LOGIN)]
    Login(Login),
    /// Forget the key or token of a server
    #[command(after_help = LOGOUT)]
    Logout(Logout),
    /// Print the manual, or write a page for each command
    Man(Man),
    /// Profiles, the servers that somebody signed in to here: list, use, remove
    Profiles(Group<ProfileVerb>),
    /// Providers, the ways to authenticate: list, get, new, set, remove
    Providers(Group<Verb<Providers>>),
    /// Roles: list, get, new, set, remove
    Roles(Group<Verb<Roles>>),
    /// Personal access tokens, one's own or somebody's: list, get, new, set, rotate, remove, usage
    Tokens(Group<TokenVerb>),
    /// Users and service accounts: list, get, new, set, remove
    Users(Group<Verb<Users>>),
    /// Check a key or token, which is asked for or the first line of standard input
    Verify(Verify),
    /// Show who you are at the server, and what you may do
    #[command(after_help = WHOAMI)]
    Whoami(Whoami),
}

/// What can be done with API keys.
#[derive(Subcommand)]
pub enum KeyVerb {
    #[command(flatten)]
    Verb(Box<Verb<ApiKeys>>),
    /// Give a key a new secret, and see the old one off
    Rotate(Rotate<ApiKeys>),
    /// Show how often a key was checked, by day or hour
    #[command(after_help = USAGE_OF_KEY)]
    Usage(UsageOfKey),
}

/// What can be done with tokens.
#[derive(Subcommand)]
pub enum TokenVerb {
    #[command(flatten)]
    Verb(Verb<Tokens>),
    /// Give a token a new secret, and see the old one off
    Rotate(Rotate<Tokens>),
    /// Show how often a token was checked, by day or hour
    #[command(after_help = USAGE_OF_TOKEN)]
    Usage(UsageOfToken),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, program: impl FnOnce() -> clap::Command) -> Result<(), Failure> {
        match self {
            Self::Audit(Group { verb, common }) => verb.run(&common.open()?).await,
            Self::Completions(completions) => completions.run(program()),
            Self::Import(import) => {
                let session = import.common.clone().open()?;
                import.run(&session).await
            }
            Self::Insights(insights) => {
                let session = insights.common.clone().open()?;
                insights.run(&session).await
            }
            Self::Keys(Group { verb, common }) => keys(verb, &common.open()?).await,
            Self::Login(login) => Box::pin(login.run()).await,
            Self::Logout(logout) => logout.run().await,
            Self::Man(man) => man.run(program()),
            Self::Profiles(Group { verb, common }) => verb.run(&common).await,
            Self::Providers(Group { verb, common }) => verb.run(&common.open()?).await,
            Self::Roles(Group { verb, common }) => verb.run(&common.open()?).await,
            Self::Tokens(Group { verb, common }) => tokens(verb, &common.open()?).await,
            Self::Users(Group { verb, common }) => verb.run(&common.open()?).await,
            Self::Verify(verify) => {
                let session = verify.common.clone().open()?;
                verify.run(&session).await
            }
            Self::Whoami(whoami) => whoami.run().await,
        }
    }
}

async fn keys(verb: KeyVerb, session: &Session) -> Result<(), Failure> {
    match verb {
        KeyVerb::Verb(verb) => verb.run(session).await,
        KeyVerb::Rotate(rotate) => rotate.run(session).await,
        KeyVerb::Usage(usage) => usage.run(session).await,
    }
}

async fn tokens(verb: TokenVerb, session: &Session) -> Result<(), Failure> {
    match verb {
        TokenVerb::Verb(verb) => verb.run(session).await,
        TokenVerb::Rotate(rotate) => rotate.run(session).await,
        TokenVerb::Usage(usage) => usage.run(session).await,
    }
}

const LOGIN: &str = "\
Examples:
  keystile login https://keys.example.com
  keystile login https://keys.example.com --profile staging < key
  keystile login --sso";
const LOGOUT: &str = "\
Examples:
  keystile logout
  keystile logout --profile staging";
const WHOAMI: &str = "\
Examples:
  keystile whoami
  keystile whoami --profile staging -o json";
const USAGE_OF_KEY: &str = "\
Examples:
  keystile keys usage 'CI pipeline'
  keystile keys usage 'CI pipeline' --by hour --since 2d -o csv";
const USAGE_OF_TOKEN: &str = "\
Examples:
  keystile tokens usage nightly --user deploy-bot";
const KEYS: &str = "\
Examples:
  keystile keys list --name 'CI*'
  KEY=$(keystile keys new 'CI pipeline' --role verifier --expires-in 90d -q)
  keystile keys set 'CI pipeline' --role 1,3 --no-expiry --what-if
  keystile keys rotate 'CI pipeline' --overlap 1d --watch
  keystile keys list --expired -o id | keystile keys set - --disable
  keystile keys list --name 'temp-*' -o id | keystile keys remove - --force";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_ends_its_help_with_examples_and_each_is_a_command() {
        let program = Command::augment_subcommands(clap::Command::new("keystile"));
        let mut seen = 0;
        each_leaf(&program, &mut |leaf| {
            let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<_> =
                help.lines().filter_map(|line| line.trim().strip_prefix("keystile ")).collect();
            assert!(!examples.is_empty(), "{} has no example", leaf.get_name());
            for example in examples {
                let words = words(example.split(['<', '>', '|']).next().unwrap());
                let read = program.clone().try_get_matches_from(words);
                read.unwrap_or_else(|error| panic!("{example}: {error}"));
                seen += 1;
            }
        });
        assert!(seen > 40, "only {seen} examples");
    }

    /// What does something by itself: whatever has no commands of its own, and a rotation.
    fn each_leaf(command: &clap::Command, check: &mut impl FnMut(&clap::Command)) {
        for inner in command.get_subcommands() {
            if !inner.has_subcommands() || inner.get_name() == "rotate" {
                check(inner);
            }
            each_leaf(inner, check);
        }
    }

    fn words(line: &str) -> Vec<String> {
        let quoted = |(n, part): (usize, &str)| match n % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        };
        let words = line.split('\'').enumerate().flat_map(quoted);
        ["keystile".to_owned()].into_iter().chain(words).collect()
    }
}

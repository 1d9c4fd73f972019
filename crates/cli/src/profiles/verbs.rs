//! `profiles`: which there are, which one counts, and the end of one.

use clap::Subcommand;
use serde::Serialize;

use super::{Profile, Profiles};
use crate::failure::Failure;
use crate::logout::forget;
use crate::output::{self, Column, Look, Shown, say};
use crate::session::Common;

/// What to do with profiles.
#[derive(Subcommand)]
pub enum ProfileVerb {
    /// List profiles: servers that somebody signed in to here
    #[command(visible_alias = "ls", after_help = LIST)]
    List,
    /// Forget a profile, as `logout` does
    #[command(aliases = ["delete", "rm"], after_help = REMOVE)]
    Remove {
        /// Its name
        name: String,
    },
    /// Let a profile count where none is named
    #[command(after_help = USE)]
    Use {
        /// Its name
        name: String,
    },
}

/// A profile, without its credential.
#[derive(Clone, Serialize)]
struct Line {
    name: String,
    url: String,
    current: bool,
}

impl ProfileVerb {
    /// Does it.
    ///
    /// # Errors
    /// There is no such profile, or the file cannot be read or written.
    pub async fn run(self, common: &Common) -> Result<(), Failure> {
        let mut profiles = Profiles::read()?;
        match self {
            Self::List => {
                let line = |(name, profile): (&String, &Profile)| Line {
                    name: name.clone(),
                    url: profile.url.to_string(),
                    current: profiles.current.as_ref() == Some(name),
                };
                let lines: Vec<_> = profiles.profiles.iter().map(line).collect();
                if lines.is_empty() && common.output.is_none() && !common.quiet {
                    say("there are no profiles: `keystile login URL` makes one");
                }
                output::many(&lines, common.form(), &common.look())
            }
            Self::Remove { name } => forget(&name, common.quiet).await,
            Self::Use { name } => {
                let url = profiles.named(&name)?.url.clone();
                profiles.current = Some(name.clone());
                profiles.write()?;
                if !common.quiet {
                    say(format_args!("Profile {name} counts from now on: {url}"));
                }
                Ok(())
            }
        }
    }
}

impl Shown for Line {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "NAME", cell: |line, _: &Look| line.name.as_str().into(), from: 0 },
        Column { head: "SERVER", cell: |line, _| line.url.as_str().into(), from: 0 },
        Column {
            head: "CURRENT",
            cell: |line, _| if line.current { "yes" } else { "" }.into(),
            from: 0,
        },
    ];

    fn id(&self) -> String {
        self.name.clone()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

const LIST: &str = "\
Examples:
  keystile profiles list";
const REMOVE: &str = "\
Examples:
  keystile profiles remove staging";
const USE: &str = "\
Examples:
  keystile profiles use staging";

//! What a shell needs of the command line: completions and manual pages.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Prints what makes a shell complete commands and flags.
#[derive(Args)]
#[command(after_help = COMPLETIONS)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Prints the manual.
#[derive(Args)]
#[command(after_help = MAN)]
pub struct Man {
    /// Write a page for each command into this folder, as man finds them: /usr/local/share/man/man1
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Completions {
    /// Does it, for this program.
    ///
    /// # Errors
    /// Standard output takes no more.
    pub fn run(&self, mut program: Command) -> Result<(), Failure> {
        let name = program.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program, name, &mut text);
        output::lines([String::from_utf8_lossy(&text)])
    }
}

impl Man {
    /// Does it, for this program.
    ///
    /// # Errors
    /// The pages cannot be written.
    pub fn run(&self, program: Command) -> Result<(), Failure> {
        if let Some(folder) = &self.folder {
            let told = |error| Failure::System(format!("{}: {error}", folder.display()));
            std::fs::create_dir_all(folder).map_err(told)?;
            return clap_mangen::generate_to(program, folder).map_err(told);
        }
        let mut text = Vec::new();
        clap_mangen::Man::new(program).render(&mut text).map_err(Failure::Output)?;
        output::lines([String::from_utf8_lossy(&text)])
    }
}

const MAN: &str = "\
Examples:
  keystile man /usr/local/share/man/man1";

const COMPLETIONS: &str = "\
Examples:
  keystile completions bash > ~/.local/share/bash-completion/completions/keystile
Or at the start of each shell:
  bash        source <(keystile completions bash)
  zsh         keystile completions zsh > \"${fpath[1]}/_keystile\"
  fish        keystile completions fish > ~/.config/fish/completions/keystile.fish
  powershell  keystile completions powershell | Out-String | Invoke-Expression";

//! The Keystile server: puts the parts together, decides nothing.

mod admin;
mod backup;
mod block;
mod cli;
mod master_key;
mod metrics;
mod open;
mod private_file;
mod progress;
mod restore;
mod rounds;
mod serve;
mod settings;
mod signals;
mod telemetry;
mod usage;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::CommandFactory;

use cli::{Action, Cli, ConfigAction};
use settings::{Settings, Sources};

// Many threads make what others keep. The allocator of the C library has an arena for each, and keeps
// of all of them together three times what is in use.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match run(Cli::read().command) {
        Ok(code) => code,
        Err(error) => {
            // Not by returning it: that would print a backtrace.
            eprintln!("keystile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::Ask(command) => return Ok(keystile_cli::run(command, Cli::command)),
        Action::Admin(action) => admin::run(action),
        Action::Backup { file, force, flags } => backup::run(&file, force, flags),
        Action::Restore { file, disable_changed_since, ended, flags } => {
            restore::run(&file, disable_changed_since, ended.as_deref(), flags)
        }
        Action::Serve(flags) => serve::serve(&Sources::gather(flags)?),
        Action::Config(ConfigAction::Check(flags)) => {
            let (_, warnings) = Settings::from_sources(&Sources::gather(flags)?)?;
            for warning in warnings {
                eprintln!("warning: {warning}");
            }
            Ok(())
        }
        Action::Config(ConfigAction::Show(flags)) => {
            let sources = Sources::gather(flags)?;
            Settings::from_sources(&sources)?;
            print(&settings::show(&sources))
        }
        Action::Openapi => {
            let document = keystile_http::document().to_pretty_json()?;
            print(&format!("{document}\n"))
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads it may stop at any time.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

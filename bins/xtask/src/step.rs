//! One command at a time, said before it is run.

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// Says what comes now.
pub fn say(what: &str) {
    eprintln!("\n── {what}");
}

/// Runs the command, which must succeed.
pub fn run(what: &str, mut command: Command) -> Result<()> {
    say(what);
    let status = command.status().with_context(|| format!("{command:?} does not run"))?;
    ensure!(status.success(), "{what}: {status}");
    Ok(())
}

/// Runs the command, which must succeed, for what it writes to standard output.
pub fn output(what: &str, mut command: Command) -> Result<String> {
    say(what);
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("{command:?} does not run"))?;
    ensure!(output.status.success(), "{what}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// Sends a signal to a process that was started here, and may have ended by itself.
pub fn signal(name: &str, process: &Child) {
    let number = process.id().to_string();
    let _ = Command::new("kill").args(["-s", name, &number]).stderr(Stdio::null()).status();
}

/// The same cargo that runs this, at the root of the project.
pub fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    command
}

/// The root of the project.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

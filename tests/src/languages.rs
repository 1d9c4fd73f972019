//! Programs in other languages: texts, to be run with what the suite has installed for them.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use tokio::process::Command;

use crate::{programs, scratch};

/// Runs a program in Python.
///
/// # Panics
/// If Python is not here: ask [`Part::Python`](crate::Part::Python) first.
pub fn python(program: &str) -> Command {
    let (python, packages) = programs::python().expect("Python");
    let mut command = Command::new(python);
    command.arg(written(program, "py")).env("PYTHONPATH", packages);
    command
}

/// Runs a program in TypeScript, an ES module, in Node.js, which skips over the types.
///
/// # Panics
/// If Node.js is not here: ask [`Part::OpenId`](crate::Part::OpenId) first.
pub fn typescript(program: &str) -> Command {
    let (node, script) = programs::oidc_provider().expect("Node.js");
    let program = written(program, "mts");
    // Modules are looked for beside the program.
    let modules = script.with_file_name("node_modules");
    symlink(modules, program.with_file_name("node_modules")).expect("room for a link");
    let mut command = Command::new(node);
    command.arg(program);
    command
}

fn written(program: &str, extension: &str) -> PathBuf {
    let file = scratch::directory("program").join("program").with_extension(extension);
    fs::write(&file, program).expect("room for a program");
    file
}

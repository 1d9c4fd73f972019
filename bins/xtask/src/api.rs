//! The public API of the crates that others embed, as text that is checked in: a change of it shows
//! in the diff.
//!
//! rustdoc tells it as JSON, but only if it is allowed what is not stable. So this program takes the
//! place of rustdoc while the documentation is made, and lets it write both. Nobody else is told:
//! build scripts would do other things, and everything would be built twice.

use std::{
    collections::BTreeSet,
    env,
    ffi::{OsStr, OsString},
    fs,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use public_api::Builder;

use crate::step;

/// Makes the documentation of everything, and with it what the other functions here read.
pub fn document() -> Result<()> {
    let mut documentation = step::cargo(["doc", "--workspace", "--no-deps"]);
    // The name is known to nobody: documentation that was made without this program does not count.
    documentation.env("RUSTDOCFLAGS", "-D warnings --cfg public_api");
    // By its name: the tests may have put another build of this program in the place of this one.
    let this = env::current_exe()?.with_file_name(env!("CARGO_PKG_NAME"));
    documentation.env("RUSTDOC", this).env(AS_RUSTDOC, "rustdoc");
    step::run("documentation", documentation)
}

/// Writes what is public into the files.
pub fn write() -> Result<()> {
    for name in CRATES {
        fs::write(step::root().join(file(name)), text(name)?)?;
    }
    Ok(())
}

/// Compares what is public with the files.
pub fn check() -> Result<()> {
    let mut differs = false;
    for name in CRATES {
        let (file, now) = (file(name), text(name)?);
        let known = fs::read_to_string(step::root().join(&file)).context(file.clone())?;
        let [before, after]: [BTreeSet<_>; 2] = [known.lines().collect(), now.lines().collect()];
        before.difference(&after).for_each(|line| eprintln!("{file}: - {line}"));
        after.difference(&before).for_each(|line| eprintln!("{file}: + {line}"));
        differs |= known != now;
    }
    ensure!(!differs, "the public API has changed; if that is meant: cargo xtask api");
    Ok(())
}

/// The rustdoc that this program stands for, if it was called in its place.
pub fn rustdoc() -> Option<OsString> {
    env::var_os(AS_RUSTDOC)
}

/// Does what rustdoc is asked to do, and once more in JSON.
pub fn stand_for(rustdoc: &OsStr) -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    run(Command::new(rustdoc).args(&arguments))?;
    let names = arguments.iter().skip_while(|argument| *argument != "--crate-name");
    let name = names.take(2).last().and_then(|name| name.to_str()).unwrap_or_default();
    if !CRATES.iter().any(|known| known.replace('-', "_") == name) {
        return Ok(());
    }
    let mut again = Command::new(rustdoc);
    again.args(&arguments).args(["-Z", "unstable-options", "--output-format", "json"]);
    run(again.env("RUSTC_BOOTSTRAP", "1"))
}

fn run(command: &mut Command) -> Result<()> {
    if !command.status().context("rustdoc does not run")?.success() {
        bail!("rustdoc has said why");
    }
    Ok(())
}

fn text(name: &str) -> Result<String> {
    let json = step::root().join("target/doc").join(format!("{}.json", name.replace('-', "_")));
    let api = Builder::from_rustdoc_json(json)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .omit_blanket_impls(true)
        .build()?;
    Ok(api.to_string())
}

fn file(name: &str) -> String {
    format!("crates/{}/public-api.txt", name.trim_start_matches("keystile-"))
}

const CRATES: [&str; 3] = ["keystile-auth", "keystile-domain", "keystile-remote"];
const AS_RUSTDOC: &str = "XTASK_RUSTDOC";

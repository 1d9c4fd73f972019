//! `cargo xtask test`: all that a change must pass, here and in CI alike.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{api, parts, step};

/// Runs every step; the first that fails is the last.
pub fn run(quick: bool) -> Result<()> {
    if !quick {
        step::run("format", step::cargo(["fmt", "--all", "--check"]))?;
    }
    let mut clippy = step::cargo(["clippy", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    step::run("lints", clippy)?;
    step::run("build", step::cargo(["build", "--workspace", "--bins"]))?;
    if !quick {
        let missing = Command::new(built("missing-parts")?);
        parts::install_missing(&step::output("what the suite needs", missing)?)?;
    }
    let skipped = step::root().join("target/skipped.txt");
    let tested = tests(quick, &skipped);
    let list = fs::read_to_string(&skipped).unwrap_or_default();
    if !list.is_empty() {
        step::say("skipped");
        eprint!("{list}");
    }
    tested?;
    if !list.is_empty() && env::var_os("CI").is_some_and(|value| value == "true") {
        bail!("in CI nothing may be skipped");
    }
    if !quick {
        api::document()?;
        step::say("public API");
        api::check()?;
    }
    step::say("all passed");
    Ok(())
}

/// All tests, which add to the file `skipped` what they could not run.
fn tests(quick: bool, skipped: &Path) -> Result<()> {
    if skipped.exists() {
        fs::remove_file(skipped)?;
    }
    let mut tests = step::cargo(["test", "--workspace", "--no-fail-fast"]);
    tests.env("KEYSTILE_SKIPPED_FILE", skipped);
    tests.env("KEYSTILE_TEST_BINARY", built("keystile")?);
    if quick {
        tests.args(["--lib", "--bins", "--tests", "--"]);
        tests.args(["postgres", "browser", "keycloak"].iter().flat_map(|part| ["--skip", part]));
    }
    step::run("tests", tests)
}

/// A binary of this project, which the build puts beside this one.
fn built(name: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.parent().context("a binary is in a directory")?.join(name))
}

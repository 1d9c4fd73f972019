//! `cargo xtask model`: the deep search of the model of revocation, which the tests only look at in
//! small worlds.

use anyhow::Result;

use crate::step;

/// Searches the larger worlds, or tells how the promise is broken without each of the rules.
pub fn run(rules: bool) -> Result<()> {
    let what = if rules { "rules" } else { "deep" };
    let package = ["run", "--release", "--package", "revocation-model", "--", what];
    step::run("the model of revocation", step::cargo(package))
}

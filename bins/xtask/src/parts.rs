//! Programs of others that the suite or the measurements need.

mod downloads;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::step;

/// The program of this name on the search path.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Installs what the suite lacks, where this may be done without asking: packages as root with
/// apt-get, and into this project what npm, Maven and pip fetch. `missing` has one name a line, as
/// `missing-parts` prints them.
pub fn install_missing(missing: &str) -> Result<()> {
    let packages: Vec<_> = missing.lines().flat_map(packages_for).collect();
    if !packages.is_empty() && may_install() {
        install(&packages)?;
    } else if !packages.is_empty() {
        eprintln!("not here: {}", packages.join(", "));
        eprintln!("the tests that need them are skipped, and listed at the end; in CI they fail");
    }
    let mut ready = missing.lines().filter(|part| packages_for(part).is_empty());
    ready.try_for_each(downloads::install)
}

/// Has this program here, from the package of the same name if need be.
pub fn need(program: &str) -> Result<()> {
    if find(program).is_some() {
        return Ok(());
    }
    ensure!(may_install(), "{program} is not here: install it");
    install(&[program])
}

/// The directory of PostgreSQL's programs, which Debian keeps off the search path.
pub fn postgres() -> Result<PathBuf> {
    if postgres_here().is_none() && may_install() {
        install(&["postgresql"])?;
    }
    postgres_here().context("PostgreSQL is not here: install it")
}

fn postgres_here() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).max();
    newest.or_else(|| Some(find("postgres")?.parent()?.to_owned()))
}

/// Whether this runs as root.
pub fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn install(packages: &[&str]) -> Result<()> {
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    step::run("apt-get update", update)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    step::run(&format!("apt-get install {}", packages.join(" ")), install)
}

/// Whether packages may be installed here: by root, on Debian or Ubuntu.
fn may_install() -> bool {
    is_root() && Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}

/// The packages of the programs that a part needs, or is installed with, and that are not here.
fn packages_for(part: &str) -> Vec<&'static str> {
    let needs: &[_] = match part {
        "browser" => &[("chromium", "chromium"), ("chromedriver", "chromium-driver")],
        "curl and jq" => &[("curl", "curl"), ("jq", "jq")],
        "oidc-provider" => &[("npm", "npm")],
        "envoy and traefik" => &[("pip3", "python3-pip")],
        "nginx, caddy and haproxy" => {
            &[("nginx", "nginx-light"), ("caddy", "caddy"), ("haproxy", "haproxy")]
        }
        "faketime" => &[("faketime", "faketime")],
        "pgbouncer" => &[("pgbouncer", "pgbouncer")],
        "postgresql" => &[("initdb", "postgresql")],
        "python packages" => &[("pip3", "python3-pip")],
        "redis" => &[("redis-server", "redis-server")],
        "fish and zsh" => &[("fish", "fish"), ("zsh", "zsh")],
        _ if part.starts_with("keycloak-") => &[("java", "default-jre-headless"), ("mvn", "maven")],
        _ => &[],
    };
    let lacking = needs.iter().filter(|(program, _)| find(program).is_none());
    lacking.map(|(_, package)| *package).collect()
}

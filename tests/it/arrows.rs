//! Every arrow between the crates points down, and each crate knows only what its floor may know.

use std::{collections::BTreeSet, env, ffi::OsString, process::Command};

use crate::tree;

#[test]
fn every_arrow_between_the_crates_points_down() {
    for (floor, below) in FLOORS {
        let known = dependencies(floor, "1");
        let ours = known.iter().filter(|name| name.starts_with("keystile-"));
        let wrong: Vec<_> = ours.filter(|name| !below.contains(&name.as_str())).collect();
        assert!(wrong.is_empty(), "{floor} must not know {wrong:?}");
    }
}

#[test]
fn every_crate_has_its_floor() {
    let crates: BTreeSet<String> = tree::names(&tree::root().join("crates")).collect();
    let floors = FLOORS.iter().map(|(floor, _)| floor.trim_start_matches("keystile-").to_owned());
    assert_eq!(crates, floors.collect());
}

#[test]
fn the_domain_does_no_input_or_output() {
    refuse("keystile-domain", &[ACTIX, DIESEL, REQWEST, TOKIO, "mio", "socket2", "rustls"]);
}

#[test]
fn the_wire_types_do_no_input_or_output() {
    refuse("keystile-api", &[ACTIX, DIESEL, REQWEST, TOKIO, "mio", "socket2", "rustls"]);
}

#[test]
fn the_crate_that_others_embed_knows_no_web_framework_and_no_database() {
    refuse("keystile-auth", &[ACTIX, "actix-http", DIESEL, "tokio-postgres", "libsqlite3-sys"]);
}

#[test]
fn whoever_embeds_the_checking_of_tokens_gets_no_network_with_it() {
    refuse("keystile-auth", &[REQWEST, "hyper", "rustls", TOKIO]);
}

#[test]
fn storage_knows_nothing_of_the_web() {
    refuse("keystile-storage", &[ACTIX, "actix-http", REQWEST, UTOIPA]);
}

#[test]
fn the_use_cases_know_neither_the_web_nor_a_query() {
    refuse("keystile-service", &[ACTIX, "actix-http", UTOIPA]);
    assert!(!dependencies("keystile-service", "1").contains(DIESEL), "a query in a use case");
}

#[track_caller]
fn refuse(package: &str, refused: &[&str]) {
    let known = dependencies(package, "1000");
    assert!(known.len() > 1, "{package} has dependencies: {known:?}");
    let wrong: Vec<_> = refused.iter().filter(|name| known.contains(**name)).collect();
    assert!(wrong.is_empty(), "{package} must not know {wrong:?}");
}

/// What the package is built from with its default features, itself included.
fn dependencies(package: &str, depth: &str) -> BTreeSet<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .args(["--package", package, "--depth", depth])
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Each crate, and the crates below it that it may know.
const FLOORS: [(&str, &[&str]); 10] = [
    ("keystile-api", &["keystile-api"]),
    ("keystile-client", &["keystile-api", "keystile-client"]),
    ("keystile-cli", &["keystile-api", "keystile-cli", "keystile-client"]),
    ("keystile-domain", &["keystile-domain"]),
    ("keystile-auth", &["keystile-auth", "keystile-domain"]),
    ("keystile-oidc", &["keystile-auth", "keystile-domain", "keystile-oidc"]),
    ("keystile-storage", &["keystile-domain", "keystile-storage"]),
    (
        "keystile-service",
        &[
            "keystile-auth",
            "keystile-domain",
            "keystile-oidc",
            "keystile-service",
            "keystile-storage",
        ],
    ),
    (
        "keystile-http",
        &["keystile-api", "keystile-auth", "keystile-domain", "keystile-http", "keystile-service"],
    ),
    ("keystile-remote", &["keystile-api", "keystile-auth", "keystile-domain", "keystile-remote"]),
];

const ACTIX: &str = "actix-web";
const DIESEL: &str = "diesel";
const REQWEST: &str = "reqwest";
const TOKIO: &str = "tokio";
const UTOIPA: &str = "utoipa";

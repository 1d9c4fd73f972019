//! The binary under test: what `cargo build -p keystile` makes, beside the tests themselves.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The path of `keystile`, built on the first call so that no test can run a stale one.
/// `KEYSTILE_TEST_BINARY` names another to test, which is taken as it is.
pub fn keystile() -> &'static Path {
    static KEYSTILE: LazyLock<PathBuf> =
        LazyLock::new(|| match env::var_os("KEYSTILE_TEST_BINARY") {
            Some(binary) => binary.into(),
            None => build("keystile").join("keystile"),
        });
    &KEYSTILE
}

/// Builds the binaries of a package; the directory that they are in.
pub(crate) fn build(package: &str) -> PathBuf {
    // A test runs as <target>/<profile>/deps/it-<hash>.
    let test = env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("a test is two directories deep");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", package]);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(status.expect("cargo runs").success(), "{package} does not build");
    profile.to_owned()
}

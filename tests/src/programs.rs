//! Where the programs of others are on this machine.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The program of this name on the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// The directory that has PostgreSQL's `initdb` and `postgres`, which many packages keep off the
/// search path.
pub(crate) fn postgres() -> Option<PathBuf> {
    let on_path = find("initdb").and_then(|initdb| Some(initdb.parent()?.to_owned()));
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok());
    on_path
        .into_iter()
        .chain(told.map(|directory| PathBuf::from(directory.trim())))
        .chain(versions("/usr/lib/postgresql", "bin"))
        .chain(versions("/opt/homebrew/opt", "bin"))
        .chain(versions("/usr/local/opt", "bin"))
        .find(|directory| ["initdb", "postgres"].iter().all(|name| directory.join(name).is_file()))
}

/// `parent/*/below`, the greatest version first: 9 is less than 17.
fn versions(parent: &str, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.sort_by_key(|directory| std::cmp::Reverse(version(directory)));
    found.into_iter().map(|directory| directory.join(below)).collect()
}

fn version(directory: &Path) -> u32 {
    let name = directory.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let digits = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.parse().unwrap_or(0)
}

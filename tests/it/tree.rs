//! The shape of the source tree.

use std::{collections::BTreeSet, fs, net::Ipv4Addr, path::Path};

#[test]
fn no_source_file_is_longer_than_500_lines() {
    each_source(&["rs"], |file, text| {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    });
}

#[test]
fn every_module_says_why_it_is_one() {
    each_source(&["rs"], |file, text| {
        // What unit tests are for, the module that they test says.
        let told = text.starts_with("//! ") || file.ends_with("tests.rs");
        assert!(told, "{} has no head", file.display());
    });
}

#[test]
fn both_databases_have_the_same_migrations() {
    let migrations = root().join("migrations");
    let [postgres, sqlite] = ["postgres", "sqlite"]
        .map(|database| names(&migrations.join(database)).collect::<BTreeSet<_>>());
    assert!(!postgres.is_empty());
    assert_eq!(postgres, sqlite);
    for name in &postgres {
        for file in ["postgres", "sqlite"].map(|database| migrations.join(database).join(name)) {
            assert!(file.join("up.sql").is_file(), "no way up in {}", file.display());
            assert!(file.join("down.sql").is_file(), "no way down in {}", file.display());
        }
    }
}

#[test]
fn no_file_names_a_machine_that_is_not_everybodys() {
    each_source(&["rs", "toml", "md", "sh", "lua", "sql"], |file, text| {
        for url in ["http://", "https://"].iter().flat_map(|scheme| text.split(scheme).skip(1)) {
            let end = |letter: char| !letter.is_ascii_alphanumeric() && !".-".contains(letter);
            let host = url.split(end).next().unwrap();
            assert!(is_everybodys(host), "{host} in {}", file.display());
        }
    });
}

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The names of what is in a directory, hidden files left out.
pub fn names(directory: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.'))
}

/// Shows each file of our own with one of these extensions.
pub fn each_source(extensions: &[&str], mut look: impl FnMut(&Path, &str)) {
    let mut seen = 0;
    let mut directories = vec![root().to_owned()];
    while let Some(directory) = directories.pop() {
        for path in names(&directory).map(|name| directory.join(name)) {
            if path.is_dir() {
                directories.extend(is_ours(&path).then_some(path));
            } else if extensions
                .iter()
                .any(|extension| path.extension() == Some(extension.as_ref()))
            {
                look(&path, &fs::read_to_string(&path).unwrap());
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "only {seen} files seen");
}

/// What others wrote, or a build made, is not judged.
fn is_ours(directory: &Path) -> bool {
    !["target", "node_modules"].iter().any(|name| directory.ends_with(name))
}

/// An address that routes nowhere, a name that RFC 2606 or 6761 keeps for examples, or a public home
/// of documents. A name without a dot is a placeholder.
fn is_everybodys(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    !host.contains('.')
        || host.parse().is_ok_and(|address: Ipv4Addr| {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_documentation()
        })
        || EXAMPLES.iter().any(|end| host == *end || host.ends_with(&format!(".{end}")))
        || PUBLIC.contains(&host.as_str())
}

const EXAMPLES: [&str; 6] =
    ["example", "example.com", "example.net", "example.org", "invalid", "test"];

const PUBLIC: [&str; 11] = [
    "crates.io",
    "datatracker.ietf.org",
    "doc.rust-lang.org",
    "docs.rs",
    "github.com",
    "keepachangelog.com",
    "semver.org",
    "token.actions.githubusercontent.com",
    "tools.ietf.org",
    "www.apache.org",
    "www.rfc-editor.org",
];

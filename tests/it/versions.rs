//! Versions that advisory databases do not know to be dangerous.

use crate::tree;

#[test]
fn jsonwebtoken_does_not_take_a_wrong_type_for_an_absent_claim() {
    // CVE-2026-25537.
    at_least("jsonwebtoken", [10, 3, 0]);
}

#[test]
fn diesel_checks_the_text_that_sqlite_gives_it() {
    // RUSTSEC-2026-0111 and RUSTSEC-2024-0365.
    at_least("diesel", [2, 3, 8]);
}

#[test]
fn h2_counts_frames_without_data() {
    // RUSTSEC-2026-0258, RUSTSEC-2024-0332 and RUSTSEC-2024-0003.
    at_least("h2", [0, 4, 16]);
}

fn at_least(name: &str, least: [u64; 3]) {
    let text = std::fs::read_to_string(tree::root().join("Cargo.lock")).unwrap();
    let lock: toml::Table = text.parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    for package in packages.iter().filter(|package| package["name"].as_str() == Some(name)) {
        let version = package["version"].as_str().unwrap();
        assert!(numbers(version) >= least, "{name} {version} is less than {least:?}");
    }
}

/// Major, minor and patch. What follows a `-` or `+` is left out.
fn numbers(version: &str) -> [u64; 3] {
    let mut numbers = version.split(['.', '-', '+']).map(|number| number.parse().unwrap());
    std::array::from_fn(|_| numbers.next().unwrap())
}

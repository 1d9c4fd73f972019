//! The rules of proved revocation, each of which some test has in its name.

use std::{collections::BTreeSet, fs};

use crate::tree;

#[test]
fn every_rule_has_its_test() {
    let tested: BTreeSet<u32> = tests().iter().filter_map(|name| number(name)).collect();
    assert_eq!(tested, (1..=RULES).collect());
}

#[test]
fn the_page_on_clusters_names_a_test_for_every_rule() {
    let page = fs::read_to_string(tree::root().join("docs/clustering.md")).unwrap();
    let tests = tests();
    let mut named = BTreeSet::new();
    for row in page.lines().filter(|line| line.contains("`rule_")) {
        let rule = row.trim_start_matches("| ").split(' ').next().unwrap().parse().unwrap();
        for name in row.split('`').filter(|word| word.starts_with("rule_")) {
            assert!(tests.contains(name), "there is no test {name}");
            assert_eq!(number(name), Some(rule), "{row}");
        }
        named.insert(rule);
    }
    assert_eq!(named, (1..=RULES).collect());
}

/// The names of the tests that carry the number of a rule.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    tree::each_source(&["rs"], |_, text| {
        let functions = text.lines().filter_map(|line| line.trim().split_once("fn rule_"));
        let functions = functions.map(|(_, rest)| rest.split('(').next().unwrap());
        names.extend(functions.filter(|rest| is_numbered(rest)).map(|rest| format!("rule_{rest}")));
    });
    names
}

fn is_numbered(rest: &str) -> bool {
    rest.starts_with(|letter: char| letter.is_ascii_digit())
}

fn number(name: &str) -> Option<u32> {
    name.strip_prefix("rule_")?.split('_').next()?.parse().ok()
}

const RULES: u32 = 22;

use std::fs;
use std::path::Path;

use crate::{Rule, Scenario, search};

#[test]
fn the_whole_protocol_keeps_its_promise_in_every_small_world() {
    for scenario in Scenario::SUITE {
        let found = search::whole(scenario.clone(), 1);
        assert!(found.is_proof(), "{}: {found}", scenario.name);
    }
}

#[test]
fn without_any_one_of_its_rules_the_promise_is_broken_as_the_page_says() {
    let rows = Rule::ALL.map(|rule| {
        let steps = search::without(rule).map(|steps| steps.len());
        let steps = steps.unwrap_or_else(|| panic!("without {rule:?} the promise is kept"));
        format!("| {} | {} | {} | {steps} |", rule.number(), rule.without(), rule.scenario().name)
    });
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/proof.md");
    let page = fs::read_to_string(page).unwrap();
    let missing: Vec<_> = rows.iter().filter(|row| !page.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "docs/proof.md lacks\n{rows:#?}");
}

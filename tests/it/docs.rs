//! README and docs: every line that a reader may copy runs and shows what the page says, every
//! table is whole, every link leads somewhere.

mod gateways;
mod identity;
mod issuer;
mod page;
mod programs;
mod script;
mod shown;

use std::{collections::BTreeSet, fs, process::Command};

use acceptance::{Part, keystile, scratch};
use keystile_auth::TokenError;
use tokio::task::JoinSet;

use crate::tree;
pub use page::Page;

#[tokio::test(flavor = "multi_thread")]
async fn every_shell_line_runs_and_shows_what_the_page_says() {
    if !Part::Curl.or_skip() {
        return;
    }
    let mut running = JoinSet::new();
    for page in Page::all() {
        running.spawn(async move { script::run(&page).await });
    }
    let run: usize = running.join_all().await.iter().sum();
    assert!(run > 20, "only {run} shell blocks were found");
}

#[test]
fn every_file_of_settings_in_the_documentation_is_accepted() {
    let mut seen = 0;
    for page in Page::all() {
        for block in page.blocks().iter().filter(|block| block.language == "toml") {
            let file = scratch::directory("docs").join("keystile.toml");
            fs::write(&file, &block.text).unwrap();
            let mut check = Command::new(keystile());
            check.args(["config", "check", "--config"]).arg(&file);
            check.env("KEYSTILE_MASTER_KEY", "a2V5c3RpbGUtdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=");
            let output = check.output().unwrap();
            assert!(output.status.success(), "{}: {}: {output:?}", page.name, block.text);
            seen += 1;
        }
    }
    assert!(seen > 0, "no file of settings was found");
}

#[test]
fn what_the_page_on_embedding_shows_stands_in_an_example() {
    let example = fs::read_to_string(tree::root().join("examples/axum.rs")).unwrap();
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let page = Page::find("docs/embedding.md").unwrap();
    let shown = page.blocks().into_iter().filter(|block| block.language == "rust");
    let shown: Vec<_> = shown.flat_map(|block| lines(&block.text)).collect();
    let example = lines(&example);
    assert!(shown.len() > 5);
    // The server and its key are arguments there.
    let stray = shown.iter().filter(|line| !line.contains("RemoteVerifier::builder"));
    let stray: Vec<_> = stray.filter(|line| !example.contains(line)).collect();
    assert!(stray.is_empty(), "{stray:#?}");
}

#[test]
fn every_row_belongs_to_a_table() {
    for page in Page::all() {
        let stray = page.rows_of_no_table();
        assert!(stray.is_empty(), "{} has rows without a head: {stray:#?}", page.name);
    }
}

#[test]
fn every_link_leads_to_a_file() {
    for page in Page::all() {
        for target in page.links() {
            let (file, section) = target.split_once('#').unwrap_or((&target, ""));
            if !file.contains("://") {
                let linked = Page::find(&page.linked(file));
                let found = linked.is_some_and(|linked| linked.has_section(section));
                assert!(found, "{} has a link to {target}", page.name);
            }
        }
    }
}

#[test]
fn the_readme_leads_to_every_page() {
    let readme = Page::find("README.md").unwrap();
    let links: BTreeSet<_> = readme.links().into_iter().collect();
    for page in Page::all().iter().filter(|page| page.name != readme.name) {
        assert!(links.contains(&page.name), "it does not lead to {}", page.name);
    }
}

#[test]
fn the_table_of_settings_is_what_the_binary_knows() {
    let page = Page::find("docs/settings.md").unwrap();
    let help = printed(&["serve", "--help"]);
    let shown = printed(&["config", "show"]);
    let rows: Vec<_> = page.rows().collect();
    let documented: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let known = shown.lines().map(|line| line.trim_start_matches("# ").split(' ').next().unwrap());
    assert_eq!(documented, known.collect::<Vec<_>>());
    for row in &rows {
        let [key, variable, flag, default] = &row[..] else { panic!("{row:?}") };
        let key = key.trim_matches('`');
        assert_eq!(variable, &format!("`KEYSTILE_{}`", key.to_uppercase()));
        let known = format!("--{} ", key.replace('_', "-"));
        let expected =
            if help.contains(&known) { format!("`{}`", known.trim()) } else { String::new() };
        assert_eq!(flag, &expected, "{key}");
        if let Some(value) = default_of(&shown, key) {
            let documented = default.replace(['`', ' '], "");
            assert!(documented == value, "{key} is {value} by default, not {documented}");
        }
    }
}

#[test]
fn the_page_on_single_sign_on_gives_reasons_as_the_log_does() {
    let page = Page::find("docs/sso.md").unwrap();
    for reason in [
        TokenError::Algorithm,
        TokenError::Audience,
        TokenError::Expired,
        TokenError::IdToken,
        TokenError::Issuer,
        TokenError::ScopeMissing,
        TokenError::Type,
        TokenError::UnknownKey,
    ] {
        assert!(page.says(&format!("| {reason} |")), "it does not know that {reason}");
    }
}

#[test]
fn the_page_on_single_sign_on_names_the_providers_of_the_suite() {
    let page = Page::find("docs/sso.md").unwrap();
    let (_, keycloak) = Part::Keycloak.name().split_once('-').unwrap();
    assert!(page.says(&format!("| {keycloak} |")), "it names another Keycloak than {keycloak}");
    let package = fs::read_to_string(tree::root().join("tests/oidc-provider/package.json"));
    let package: serde_json::Value = serde_json::from_str(&package.unwrap()).unwrap();
    let provider = package["dependencies"]["oidc-provider"].as_str().unwrap();
    assert!(page.says(&format!("| {provider} |")), "it names another version than {provider}");
}

/// What `config show` gives for a setting that always has the same default.
fn default_of(shown: &str, key: &str) -> Option<String> {
    if ["database_url", "log_format", "workers"].contains(&key) {
        return None;
    }
    let line = shown.lines().find(|line| line.starts_with(&format!("{key} = ")))?;
    let value = line.split(" = ").nth(1)?.split("  #").next()?;
    let value = value.replace(['"', '[', ']', ' '], "");
    Some(if value.is_empty() { "none".to_owned() } else { value })
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(keystile()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

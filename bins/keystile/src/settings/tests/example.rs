//! `config.example.toml` is written from the table, and what it says is true.
//!
//! `UPDATE_EXAMPLE=1 cargo test -p keystile example` writes it anew.

use std::{env, fs};

use super::super::table::Shown;
use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config.example.toml");

const HEAD: &str = "\
# Every setting of `keystile serve --config FILE`. Settings that are left out have their defaults.
# A flag wins over an environment variable, and that over this file. Each secret may also be in a
# file that <VARIABLE>_FILE names. `keystile config check` says what is wrong, `keystile config show`
# what counts.
";

fn example() -> String {
    let mut text = HEAD.to_owned();
    for setting in SETTINGS {
        let (says, example) = match setting.default {
            Fallback::Rule { says, example } => (says, example),
            Fallback::Value("") => ("none", ""),
            Fallback::Value(value) => (value, value),
        };
        // Masking is for secrets that are used.
        let plain = Setting { shown: Shown::Plainly, ..*setting };
        let names = [Some(setting.variable()), setting.flag().map(|flag| format!("--{flag}"))];
        let names = names.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let assignment = super::super::show::assignment(&plain, example);
        text += &format!("\n# {}\n# Default: {says}\n# Also: {names}\n", setting.about);
        text += &format!("#{assignment}\n");
    }
    text
}

/// The file with its settings in force: they have no space after the `#`, comments have one.
fn uncommented(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn the_example_file_lists_every_setting() {
    if env::var_os("UPDATE_EXAMPLE").is_some() {
        fs::write(PATH, example()).unwrap();
    }
    assert_eq!(fs::read_to_string(PATH).unwrap(), example(), "UPDATE_EXAMPLE=1 writes it anew");
}

#[test]
fn the_example_file_is_right_but_for_the_secrets_that_nobody_may_share() {
    let problems = refused(&sources(&[], &[], &uncommented(&example())));
    let keys: Vec<_> = problems.iter().filter_map(|line| line.split('`').nth(1)).collect();
    assert_eq!(
        keys,
        ["master_key", "sso_client_secret", "bootstrap_admin_key", "bootstrap_admin_password"]
    );
}

//! The five kinds of things: for each its columns, its flags, and the calls behind the verbs.

pub mod api_keys;
mod members;
pub mod providers;
pub mod roles;
pub mod tokens;
pub mod users;

use clap::Args;
use keystile_api::patch::Patch;
use serde_json::Value;

use crate::output::{Cell, Tone};

/// Which of those that are switched on or off; at most one of these.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = false)]
pub struct SwitchedFilter {
    /// Only those that are switched on
    #[arg(long)]
    enabled: bool,
    /// Only those that are switched off
    #[arg(long)]
    disabled: bool,
}

/// Whether something is switched on or off; at most one of these.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = false)]
pub struct Switch {
    /// Switch it on
    #[arg(long)]
    enable: bool,
    /// Switch it off: it is refused from then on
    #[arg(long)]
    disable: bool,
}

impl SwitchedFilter {
    fn wanted(self) -> Option<bool> {
        either(self.enabled, self.disabled)
    }
}

impl Switch {
    fn patch(self) -> Patch<bool> {
        either(self.enable, self.disable).map_or(Patch::Absent, Patch::Value)
    }
}

fn either(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}

/// A member that `set` gives another text; an empty one clears it.
fn text(given: Option<String>) -> Patch<String> {
    match given {
        None => Patch::Absent,
        Some(text) if text.is_empty() => Patch::Null,
        Some(text) => Patch::Value(text),
    }
}

/// A member that `set` gives other values; one empty text is none of them.
fn texts(given: Option<Vec<String>>) -> Patch<Vec<String>> {
    given.map_or(Patch::Absent, |texts| Patch::Value(without_empty(texts)))
}

/// Reads `name=value`. What is no JSON is a text.
fn pair(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("it looks like name=value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_no_json| Value::from(value));
    Ok((name.to_owned(), value))
}

fn without_empty(mut texts: Vec<String>) -> Vec<String> {
    texts.retain(|text| !text.is_empty());
    texts
}

/// Whether something works, in a word.
fn state(enabled: bool, ended: bool) -> Cell {
    match (enabled, ended) {
        (false, _) => Cell::toned("disabled", Tone::Bad),
        (true, true) => Cell::toned("expired", Tone::Bad),
        (true, false) => Cell::toned("enabled", Tone::Good),
    }
}

fn ids(ids: &[i64]) -> Cell {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",").into()
}

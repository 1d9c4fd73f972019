//! The TOML file as text by key, each value with the line it stands in.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::effective::{Origin, Value};
use super::problem::{Problem, Rule};
use super::sources::ConfigFile;
use super::table::{Form, Setting};

/// The values that the file has. Broken lines and unknown keys go to `problems`.
pub fn values(file: &ConfigFile, problems: &mut Vec<Problem>) -> BTreeMap<&'static str, Value> {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    for error in errors {
        // The error's own `Display` quotes the line, which may hold a secret.
        let start = error.span().map_or(0, |span| span.start);
        let place = place(&file.path, line(&file.text, start));
        problems.push(Problem::new(place, format_args!("is not TOML: {}", error.message())));
    }
    let mut values = BTreeMap::new();
    for (key, value) in table.into_inner() {
        let name: &str = key.get_ref();
        let line = line(&file.text, key.span().start);
        let Some(setting) = Setting::find(name) else {
            let place = place(&file.path, line);
            problems.push(Problem::new(format!("`{name}` in {place}"), "is not a setting"));
            continue;
        };
        let origin = Origin::File { path: file.path.clone(), line };
        let text = text(setting.form, value.get_ref()).map(Into::into);
        values.insert(setting.key, Value { text, origin });
    }
    values
}

/// How a line of the file is called in messages.
pub fn place(path: &Path, line: usize) -> String {
    format!("{} line {line}", path.display())
}

fn text(form: Form, value: &DeValue<'_>) -> Result<String, Rule> {
    match (form, value) {
        (_, DeValue::String(text)) => Ok(text.to_string()),
        (Form::Number, DeValue::Integer(number)) => {
            u64::from_str_radix(number.as_str(), number.radix())
                .map(|number| number.to_string())
                .or(Err(Rule("must not be negative")))
        }
        (Form::List, DeValue::Array(items)) => {
            let items: Option<Vec<_>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            items.map(|items| items.join(",")).ok_or(MUST_BE_LIST)
        }
        (Form::List, _) => Err(MUST_BE_LIST),
        (Form::Number, _) => Err(Rule("must be a whole number")),
        (Form::Text, _) => Err(Rule("must be a string in quotes")),
    }
}

fn line(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

const MUST_BE_LIST: Rule = Rule("must be an array of strings");

//! The effective settings as a TOML file that says where each value came from.

use secrecy::ExposeSecret;
use toml::Value as Toml;

use super::database::{MASK, without_password};
use super::effective::Effective;
use super::sources::Sources;
use super::table::{Fallback, Form, SETTINGS, Setting, Shown};

/// Writes the settings that count. For settings that [`super::Settings::from_sources`] accepts.
pub fn show(sources: &Sources) -> String {
    let effective = Effective::from_sources(sources);
    SETTINGS.iter().map(|setting| line(setting, &effective)).collect()
}

/// A setting as a line of TOML, without the line's end.
pub fn assignment(setting: &Setting, text: &str) -> String {
    let text = match setting.shown {
        Shown::Never => MASK.to_owned(),
        Shown::Plainly => text.to_owned(),
        Shown::WithoutPassword => without_password(text),
    };
    let value = match setting.form {
        Form::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Toml::Array(items.map(|item| Toml::String(item.to_owned())).collect())
        }
        Form::Number => text.parse().map_or(Toml::String(text), Toml::Integer),
        Form::Text => Toml::String(text),
    };
    format!("{} = {value}", setting.key)
}

fn line(setting: &Setting, effective: &Effective) -> String {
    let value = effective.value(setting.key);
    match (
        value.and_then(|value| Some((value.text.as_ref().ok()?, &value.origin))),
        setting.default,
    ) {
        (Some((text, origin)), _) => {
            format!("{}  # {origin}\n", assignment(setting, text.expose_secret()))
        }
        (None, Fallback::Rule { says, .. } | Fallback::Value(says)) => {
            format!("# {} is not set: {says}\n", setting.key)
        }
    }
}

//! What a command prints: one thing or many, in the form that `-o` names.
//!
//! A thing says once which columns it has in a table ([`Shown`]). All other forms are made from
//! what it is on the wire, so that programs find the names of the HTTP API.

mod csv;
mod letters;
mod look;
mod table;
mod times;

use std::fmt::Display;
use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use self::letters::plain_lines;
use crate::failure::Failure;
pub use letters::plain;
pub use look::Look;
pub use table::{Cell, Column, Tone, details, table};
pub use times::{moment, relative};

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people, as wide as the terminal
    Table,
    /// As the HTTP API has it
    Json,
    /// The same in YAML
    Yaml,
    /// One line for each thing, behind a head if there is any
    Csv,
    /// One id in each line
    Id,
    /// One name in each line
    Name,
}

/// Something that a command can print.
pub trait Shown: Serialize + Sized + 'static {
    /// Its columns in a table.
    const COLUMNS: &'static [Column<Self>];

    /// What commands name it by.
    fn id(&self) -> String;

    /// What people call it.
    fn name(&self) -> &str;
}

/// Prints many things.
///
/// # Errors
/// The output takes no more.
pub fn many<T: Shown>(things: &[T], form: Form, look: &Look) -> Result<(), Failure> {
    match form {
        Form::Table => lines([table(T::COLUMNS, things, look)]),
        Form::Json => json(&things, look),
        Form::Yaml => yaml(&things, look),
        Form::Csv => csv::print(&values(things)?, look),
        Form::Id => lines(things.iter().map(Shown::id)),
        Form::Name => lines(things.iter().map(|thing| plain(thing.name()))),
    }
}

/// Prints one thing, and all of it.
///
/// # Errors
/// The output takes no more.
pub fn one<T: Shown>(thing: &T, form: Form, look: &Look) -> Result<(), Failure> {
    match form {
        Form::Table => lines([details(&serde_json::to_value(thing)?, look)]),
        Form::Json => json(thing, look),
        Form::Yaml => yaml(thing, look),
        Form::Csv => csv::print(&values(std::slice::from_ref(thing))?, look),
        Form::Id => lines([thing.id()]),
        Form::Name => lines([plain(thing.name())]),
    }
}

/// Prints something that has no id and is no row: a report, say. As a table it is its members.
///
/// # Errors
/// The output takes no more.
pub fn value(thing: &impl Serialize, form: Form, look: &Look) -> Result<(), Failure> {
    match form {
        Form::Json => json(thing, look),
        Form::Yaml => yaml(thing, look),
        Form::Csv => csv::print(&[serde_json::to_value(thing)?], look),
        Form::Table => lines([details(&serde_json::to_value(thing)?, look)]),
        Form::Id | Form::Name => {
            Err(Failure::Usage("this has neither id nor name: leave -o out".into()))
        }
    }
}

/// Prints the rows of a report as comma-separated values, each as one line.
///
/// # Errors
/// The output takes no more.
pub fn rows<T: Serialize>(rows: &[T], look: &Look) -> Result<(), Failure> {
    csv::print(&values(rows)?, look)
}

/// Prints more rows behind those that [`rows`] printed.
///
/// # Errors
/// The output takes no more.
pub fn more_rows<T: Serialize>(rows: &[T], look: &Look) -> Result<(), Failure> {
    csv::print_more(&values(rows)?, look)
}

/// What a command ends with does not depend on whether somebody reads its output to the end.
///
/// # Errors
/// The output takes no more, for another reason.
pub fn even_if_closed(printed: Result<(), Failure>) -> Result<(), Failure> {
    match printed {
        Err(Failure::Closed) => Ok(()),
        printed => printed,
    }
}

/// Prints lines.
///
/// # Errors
/// The output takes no more. Whoever reads it may stop at any time ([`Failure::Closed`]).
pub fn lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = lines.into_iter().try_for_each(|line| {
        let line = line.as_ref().trim_end_matches('\n');
        if line.is_empty() { Ok(()) } else { writeln!(out, "{line}") }
    });
    written.and_then(|()| out.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Output(error),
    })
}

/// Says something on standard error. That nobody reads it any more is no reason to stop.
pub fn say(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// One line of JSON for each of many things.
///
/// # Errors
/// The output takes no more.
pub fn json_line(thing: &impl Serialize, look: &Look) -> Result<(), Failure> {
    document(serde_json::to_string(thing)?, look)
}

fn json(thing: &impl Serialize, look: &Look) -> Result<(), Failure> {
    document(serde_json::to_string_pretty(thing)?, look)
}

fn yaml(thing: &impl Serialize, look: &Look) -> Result<(), Failure> {
    let text = serde_saphyr::to_string(thing);
    document(text.map_err(|error| Failure::Form(error.to_string()))?, look)
}

/// Programs get every letter as it is; people get none that does something to their terminal.
fn document(text: String, look: &Look) -> Result<(), Failure> {
    lines([if look.terminal { plain_lines(&text) } else { text }])
}

fn values<T: Serialize>(things: &[T]) -> Result<Vec<Value>, Failure> {
    Ok(things.iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
}

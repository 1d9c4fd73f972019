//! Tables for people: columns divided by room alone, as wide as the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell as Drawn, Color, ColumnConstraint, ContentArrangement, Table};
use serde_json::Value;

use super::{Look, plain, relative};

/// A column of a table.
pub struct Column<T> {
    /// Its head.
    pub head: &'static str,
    /// What it says of a thing.
    pub cell: fn(&T, &Look) -> Cell,
    /// How wide a terminal must be for it to be shown.
    pub from: u16,
}

/// What a column says of a thing.
pub struct Cell {
    text: String,
    tone: Tone,
}

/// What a cell is to those who only look over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is wrong, or has ended.
    Bad,
    /// Of little interest.
    Faint,
    /// All is well.
    Good,
    /// Neither.
    Plain,
}

impl Cell {
    /// A text in a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// A table of these; nothing at all if there are none.
pub fn table<T>(columns: &[Column<T>], things: &[T], look: &Look) -> String {
    if things.is_empty() {
        return String::new();
    }
    if look.width.is_some_and(|width| width < NARROW) {
        let one = |thing| below_each_other(columns, thing, look);
        return things.iter().map(one).collect::<Vec<_>>().join("\n");
    }
    let columns = || columns.iter().filter(|column| look.width.is_none_or(|w| w >= column.from));
    let mut table = empty(look);
    let bold = |head| {
        let cell = Drawn::new(head);
        if look.colour { cell.add_attribute(Attribute::Bold) } else { cell }
    };
    table.set_header(columns().map(|column| bold(column.head)));
    for thing in things {
        table.add_row(columns().map(|column| drawn((column.cell)(thing, look), look)));
    }
    finish(table)
}

/// The columns of one thing, where there is no room beside each other.
fn below_each_other<T>(columns: &[Column<T>], thing: &T, look: &Look) -> String {
    let mut table = empty(look);
    for column in columns {
        let cell = drawn((column.cell)(thing, look), look);
        table.add_row([Drawn::new(column.head), cell]);
    }
    finish(table)
}

/// All members of one thing, below each other.
pub fn details(thing: &Value, look: &Look) -> String {
    let mut table = empty(look);
    for (name, value) in thing.as_object().into_iter().flatten() {
        let text = told(value, look);
        let tone = if text == NOTHING_THERE { Tone::Faint } else { Tone::Plain };
        table.add_row([Drawn::new(name.replace('_', " ")), drawn(Cell::toned(text, tone), look)]);
    }
    finish(table)
}

fn empty(look: &Look) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match look.width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    if look.colour {
        table.enforce_styling();
    }
    table
}

/// The first column is what is copied, and stays in one piece.
fn finish(mut table: Table) -> String {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { GAP }));
        if index == 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let text = table.to_string();
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn drawn(cell: Cell, look: &Look) -> Drawn {
    let drawn = Drawn::new(plain(&cell.text));
    match cell.tone {
        _ if !look.colour => drawn,
        Tone::Bad => drawn.fg(Color::Red),
        Tone::Faint => drawn.add_attribute(Attribute::Dim),
        Tone::Good => drawn.fg(Color::Green),
        Tone::Plain => drawn,
    }
}

/// A member in one line.
fn told(value: &Value, look: &Look) -> String {
    match value {
        Value::Null => NOTHING_THERE.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(values) if values.is_empty() => NOTHING_THERE.to_owned(),
        Value::Object(members) if members.is_empty() => NOTHING_THERE.to_owned(),
        Value::Array(values) => {
            values.iter().map(|value| told(value, look)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| format!("{name}={}", told(value, look)));
            members.collect::<Vec<_>>().join(" ")
        }
        Value::String(text) => {
            let seen = relative(text, look.now);
            if look.absolute || seen == *text { text.clone() } else { format!("{seen} ({text})") }
        }
        Value::Number(number) => number.to_string(),
    }
}

const NOTHING_THERE: &str = "-";
const GAP: u16 = 2;
/// An id and a word do not fit beside each other in less.
const NARROW: u16 = 60;

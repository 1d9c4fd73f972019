//! How output looks: what depends on the terminal, and not on what is printed.

use std::io::IsTerminal;

use jiff::Timestamp;

use crate::environment;

/// How output looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whether there is a terminal that shows colours, and nobody minds them.
    pub colour: bool,
    /// Whether people read it, on a terminal.
    pub terminal: bool,
    /// How many columns the terminal has; `None`: there is none, and nothing is cut.
    pub width: Option<u16>,
    /// Whether times are written out.
    pub absolute: bool,
    /// What relative times are relative to.
    pub now: Timestamp,
}

impl Look {
    /// As standard output has it.
    pub fn of_output(absolute: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0);
        Self {
            colour: terminal && !environment::minds_colour(),
            terminal,
            width: width.filter(|_| terminal),
            absolute,
            now: environment::now(),
        }
    }
}

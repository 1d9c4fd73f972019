//! Prints what this machine lacks for the whole suite, one name a line, for whoever could install
//! it.

use std::io::Write;

use acceptance::Part;

fn main() -> std::io::Result<()> {
    let mut output = std::io::stdout();
    Part::ALL
        .into_iter()
        .filter(|part| !part.is_here())
        .try_for_each(|part| writeln!(output, "{}", part.name()))
}

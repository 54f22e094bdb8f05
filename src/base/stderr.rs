//! Lines on standard error. That nobody reads them ends nothing: `eprintln!` would panic.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Prints a line, if it can.
pub fn print_line(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

//! Standard output: where data goes. Its reader may have seen enough before all is written, as `head` has.

use modelzoo::output::OutputError;
use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints data as it stands.
pub fn print(data: impl Display) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "{data}")
        .and_then(|()| stdout.flush())
        .map_err(OutputError::of_stdout)
}

/// Prints a line of data.
pub fn print_line(line: impl Display) -> Result<(), OutputError> {
    print(format_args!("{line}\n"))
}

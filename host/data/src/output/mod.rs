//! Results on their way out: files that appear whole or not at all, and JSON Lines.

mod atomic_file;
mod json_lines;

pub use atomic_file::{AtomicFile, OutputError};
pub use json_lines::{JsonLinesWriter, Record};

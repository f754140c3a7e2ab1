//! Results on their way out: files that appear whole or not at all, here or behind a URL, JSON Lines, and masks as
//! pictures.

mod array_image;
mod file;
mod json_lines;
mod label_images;

pub use file::OutputFile;
pub use json_lines::JsonLinesWriter;
pub(crate) use json_lines::serialize_fields;
pub use label_images::LabelImageFolder;
pub use modelzoo_base::file::{AtomicFile, NoTemporaries, OutputError, Temporary, remove_temporaries};

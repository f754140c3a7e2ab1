//! Results on their way out: files that appear whole or not at all, JSON Lines, and masks as pictures.

mod array_image;
mod atomic_file;
mod json_lines;
mod label_images;
mod temporary;

pub use atomic_file::{AtomicFile, OutputError};
pub use json_lines::JsonLinesWriter;
pub(crate) use json_lines::serialize_fields;
pub use label_images::LabelImageFolder;
pub use temporary::{Temporary, remove_temporaries};

//! Files and folders that appear whole or not at all, and paths.

mod atomic_file;
mod atomic_folder;
mod content;
mod error;
mod path;
mod temporary;
mod unfinished;

pub use atomic_file::AtomicFile;
pub use atomic_folder::AtomicFolder;
pub use content::{update, write};
pub use error::{OutputError, about};
pub use path::{absolute, folder_of};
pub use temporary::{temporary_file, temporary_folder};
pub use unfinished::{NoTemporaries, Temporary, remove_temporaries};

//! Which files a command is about: folders, globs, files, lists, archives and tables, here or behind URLs, in a fixed order.
//!
//! Nothing is held in memory but the names in the folder at hand, so a million files are no trouble. [`Inputs`] only
//! describes the files; each [`Inputs::iter`] walks them anew.

mod archive;
mod content;
mod error;
mod file;
mod media_kind;
mod passed_over;
mod relative;
mod resolve;
mod source;
#[cfg(feature = "parquet")]
mod table;
mod text;
mod walk;

pub use error::InputError;
pub use file::{Content, InputFile};
pub use media_kind::MediaKind;
pub use relative::relative_to;
pub use resolve::{InputOptions, Inputs, Names};
pub(crate) use text::open_text;

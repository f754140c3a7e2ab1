//! Which files a command is about: folders, globs, files and list files, in a fixed order.
//!
//! Nothing is held in memory but the names in the folder at hand, so a million files are no trouble. [`Inputs`] only
//! describes the files; each [`Inputs::iter`] walks them anew.

mod content;
mod error;
mod media_kind;
mod passed_over;
mod relative;
mod resolve;
mod text;
mod walk;

pub use error::InputError;
pub use media_kind::MediaKind;
pub use relative::relative_to;
pub use resolve::{InputFile, Inputs};
pub(crate) use text::open_text;

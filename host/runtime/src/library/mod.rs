//! Opening plugins: libraries that export the root module of `modelzoo-abi`.

mod error;
mod open;
mod plugin;

pub use error::LibraryError;
pub(crate) use plugin::{Plugin, call_model};

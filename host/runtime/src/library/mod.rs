//! Opening plugins: libraries that export the root module of `modelzoo-abi`, or its table for C.

mod c;
mod error;
mod open;
mod plugin;
mod root;

pub use error::LibraryError;
pub(crate) use plugin::{Plugin, call_model};

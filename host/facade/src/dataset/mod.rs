//! Datasets: pictures and videos with their labels in one file.
//!
//! [`Dataset`] reads and writes one; [`DatasetCreation`], [`DatasetImport`] and [`DatasetExport`] are what is done with
//! whole ones, each a [`Plan`](crate::Plan).

mod create;
mod export;
mod import;

pub use create::DatasetCreation;
pub use export::DatasetExport;
pub use import::DatasetImport;
pub use modelzoo_data::dataset::*;

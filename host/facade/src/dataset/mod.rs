//! Datasets: pictures and videos with their labels in one file.
//!
//! [`Dataset`] reads and writes one; [`DatasetCreation`], [`DatasetImport`], [`DatasetExport`] and [`ShardMerge`] are what is done with
//! whole ones, each a [`Plan`](crate::Plan).

mod create;
mod export;
mod import;
mod merge;

pub use create::DatasetCreation;
pub use export::DatasetExport;
pub use import::DatasetImport;
pub use merge::ShardMerge;
pub use modelzoo_data::dataset::*;

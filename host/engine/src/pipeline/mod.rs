//! From paths to results: decoding, batching, calling the model, handing on.

mod ordered;
mod run;

pub(crate) use run::run;
pub use run::{Item, PipelineOptions, Summary};

//! Applying models: the pipeline from samples to fields.
//!
//! A [`zoo::Zoo`] turns a model's name into a loaded model. [`apply`] and [`embed`] run a loaded model over pictures: they are decoded on several threads, given to the model
//! in batches, and handed on in order. A picture that fails never takes another one with it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod apply;
mod error;
mod pipeline;
pub mod zoo;

pub use apply::{LabeledItem, SinkError, apply, embed};
pub use error::{EngineError, ItemError};
pub use pipeline::{Item, PipelineOptions, Summary};

//! Run any model that someone published in a Git repository, from a program of your own.
//!
//! ```no_run
//! modelzoo::run_worker_if_asked(); // first in `main`: plugins run in this program, started again
//!
//! let model = modelzoo::load_model("user/repo@v1", Default::default())?;
//! let summary = modelzoo::apply_model(&model, "photos", |item| println!("{:?}", item.result))?;
//! # Ok::<(), modelzoo::Error>(())
//! ```
//!
//! A source's code runs natively: load only what you trust.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod model;
pub mod zoo;

pub use model::{Error, Model, apply_model, compute_embeddings, load_model};
pub use modelzoo_data::{label::Fields, media::RgbImage};
pub use modelzoo_engine::{LabeledItem, PipelineOptions, Summary, zoo::LoadSettings};
pub use modelzoo_plugin_api::{Array, Device, Image, ModelInfo, Output, PredictOptions, label};
pub use modelzoo_runtime::{Isolation, run_worker_if_asked};

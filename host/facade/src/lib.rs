//! Run any model that someone published in a Git repository, from a program of your own.
//!
//! ```no_run
//! modelzoo::run_worker_if_asked(); // first in `main`: plugins run in this program, started again
//!
//! let model = modelzoo::load_model("user/repo@v1", Default::default())?;
//! modelzoo::apply_model(&model, "photos", &Default::default(), |item| println!("{:?}", item.fields))?;
//! # Ok::<(), modelzoo::Error>(())
//! ```
//!
//! [`apply_model`], [`compute_embeddings`] and [`compute_patch_embeddings`] have FiftyOne's parameters as the fields
//! of [`ApplyOptions`], [`EmbedOptions`] and [`PatchOptions`].
//!
//! A source's code runs natively: load only what you trust.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod fiftyone;
mod model;
mod zoo;

pub use model::{Error, Model, apply_model, compute_embeddings, compute_patch_embeddings, load_model};
pub use modelzoo_data::{
    dataset::Existing,
    label::{Fields, PatchGeometry},
    media::{Decoder, RgbImage},
    video::{FrameRange, Rate, Sampling},
};
pub use modelzoo_engine::{
    ApplyOptions, EmbedOptions, Failure, HandleMissing, Input, ItemError, LabeledItem, Outcome, PatchOptions,
    Place, ProgressCallback, PromptEmbedding, Provenance, RunOptions, Stage, Summary, Task,
};
pub use modelzoo_plugin_api::{Array, Device, Image, ModelInfo, Output, PredictOptions, label};
pub use modelzoo_runtime::{Isolation, run_worker_if_asked};
pub use zoo::{
    Consent, Event, FoundModel, LoadSettings, NoObserver, NobodyToAsk, Observer, PlannedStep, PreparedModel,
    Zoo, ZooError, ZooSettings,
};

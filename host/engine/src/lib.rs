//! Applying models: the pipeline from samples to fields.
//!
//! An [`Input`] makes samples of what the user names. A [`Task`] says what a loaded model is to do with them, and
//! [`Work`] does it: pictures and frames are decoded on several threads, given to the model in batches, and what it says
//! is handed on in order, sample by sample. Where the input is a dataset, the results are stored there as well. A sample
//! that fails never takes another one with it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
mod field_run;
mod input;
mod item;
mod pipeline;
mod prompts;
mod provenance;
mod rehearsal;
mod sample;
mod task;
mod work;

pub use error::{EngineError, ItemError, SinkError, Stage};
pub use input::{Extent, Input};
pub use item::{Failure, LabeledItem, Place, Summary};
pub use prompts::{PromptEmbedding, embed_prompts};
pub use provenance::Provenance;
pub use rehearsal::{Calibrated, REHEARSED_PICTURES, rehearse, rehearsed_pictures};
pub use sample::{Sample, SampleError};
pub use task::{ApplyOptions, EmbedOptions, HandleMissing, PatchOptions, ProgressCallback, RunOptions, Task};
pub use work::{Outcome, Work};

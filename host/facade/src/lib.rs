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
//! [`Zoo`] is the door: from a model's name to a loaded [`Model`], and everything that is done with sources and weights.
//! [`Zoo::builder`] makes one with a store, a configuration and a [`Consent`] of the program's own; [`load_model`] asks
//! the user's. [`apply_model`], [`compute_embeddings`] and [`compute_patch_embeddings`] have FiftyOne's parameters as the
//! fields of [`ApplyOptions`], [`EmbedOptions`] and [`PatchOptions`]; [`fiftyone`] has its model zoo. What changes
//! something is a [`Plan`] first, which is told or executed.
//!
//! A source's code runs natively: load only what you trust.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod apply;
mod built_in;
mod calibration;
pub mod dataset;
pub mod doctor;
mod error;
mod evaluate;
pub mod fiftyone;
mod model;
mod plan;
mod results;
mod settings;
mod shard;
#[cfg(feature = "built-in-models")]
pub mod weights;
mod zoo;

pub use apply::{apply_model, compute_embeddings, compute_patch_embeddings, load_model};
pub use built_in::run_worker_if_asked;
pub use error::{Error, ZooError};
pub use evaluate::{DEFAULT_TRUTH, EvaluateOptions, Evaluation, evaluate};
pub use model::Model;
pub use modelzoo_base::{
    Sha256Digest, error as diagnosis,
    memory::{MemoryBudget, MemoryBudgetError},
    progress::{Cancellation, Event, NoObserver, Observer},
};
pub use modelzoo_data::{
    dataset::Existing,
    draw, evaluation, format, input,
    label::{Fields, FrameNumberError, PatchGeometry},
    media::{self, Decoder, RgbImage},
    output, panics, record,
    shard::{ParseShardError, Shard, ShardError, ShardRecord, ShardSet},
    slicing,
    video::{self, FrameRange, Rate, Sampling},
};
pub use modelzoo_engine::{
    ApplyOptions, Calibrated, EmbedOptions, EngineError, Extent, Failure, HandleMissing, Input, ItemError,
    LabeledItem, Outcome, PatchOptions, Place, ProgressCallback, PromptEmbedding, Provenance, RunOptions,
    SinkError, Stage, Summary, Task, Work,
};
pub use modelzoo_plugin_api::{
    self as plugin_api, Array, Device, Image, ModelInfo, Output, Precision, PredictOptions, label,
};
pub use modelzoo_runtime::{
    Artifact, ArtifactError, ArtifactRecord, BuildError, BuiltInPlugin, CallError, Difference, Frames,
    Ingredient, Isolation, Items, LibraryError, Linkage, LoadedModel, Mismatch, PackedPlugin, PluginCode,
    PrebuiltRecord, RuntimeError, Sandbox, SandboxLayer, SandboxReport, SdkCrate, SectionDifference,
    SymbolDifference, TARGET, UnfitPrebuilt, WorkerDeath, sandbox_support, unpack_sdk, variant_of,
};
pub use modelzoo_sources::{
    SourceRef, archive, bundle, config,
    download::{self, Credentials},
    git, index, lock, manifest, prebuilt,
    reference::{self, ModelRef},
    registry, source, store, trust,
};
pub use modelzoo_storage::is_url;
pub use plan::{Plan, PlannedStep};
pub use results::{Content, Destination, ResultWriter};
pub use settings::LoadSettings;
pub use shard::{ShardResults, ShardState};
pub use zoo::{
    AllowPlan, Consent, DeletePlan, DenyPlan, DownloadPlan, DownloadedModel, Finding, ForgetPlan, FoundModel,
    GarbagePlan, LoadBundlePlan, LoadPlan, LoadedBundle, LockPlan, Network, NobodyToAsk, Rebuilt,
    RegisterPlan, Release, RevokePlan, SaveBundlePlan, UpdatePlan, Zoo, ZooBuilder,
};

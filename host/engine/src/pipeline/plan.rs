//! A task made ready for one model.

use super::budget::Budget;
use crate::{ApplyOptions, PatchOptions, RunOptions, Summary, Task};
use modelzoo_base::memory::MemoryBudget;
use modelzoo_data::{
    label::{LabelField, LabelFilter},
    media::Decoder,
    slicing::Slicing,
    video::Sampling,
};
use modelzoo_plugin_api::{MediaType, PredictOptions, message};
use modelzoo_runtime::LoadedModel;
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

/// The batch size of models that have no wish of their own.
const DEFAULT_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// How many batches are looked at together to find inputs of one shape.
const BATCHES_BY_SHAPE: usize = 4;

/// What a run does, and how.
pub(crate) struct Plan<'a> {
    pub(crate) model: &'a dyn LoadedModel,
    pub(super) question: Question,
    pub(super) label_field: LabelField,
    pub(super) filter: LabelFilter,
    pub(super) patches: Option<&'a PatchOptions>,
    pub(super) slicing: Option<Slicing>,
    /// Whether objects are numbered through the frames of videos.
    pub(super) tracks: bool,
    /// The fields of samples that the model needs, by its own names for them.
    pub(super) needed_fields: BTreeMap<String, String>,
    /// Whether the model's input is made apart from its predictions, and ahead of them.
    pub(super) preprocesses: bool,
    pub(super) batch_size: usize,
    pub(super) workers: NonZeroUsize,
    /// What the run may hold of pictures.
    pub(super) budget: Budget,
    options: &'a RunOptions,
}

/// What the model is asked about each picture.
pub(super) enum Question {
    Predict(PredictOptions),
    Embed,
}

impl<'a> Plan<'a> {
    /// Makes a task ready that has been checked for this model.
    pub(crate) fn new(model: &'a dyn LoadedModel, task: &'a Task) -> Self {
        let (info, options) = (model.info(), task.run_options());
        let wish = info.preferred_batch_size.and_then(NonZeroUsize::new);
        let mut plan = Self {
            model,
            question: Question::Embed,
            label_field: LabelField::new(""),
            filter: LabelFilter::default(),
            patches: None,
            slicing: None,
            tracks: false,
            needed_fields: task.needed_fields(info),
            preprocesses: false,
            batch_size: options.batch_size.or(wish).unwrap_or(DEFAULT_BATCH_SIZE).get(),
            workers: options
                .workers
                .or_else(|| thread::available_parallelism().ok())
                .unwrap_or(NonZeroUsize::MIN),
            budget: Budget::new(options.memory.unwrap_or_else(MemoryBudget::of_machine)),
            options,
        };
        match task {
            Task::Apply(options) => {
                plan.question = Question::Predict(predict_options(options));
                plan.label_field = LabelField::new(&options.label_field);
                if let Some(keys) = &options.label_keys {
                    plan.label_field = plan.label_field.with_keys(keys.clone());
                }
                plan.slicing = options.slicing;
                plan.tracks = options.tracking;
                // A model may leave this to the host; filtering what it has filtered already changes nothing.
                plan.filter = LabelFilter {
                    confidence_threshold: options.confidence_threshold,
                    classes: options.classes.clone(),
                };
                plan.preprocesses = info.knows(message::PREPROCESS) && info.knows(message::PREDICT_PREPARED);
            }
            Task::Embed(options) => plan.label_field = LabelField::new(&options.embeddings_field),
            Task::EmbedPatches(options) => {
                plan.label_field = LabelField::new(&options.embeddings_field);
                plan.patches = Some(options);
            }
        }
        plan
    }

    /// The same with another batch size for models that have no wish of their own, where the task has none either.
    pub(crate) fn with_default_batch_size(mut self, size: Option<NonZeroUsize>) -> Self {
        let is_wished = self.options.batch_size.is_some() || self.model.info().preferred_batch_size.is_some();
        if let Some(size) = size.filter(|_| !is_wished) {
            self.batch_size = size.get();
        }
        self
    }

    /// The same with another budget of memory where the task has none.
    pub(crate) fn with_default_memory(mut self, memory: Option<MemoryBudget>) -> Self {
        if let Some(memory) = memory.filter(|_| self.options.memory.is_none()) {
            self.budget = Budget::new(memory);
        }
        self
    }

    /// Whether the model takes videos as they are, and not their frames.
    pub(super) fn takes_videos(&self) -> bool {
        self.model.info().media_type == MediaType::Video
    }

    /// How many pictures the model is asked about together.
    pub(super) fn window(&self) -> usize {
        if self.preprocesses {
            self.batch_size * BATCHES_BY_SHAPE
        } else {
            self.batch_size
        }
    }

    pub(super) fn decoder(&self) -> Decoder {
        self.options.decoder
    }

    pub(super) fn sampling(&self) -> &Sampling {
        &self.options.sampling
    }

    /// Tells how far the run is, where somebody wants to know.
    pub(super) fn tell(&self, so_far: Summary) {
        if let Some(progress) = &self.options.progress {
            progress.tell(so_far);
        }
    }

    pub(super) fn skips_failures(&self) -> bool {
        self.options.skip_failures
    }

    /// Where masks and maps go as pictures, and the folder below which they keep their sub-folders.
    pub(super) fn label_images(&self) -> Option<(&Path, Option<&PathBuf>)> {
        let folder = self.options.output_dir.as_deref()?;
        Some((folder, self.options.rel_dir.as_ref()))
    }
}

fn predict_options(options: &ApplyOptions) -> PredictOptions {
    let mut predict = PredictOptions::default();
    predict.confidence_threshold = options.confidence_threshold;
    predict.classes = options.classes.clone();
    predict.store_logits = options.store_logits;
    predict.settings = options.call_settings.clone();
    predict
}

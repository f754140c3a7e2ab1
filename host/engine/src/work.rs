//! A task, done: the samples of an input through a model, and into the dataset where they come from one.

use crate::{
    EngineError, Input, LabeledItem, Provenance, SinkError, Summary, Task,
    field_run::{FieldRun, provenance},
    input::SampleIterator,
    pipeline::{self, Plan},
};
use modelzoo_base::{error::NextStep, memory::MemoryBudget};
use modelzoo_data::dataset::{self, Existing, Progress};
use modelzoo_runtime::LoadedModel;
use std::num::NonZeroUsize;

/// A task that is ready to be done.
#[derive(Debug)]
pub struct Work<'a> {
    model: &'a dyn LoadedModel,
    task: &'a Task,
    input: &'a Input,
    field: Option<FieldRun>,
    provenance: dataset::Provenance,
    default_batch_size: Option<NonZeroUsize>,
    default_memory: Option<MemoryBudget>,
}

/// How a task was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What this run did.
    pub summary: Summary,
    /// What has become of all samples of the dataset, those of earlier runs included.
    pub dataset: Option<Progress>,
    /// Where the samples stood in the whole input, counted from 0, in order; empty where all of it was this run's.
    pub positions: Vec<u64>,
}

impl<'a> Work<'a> {
    /// Makes sure that the model can do the task, and, where the input is a dataset, takes the right to fill the
    /// field, or to go on where an earlier run ended that was made by the same model with the same options.
    ///
    /// # Errors
    /// When the model cannot do it; when the field is being filled by another process, or has values of other origin
    /// and `existing` does not say that they may be replaced.
    pub fn begin(
        model: &'a dyn LoadedModel,
        origin: &Provenance,
        task: &'a Task,
        input: &'a mut Input,
        existing: Existing,
    ) -> Result<Self, EngineError> {
        let info = model.info();
        task.check(info)?;
        input.restrict_to(info.media_type)?;
        let provenance = provenance(origin, model, task);
        if input.dataset().is_some() && task.run_options().shard.is_some() {
            return Err(EngineError::InvalidOption {
                problem: "a dataset cannot be worked on in shards".to_owned(),
                next_step: NextStep::advice("name the pictures, and a file for the results of the shard"),
            });
        }
        let field = input
            .dataset_mut()
            .map(|dataset| FieldRun::begin(dataset, task, info, &provenance, existing))
            .transpose()?;
        Ok(Self {
            model,
            task,
            input,
            field,
            provenance,
            default_batch_size: None,
            default_memory: None,
        })
    }

    /// Says how many pictures the model gets at once where neither the task nor the model has a wish.
    pub fn with_default_batch_size(mut self, size: Option<NonZeroUsize>) -> Self {
        self.default_batch_size = size;
        self
    }

    /// Says how many bytes of pictures are held at a time where the task does not.
    pub fn with_default_memory(mut self, memory: Option<MemoryBudget>) -> Self {
        self.default_memory = memory;
        self
    }

    /// What earlier runs have done of the dataset; nothing for other inputs.
    pub fn before(&self) -> Progress {
        self.field.as_ref().map(FieldRun::before).unwrap_or_default()
    }

    /// What makes the results: the model by content, and what is asked of it.
    pub fn provenance(&self) -> &dataset::Provenance {
        &self.provenance
    }

    /// How many samples there are for the model, those of earlier runs included; `None` where that would take as long as
    /// reading all of them.
    ///
    /// # Errors
    /// When the dataset cannot be read.
    pub fn count(&self) -> Result<Option<u64>, EngineError> {
        match self.task.run_options().shard {
            Some(shard) => self.input.count_of_shard(shard),
            None => self.input.count(self.model.info().media_type),
        }
    }

    /// Does the task and hands each sample on to `sink`, in order.
    ///
    /// # Errors
    /// When the model cannot go on, the sink fails or the dataset cannot be written. A sample that fails is no error:
    /// its item says why, unless the task does not pass over failures.
    pub fn run(
        mut self,
        mut sink: impl FnMut(LabeledItem) -> Result<(), SinkError> + Send,
    ) -> Result<Outcome, EngineError> {
        let plan = Plan::new(self.model, self.task)
            .with_default_batch_size(self.default_batch_size)
            .with_default_memory(self.default_memory);
        let Some(mut field) = self.field.take() else {
            return self.run_without_dataset(&plan, sink);
        };
        let samples = field.samples()?;
        let result = pipeline::run(&plan, samples, |item| {
            field.take(&item)?;
            sink(item)
        });
        match result {
            Ok(summary) => Ok(Outcome {
                summary,
                dataset: Some(field.finish()?),
                positions: Vec::new(),
            }),
            Err(error) => {
                // What is done stays done: the next run goes on from there. The first error is the one to tell.
                let _ = field.commit();
                Err(error)
            }
        }
    }

    /// Does the task with samples whose results only `sink` gets.
    fn run_without_dataset(
        &self,
        plan: &Plan<'_>,
        sink: impl FnMut(LabeledItem) -> Result<(), SinkError> + Send,
    ) -> Result<Outcome, EngineError> {
        let mut positions = Vec::new();
        let samples: SampleIterator<'_> = match self.task.run_options().shard {
            None => self.input.all_samples()?,
            Some(shard) => {
                let samples = self.input.samples_of_shard(shard)?;
                let positions = &mut positions;
                Box::new(samples.map(|(position, sample)| {
                    positions.push(position);
                    sample
                }))
            }
        };
        Ok(Outcome {
            summary: pipeline::run(plan, samples, sink)?,
            dataset: None,
            positions,
        })
    }
}

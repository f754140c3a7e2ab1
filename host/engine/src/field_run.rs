//! Filling a field of a dataset with results.

use crate::{EngineError, LabeledItem, Provenance, Task, input::SampleIterator, sample::samples_of};
use modelzoo_data::{
    dataset::{self, Dataset, Existing, FieldDescription, FileFacts, Item, Progress, Run, Selection},
    label::Fields,
};
use modelzoo_plugin_api::{MediaType, ModelInfo};
use modelzoo_runtime::LoadedModel;
use serde_json::json;
use std::{
    collections::BTreeSet,
    mem,
    path::PathBuf,
    time::{Duration, Instant},
};

/// How long results wait for their transaction at most, as long as more are coming: so much work is lost when the
/// process is killed.
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);

/// How many results one transaction takes at most.
const COMMIT_ITEMS: usize = 256;

/// The right to fill a field, and the results that wait to be stored.
#[derive(Debug)]
pub(crate) struct FieldRun {
    run: Run,
    dataset: PathBuf,
    selection: Selection,
    /// What was there when it began.
    before: Progress,
    description: Option<FieldDescription>,
    described: BTreeSet<String>,
    waiting: Vec<Item>,
    /// What was seen of the files of those that wait.
    facts: Vec<FileFacts>,
    committed: Instant,
}

impl FieldRun {
    /// Begins to fill the field that the task names, or goes on where an earlier process ended.
    pub(crate) fn begin(
        dataset: &mut Dataset,
        task: &Task,
        info: &ModelInfo,
        provenance: &dataset::Provenance,
        existing: Existing,
    ) -> Result<Self, EngineError> {
        let mut selection = task.selection(info, dataset)?;
        if info.media_type == MediaType::Video {
            selection = selection.with_media_type(MediaType::Video);
        }
        let run = dataset.begin_run(&task.run_name(), provenance, existing)?;
        let description = matches!(task, Task::Apply(_)).then(|| FieldDescription {
            classes: info.classes.clone(),
            keypoints: info.keypoints.clone(),
            skeleton: info.skeleton.clone(),
            ..FieldDescription::default()
        });
        Ok(Self {
            before: run.progress()?,
            dataset: dataset.path().to_owned(),
            run,
            selection,
            description,
            described: BTreeSet::new(),
            waiting: Vec::new(),
            facts: Vec::new(),
            committed: Instant::now(),
        })
    }

    /// What earlier processes have done of it.
    pub(crate) fn before(&self) -> Progress {
        self.before
    }

    /// The samples that are not done yet.
    pub(crate) fn samples(&self) -> Result<SampleIterator<'static>, EngineError> {
        let pending = self.run.pending(&self.selection)?;
        Ok(Box::new(samples_of(&self.dataset, pending)))
    }

    /// Takes a result; it is stored soon.
    pub(crate) fn take(&mut self, item: &LabeledItem) -> Result<(), EngineError> {
        let Some(id) = item.id else { return Ok(()) };
        let Fields { sample, frames } = &item.fields;
        let names = sample
            .keys()
            .chain(frames.values().flat_map(|labels| labels.keys()));
        for name in names {
            if !self.described.contains(name) {
                self.described.insert(name.clone());
            }
        }
        let error = item.error();
        // The parts that worked are kept beside the note that others did not.
        if error.is_none() || !item.fields.is_empty() {
            self.waiting.push((id, Ok(item.fields.clone())));
        }
        self.waiting.extend(error.map(|error| (id, Err(error))));
        let facts = FileFacts {
            sample: id,
            metadata: item.record.metadata.clone(),
            warning: (!item.warnings.is_empty()).then(|| item.warnings.join("; ")),
        };
        if facts.metadata.is_some() || facts.warning.is_some() {
            self.facts.push(facts);
        }
        if self.waiting.len() >= COMMIT_ITEMS || self.committed.elapsed() >= COMMIT_INTERVAL {
            self.commit()?;
        }
        Ok(())
    }

    /// Stores what waits.
    pub(crate) fn commit(&mut self) -> Result<(), EngineError> {
        let (batch, facts) = (mem::take(&mut self.waiting), mem::take(&mut self.facts));
        self.run.commit_batch_with_facts(&batch, &facts)?;
        self.committed = Instant::now();
        Ok(())
    }

    /// Stores what waits, and says that all samples have been done. Gives what became of all of them.
    pub(crate) fn finish(mut self) -> Result<Progress, EngineError> {
        self.commit()?;
        if let Some(description) = self.description {
            for field in self.described {
                self.run.describe(field, description.clone());
            }
        }
        Ok(self.run.finish()?)
    }
}

/// What makes the values of a field: the model by content, and what the user asked of it.
pub(crate) fn provenance(origin: &Provenance, model: &dyn LoadedModel, task: &Task) -> dataset::Provenance {
    let mut options = task.facts();
    if !origin.settings.is_empty() {
        options.insert("settings".to_owned(), origin.settings.clone().into());
    }
    if let Some(precision) = model.info().precision {
        options.insert("precision".to_owned(), precision.to_string().into());
    }
    if let Some(calibration) = &origin.calibration {
        options.insert("calibration".to_owned(), json!(calibration));
    }
    let layers = model.sandbox().in_force.iter();
    dataset::Provenance {
        source: origin.source.clone(),
        commit: origin.commit.clone(),
        model: origin.model.clone(),
        artifact_sha256: origin.artifact_sha256.clone(),
        built_in: origin.built_in.clone(),
        weights_sha256: origin.weights_sha256.clone(),
        options,
        device: model.info().device.clone(),
        sandbox: layers.map(|layer| layer.name().to_owned()).collect(),
    }
}

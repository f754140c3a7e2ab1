use crate::plan::{Plan, PlannedStep};
use modelzoo_data::{
    dataset::Dataset,
    format::{
        FormatError,
        import::{ImportOptions, ImportSummary, import_dataset_with_progress},
    },
    input::{InputError, Inputs, MediaKind},
};
use std::path::PathBuf;

/// A new dataset of pictures and videos; gives how many it has.
#[derive(Debug)]
pub struct DatasetCreation<F> {
    path: PathBuf,
    named: Vec<PathBuf>,
    inputs: Inputs,
    options: ImportOptions,
    progress: F,
}

impl<F: FnMut()> DatasetCreation<F> {
    /// Makes the dataset at `path` of `named`: folders, globs, files, `.txt` files that list them. `progress` is called
    /// for each sample.
    ///
    /// # Errors
    /// When there is nothing of one of the names.
    pub fn new(
        path: impl Into<PathBuf>,
        named: Vec<PathBuf>,
        options: ImportOptions,
        progress: F,
    ) -> Result<Self, InputError> {
        Ok(Self {
            path: path.into(),
            inputs: Inputs::resolve(&named, &[MediaKind::Image, MediaKind::Video])?,
            named,
            options,
            progress,
        })
    }
}

impl<F: FnMut()> Plan for DatasetCreation<F> {
    type Step = PlannedStep;
    type Outcome = ImportSummary;
    type Error = FormatError;

    fn steps(&self) -> Result<Vec<PlannedStep>, FormatError> {
        Ok(vec![PlannedStep::CreateDataset {
            path: self.path.clone(),
            samples: self.inputs.names().count() as u64,
        }])
    }

    fn execute(mut self) -> Result<ImportSummary, FormatError> {
        Dataset::create_filled(&self.path, |dataset| {
            import_dataset_with_progress(dataset, None, &self.named, &self.options, || (self.progress)())
        })
    }
}

use crate::plan::{Plan, PlannedStep};
use modelzoo_data::{
    dataset::{Dataset, DatasetError, Selection},
    format::{
        Format, FormatError,
        export::{ExportOptions, Summary, export_dataset_with_progress},
    },
};
use std::path::PathBuf;

/// A dataset in the format of another program; gives how much was written, and what the format could not hold.
#[derive(Debug)]
pub struct DatasetExport<'a, F> {
    dataset: &'a Dataset,
    selection: Selection,
    samples: u64,
    format: Format,
    path: PathBuf,
    options: ExportOptions,
    progress: F,
}

impl<'a, F: FnMut()> DatasetExport<'a, F> {
    /// Writes `selection` of `dataset` to the file or folder `path`. `progress` is called for each sample.
    ///
    /// # Errors
    /// When the dataset cannot be read.
    pub fn new(
        dataset: &'a Dataset,
        selection: Selection,
        format: Format,
        path: impl Into<PathBuf>,
        options: ExportOptions,
        progress: F,
    ) -> Result<Self, DatasetError> {
        Ok(Self {
            dataset,
            samples: dataset.count(&selection)?,
            selection,
            format,
            path: path.into(),
            options,
            progress,
        })
    }

    /// How many samples are written.
    pub fn samples(&self) -> u64 {
        self.samples
    }
}

impl<F: FnMut()> Plan for DatasetExport<'_, F> {
    type Step = PlannedStep;
    type Outcome = Summary;
    type Error = FormatError;

    fn steps(&self) -> Result<Vec<PlannedStep>, FormatError> {
        Ok(vec![PlannedStep::Export {
            path: self.path.clone(),
            format: self.format.name(),
            samples: self.samples,
            replaces: self.path.is_file(),
        }])
    }

    fn execute(mut self) -> Result<Summary, FormatError> {
        export_dataset_with_progress(
            self.dataset,
            &self.selection,
            self.format,
            &self.path,
            &self.options,
            || (self.progress)(),
        )
    }
}

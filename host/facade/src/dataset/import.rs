use crate::plan::{Plan, PlannedStep};
use modelzoo_data::{
    dataset::Dataset,
    format::{
        Format, FormatError,
        import::{ImportOptions, ImportSummary, import_dataset_with_progress},
    },
};
use std::path::PathBuf;

/// What another program has written, into a dataset that is made if it does not exist; gives how many samples it was.
#[derive(Debug)]
pub struct DatasetImport<F> {
    path: PathBuf,
    input: PathBuf,
    format: Option<Format>,
    options: ImportOptions,
    progress: F,
}

impl<F: FnMut()> DatasetImport<F> {
    /// Adds `input` to the dataset at `path`: a file or folder of a format, or pictures and videos where that is `None`.
    /// `progress` is called for each sample.
    pub fn new(
        path: impl Into<PathBuf>,
        input: impl Into<PathBuf>,
        format: Option<Format>,
        options: ImportOptions,
        progress: F,
    ) -> Self {
        Self {
            path: path.into(),
            input: input.into(),
            format,
            options,
            progress,
        }
    }
}

impl<F: FnMut()> Plan for DatasetImport<F> {
    type Step = PlannedStep;
    type Outcome = ImportSummary;
    type Error = FormatError;

    fn steps(&self) -> Result<Vec<PlannedStep>, FormatError> {
        Ok(vec![PlannedStep::Import {
            path: self.path.clone(),
            input: self.input.clone(),
            is_new: !self.path.exists(),
        }])
    }

    fn execute(mut self) -> Result<ImportSummary, FormatError> {
        let import = |dataset: &mut Dataset| {
            import_dataset_with_progress(dataset, self.format, &[&self.input], &self.options, || {
                (self.progress)();
            })
        };
        if self.path.exists() {
            let mut import = import;
            import(&mut Dataset::open(&self.path)?)
        } else {
            Dataset::create_filled(&self.path, import)
        }
    }
}

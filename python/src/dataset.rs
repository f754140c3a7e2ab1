//! Datasets.

use crate::{
    error::{Failure, Result, Usage},
    model::json,
    sample::sample,
};
use modelzoo::{
    Plan as _,
    dataset::{self, DatasetExport, Selection},
    format::{Format, export::ExportOptions},
};
use pyo3::{exceptions::PyStopIteration, prelude::*};
use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A dataset; `modelzoo.Dataset` is what people see of it.
#[pyclass(frozen, module = "modelzoo._native")]
#[derive(Debug)]
pub struct Dataset(Mutex<dataset::Dataset>);

#[pymethods]
impl Dataset {
    /// Opens a dataset.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> Result<Self> {
        let dataset = py.detach(|| dataset::Dataset::open(&path))?;
        Ok(Self(Mutex::new(dataset)))
    }

    /// What it holds, in JSON.
    fn info(&self, py: Python<'_>) -> Result<String> {
        Ok(json(&py.detach(|| self.dataset().info())?))
    }

    /// How many samples are chosen.
    fn count(&self, py: Python<'_>, tags: Vec<String>) -> Result<u64> {
        Ok(py.detach(|| self.dataset().count(&Selection::without_labels().with_tags(tags)))?)
    }

    /// The samples that are chosen, with these fields or all.
    fn samples(
        &self,
        py: Python<'_>,
        fields: Option<Vec<String>>,
        tags: Vec<String>,
    ) -> Result<DatasetSamples> {
        let selection = selection(fields, tags);
        let samples = py.detach(|| self.dataset().samples(&selection))?;
        Ok(DatasetSamples(Mutex::new(samples)))
    }

    /// Writes the samples that are chosen to a file or folder of another format; says what that could not hold.
    fn export(
        &self,
        py: Python<'_>,
        path: PathBuf,
        format: Option<&str>,
        fields: Option<Vec<String>>,
        tags: Vec<String>,
    ) -> Result<Vec<String>> {
        let format = match format {
            Some(name) => name.parse::<Format>().map_err(|error| Usage(error.to_string()))?,
            None => Format::from_path(&path)
                .ok_or_else(|| Usage(format!("{}: the name does not tell the format", path.display())))?,
        };
        let options = ExportOptions {
            confidences: true,
            ..ExportOptions::default()
        };
        py.detach(|| {
            let dataset = self.dataset();
            let selection = selection(fields, tags);
            let export = DatasetExport::new(&dataset, selection, format, path, options, || ())?;
            Ok(export.execute()?.notes)
        })
    }
}

impl Dataset {
    fn dataset(&self) -> MutexGuard<'_, dataset::Dataset> {
        // Its file is what keeps it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn selection(fields: Option<Vec<String>>, tags: Vec<String>) -> Selection {
    let selection = Selection::all().with_tags(tags);
    match fields {
        Some(fields) => selection.with_fields(fields),
        None => selection,
    }
}

/// Samples of a dataset, one after the other.
#[pyclass(frozen, module = "modelzoo._native")]
#[derive(Debug)]
pub struct DatasetSamples(Mutex<dataset::Samples>);

#[pymethods]
impl DatasetSamples {
    fn __iter__(samples: PyRef<'_, Self>) -> PyRef<'_, Self> {
        samples
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let next = py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).next());
        match next.transpose().map_err(Failure::from)? {
            Some(next) => sample(py, next.record),
            None => Err(PyStopIteration::new_err(())),
        }
    }
}

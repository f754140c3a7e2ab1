//! Loaded models.

use crate::{
    arguments::{PredictArguments, read},
    array::embedding,
    error::{Closed, Failure, Forked, exception},
    label::output,
    logging,
    picture::{Picture, Source, ask_about},
};
use modelzoo::{Array, CallError, Error, Image, ItemError, Output, plugin_api::SampleFields};
use pyo3::{prelude::*, types::PyList};
use std::{
    mem, process,
    sync::{Arc, PoisonError, RwLock},
};

/// A loaded model; `modelzoo.Model` is what people see of it.
#[pyclass(frozen, module = "modelzoo._native")]
#[derive(Debug)]
pub struct Model {
    model: Place,
    /// The process that has loaded it.
    process: u32,
}

/// Where a model is until it is closed.
#[derive(Clone, Debug)]
pub struct Place(Arc<RwLock<Option<Arc<modelzoo::Model>>>>);

impl Place {
    fn model(&self) -> Option<Arc<modelzoo::Model>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the same model, loaded in another way, in its place, unless it was closed.
    pub fn replace(&self, model: &Arc<modelzoo::Model>) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if place.is_some() {
            *place = Some(Arc::clone(model));
        }
    }

    fn take(&self) -> Option<Arc<modelzoo::Model>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Model {
    pub fn new(model: modelzoo::Model) -> Self {
        Self {
            model: Place(Arc::new(RwLock::new(Some(Arc::new(model))))),
            process: process::id(),
        }
    }

    /// Where it is, for a run that may load it in another way.
    pub fn place(&self) -> Place {
        self.model.clone()
    }

    /// The model, unless it is closed. A process that was forked off has the connection to the worker as well, but two
    /// cannot share it.
    pub fn open(&self) -> Result<Arc<modelzoo::Model>, Failure> {
        if self.is_forked() {
            return Err(Forked("model").into());
        }
        Ok(self.model.model().ok_or(Closed("model"))?)
    }

    fn is_forked(&self) -> bool {
        self.process != process::id()
    }
}

#[pymethods]
impl Model {
    /// What it is and can do, in JSON.
    fn info(&self) -> Result<String, Failure> {
        Ok(json(self.open()?.info()))
    }

    /// Where it comes from, by content, in JSON.
    fn provenance(&self) -> Result<String, Failure> {
        Ok(json(self.open()?.provenance()))
    }

    /// The most memory that the model's process has held, in bytes.
    fn peak_memory(&self) -> Result<Option<u64>, Failure> {
        Ok(self.open()?.loaded().peak_memory())
    }

    /// A list with what it says of each picture, or the exception of one on which it failed. `fields` are those of the
    /// pictures' samples, in JSON, where the model needs some.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        pictures: Vec<Picture<'py>>,
        options: &str,
        fields: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        let options = read::<PredictArguments>(options)?.options()?;
        let fields: Option<Vec<SampleFields>> = fields.map(read).transpose()?;
        let results = self.ask(py, &pictures, |model, images, places| match fields {
            None => model.predict_all(images, &options),
            Some(fields) => {
                let fields = places
                    .iter()
                    .map(|&place| fields.get(place).cloned().unwrap_or_default());
                let samples: Vec<_> = images.iter().copied().zip(fields).collect();
                model.predict_samples(&samples, &options)
            }
        })?;
        list(py, results, |result: Output| output(py, result))
    }

    /// A list with the embedding of each picture, or the exception of one on which it failed.
    fn embed<'py>(&self, py: Python<'py>, pictures: Vec<Picture<'py>>) -> PyResult<Bound<'py, PyList>> {
        let results = self.ask(py, &pictures, |model, images, _| model.embed_all(images))?;
        list(py, results, |values: Array| embedding(py, values))
    }

    /// A list with the embedding of each text, or the exception of one on which it failed.
    fn embed_prompts<'py>(&self, py: Python<'py>, prompts: Vec<String>) -> PyResult<Bound<'py, PyList>> {
        let model = self.open()?;
        let results = py
            .detach(|| model.embed_prompts(&prompts))
            .map_err(Failure::from)?;
        let results = results.into_iter().map(|prompt| prompt.result).collect();
        list(py, results, |values: Array| embedding(py, values))
    }

    /// Ends the model; one that is at work ends afterwards.
    fn close(&self, py: Python<'_>) {
        if self.is_forked() {
            return;
        }
        let model = self.model.take();
        py.detach(|| drop(model));
    }
}

impl Model {
    /// Asks about pictures without the interpreter's lock.
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        pictures: &[Picture<'_>],
        ask: impl FnOnce(&modelzoo::Model, &[Image<'_>], &[usize]) -> Result<Vec<Result<T, CallError>>, Error>
        + Send,
    ) -> Result<Vec<Result<T, ItemError>>, Failure> {
        let model = self.open()?;
        let sources: Vec<Source<'_>> = pictures.iter().map(Picture::source).collect::<Result<_, _>>()?;
        logging::look_at_level(py);
        py.detach(|| ask_about(&sources, |images, places| ask(&model, images, places)))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let is_forked = self.is_forked();
        let model = self.model.take();
        if is_forked {
            // Its worker is another process's child, and still at work for that.
            mem::forget(model);
            return;
        }
        // The end of a worker is waited for, which nobody else need do.
        Python::attach(|py| py.detach(|| drop(model)));
    }
}

fn list<'py, T>(
    py: Python<'py>,
    results: Vec<Result<T, ItemError>>,
    make: impl Fn(T) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for result in results {
        list.append(match result {
            Ok(value) => make(value)?,
            Err(error) => exception(py, &error)?,
        })?;
    }
    Ok(list)
}

/// Facts that consist of texts, numbers and lists can always be written.
pub fn json(facts: &impl serde::Serialize) -> String {
    serde_json::to_string(facts).unwrap_or_default()
}

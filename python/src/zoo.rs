//! The zoo: from a model's name to a loaded model, and what is done with models and sources.

use crate::{
    arguments::{LoadArguments, ZooArguments, read},
    error::Result,
    interrupt::interruptible,
    logging,
    model::{Model, json},
};
use modelzoo::{
    Cancellation, Event, Plan as _, Zoo, ZooError,
    fiftyone::{self, ModelFilter},
    index,
    trust::{Summary, Undecided},
};
use pyo3::{prelude::*, types::PyDict};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Steps are told no more often than this.
const TELL_AFTER: Duration = Duration::from_millis(100);

/// Loads a model. `consent` is asked before a stranger's code runs; `progress` is told of steps.
#[pyfunction]
pub fn load_model(
    py: Python<'_>,
    model: &str,
    arguments: &str,
    consent: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Model> {
    let arguments: LoadArguments = read(arguments)?;
    let settings = arguments.settings()?;
    let name = arguments.name.as_deref();
    in_zoo(py, &arguments.zoo, Callbacks { consent, progress }, |zoo| {
        Ok(Model::new(
            zoo.load_with(&zoo.parse_model(model, name)?, &settings)?,
        ))
    })
}

/// Builds a model's plugin and downloads its weights, unless they are there; the file or folder of these.
#[pyfunction]
pub fn download_model(
    py: Python<'_>,
    model: &str,
    arguments: &str,
    again: bool,
    consent: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<PathBuf> {
    let arguments: LoadArguments = read(arguments)?;
    let settings = arguments.settings()?;
    let name = arguments.name.as_deref();
    in_zoo(py, &arguments.zoo, Callbacks { consent, progress }, |zoo| {
        let model = zoo.parse_model(model, name)?;
        Ok(zoo.plan_download(&model, &settings, again)?.execute()?.weights)
    })
}

/// The names of the models of all registered sources.
#[pyfunction]
pub fn list_models(
    py: Python<'_>,
    tags: Vec<String>,
    source: Option<String>,
    license: Vec<String>,
) -> Result<Vec<String>> {
    let filter = ModelFilter {
        tags,
        source,
        license,
    };
    Ok(py.detach(|| fiftyone::list_zoo_models(&filter))?)
}

/// What the zoo knows of a model, in JSON: its name, its source and its entry in the source's manifest.
#[pyfunction]
pub fn model_entry(py: Python<'_>, name: &str, arguments: &str) -> PyResult<String> {
    in_zoo(
        py,
        &read::<ZooArguments>(arguments)?,
        Callbacks::default(),
        |zoo| {
            let found = zoo.find(&zoo.parse_model(name, None)?)?;
            let (name, source) = (found.entry.name(), &found.source.identity);
            Ok(json(
                &serde_json::json!({ "name": name, "source": source, "entry": found.entry }),
            ))
        },
    )
}

/// The file or folder of a model's weights.
#[pyfunction]
pub fn find_model(py: Python<'_>, name: &str) -> Result<PathBuf> {
    Ok(py.detach(|| fiftyone::find_zoo_model(name))?)
}

/// Deletes a model's weights.
#[pyfunction]
pub fn delete_model(py: Python<'_>, name: &str) -> Result<()> {
    Ok(py.detach(|| fiftyone::delete_zoo_model(name))?)
}

/// The registered sources.
#[pyfunction]
pub fn list_sources(py: Python<'_>) -> Result<Vec<String>> {
    Ok(py.detach(fiftyone::list_zoo_model_sources)?)
}

/// Registers a source.
#[pyfunction]
pub fn register_source(py: Python<'_>, source: &str, overwrite: bool) -> PyResult<()> {
    in_zoo(py, &ZooArguments::default(), Callbacks::default(), |zoo| {
        let source = zoo.parse_reference(source)?;
        zoo.plan_register(&source, overwrite)?.execute()?;
        Ok(())
    })
}

/// Forgets a source and deletes its models' weights.
#[pyfunction]
pub fn forget_source(py: Python<'_>, source: &str) -> Result<()> {
    Ok(py.detach(|| fiftyone::delete_zoo_model_source(source))?)
}

/// The published models that all words are said of, in JSON.
#[pyfunction]
pub fn search(words: Vec<String>) -> String {
    json(&index::search(&words))
}

/// What of Python is called meanwhile.
#[derive(Default)]
struct Callbacks {
    consent: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
}

/// Does something in the zoo of the user; Ctrl-C stops it. What a callback raises is raised instead of the error that
/// comes of it.
fn in_zoo<T: Send>(
    py: Python<'_>,
    arguments: &ZooArguments,
    callbacks: Callbacks,
    work: impl FnOnce(&Zoo) -> Result<T, ZooError> + Send,
) -> PyResult<T> {
    logging::look_at_level(py);
    let cancellation = Cancellation::default();
    let raised: Arc<Mutex<Option<PyErr>>> = Arc::default();
    let mut builder = arguments.builder()?.cancellation(cancellation.clone());
    if let Some(consent) = callbacks.consent {
        let raised = Arc::clone(&raised);
        builder = builder.consent(move |summary: &Summary, undecided: &Undecided| {
            Python::attach(|py| asked(py, &consent, summary, undecided))
                .map_err(|error| keep(&raised, error))
                .ok()
        });
    }
    if let Some(progress) = callbacks.progress {
        let (raised, stop) = (Arc::clone(&raised), cancellation.clone());
        let told: Mutex<Option<Instant>> = Mutex::default();
        builder = builder.observer(move |event: Event<'_>| {
            if let Err(error) = tell(&progress, event, &told) {
                keep(&raised, error);
                stop.cancel();
            }
        });
    }
    let done = interruptible(py, &cancellation, move || -> Result<T> {
        let zoo = builder.build()?;
        Ok(work(&zoo)?)
    })?;
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => Ok(done.map_err(PyErr::from)?),
    }
}

/// Keeps what was raised first.
fn keep(raised: &Mutex<Option<PyErr>>, error: PyErr) {
    raised
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(error);
}

/// Asks whether the code that `summary` describes may run.
fn asked(py: Python<'_>, consent: &Py<PyAny>, summary: &Summary, undecided: &Undecided) -> PyResult<bool> {
    let facts = PyDict::new(py);
    facts.set_item("source", &undecided.source)?;
    facts.set_item("identity", &summary.identity)?;
    facts.set_item("owner", &summary.owner)?;
    facts.set_item("commit", &summary.commit)?;
    facts.set_item("allowed_commit", &undecided.allowed_commit)?;
    facts.set_item("committed_at", summary.committed_at.map(|time| time.to_string()))?;
    facts.set_item("licences", &summary.licences)?;
    facts.set_item("dependencies", summary.dependencies)?;
    facts.set_item("foreign_dependencies", &summary.foreign_dependencies)?;
    facts.set_item("build_scripts", &summary.build_scripts)?;
    facts.set_item("proc_macros", &summary.proc_macros)?;
    facts.set_item("is_complete", summary.is_complete)?;
    consent.bind(py).call1((facts,))?.is_truthy()
}

/// Tells how far a step is: its name, how much is done, how much there is.
fn tell(progress: &Py<PyAny>, event: Event<'_>, told: &Mutex<Option<Instant>>) -> PyResult<()> {
    let (step, done, total) = match event {
        Event::Fetching { done, total, .. } => ("fetching", done, total),
        Event::FetchingCrates => ("fetching crates", 0, None),
        Event::Building { done, total, .. } => ("building", done, Some(total)),
        Event::Downloading { done, total, .. } => ("downloading", done, total),
        Event::Waiting { .. } => ("waiting", 0, None),
        Event::Plugin { step, done, total } => (step, done, total),
        _ => return Ok(()),
    };
    let mut last = told.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = last.is_none_or(|last| last.elapsed() >= TELL_AFTER);
    if !is_due && total != Some(done) {
        return Ok(());
    }
    *last = Some(Instant::now());
    drop(last);
    Python::attach(|py| progress.bind(py).call1((step, done, total)).map(drop))
}

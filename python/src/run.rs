//! Runs: a model over the samples of an input, one after the other.

use crate::{
    arguments::{RunArguments, read},
    error::{Failure, Forked, Result},
    interrupt::LOOK_AFTER,
    logging,
    model::{Model, Place},
    sample::sample,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use modelzoo::{
    Content, Destination, Input, LabeledItem, Outcome, ResultWriter, SinkError, record::SampleRecord,
};
use pyo3::{
    IntoPyObjectExt as _,
    exceptions::{PyRuntimeError, PyStopIteration},
    prelude::*,
};
use std::{
    path::PathBuf,
    process,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// How many samples wait for Python at most.
const AHEAD: usize = 16;

/// What the thread of a run tells.
#[derive(Debug)]
enum Told {
    /// It has begun; so many samples are still to do, where somebody wanted to know.
    Begun(Option<u64>),
    /// A sample is done; it is there where somebody wants to see it.
    Sample(Option<Box<SampleRecord>>),
    /// It is over.
    Over(Result<Ended, Failure>),
}

/// How a run went.
#[derive(Debug)]
struct Ended {
    outcome: Outcome,
    notes: Vec<String>,
}

/// What a run is about.
struct Assignment {
    model: Arc<modelzoo::Model>,
    place: Place,
    inputs: Vec<PathBuf>,
    arguments: RunArguments,
    output: Option<PathBuf>,
    /// Whether Python sees the samples.
    shows: bool,
    /// Whether it wants to know how many there are.
    counts: bool,
}

/// A run that goes on on a thread of its own, as far ahead as is not looked at. It ends when it is dropped.
#[pyclass(frozen, module = "modelzoo._native")]
#[derive(Debug)]
pub struct Run {
    told: Mutex<Option<Receiver<Told>>>,
    total: Option<u64>,
    ended: Mutex<Option<Ended>>,
    /// The process that it goes on in.
    process: u32,
}

#[pymethods]
impl Run {
    /// Begins. `arguments` are JSON.
    #[new]
    fn new(
        py: Python<'_>,
        model: &Model,
        inputs: Vec<PathBuf>,
        arguments: &str,
        output: Option<PathBuf>,
        shows: bool,
        counts: bool,
    ) -> PyResult<Self> {
        let assignment = Assignment {
            model: model.open()?,
            place: model.place(),
            inputs,
            arguments: read(arguments)?,
            output,
            shows,
            counts,
        };
        logging::look_at_level(py);
        let (teller, told) = bounded(AHEAD);
        thread::Builder::new()
            .name("modelzoo run".to_owned())
            .spawn(move || {
                let ended = assignment.carry_out(&teller);
                // Nobody waits for it where the run was dropped.
                let _ = teller.send(Told::Over(ended));
            })?;
        let mut run = Self {
            told: Mutex::new(Some(told)),
            total: None,
            ended: Mutex::new(None),
            process: process::id(),
        };
        if let Some(Told::Begun(total)) = run.next_told(py)? {
            run.total = total;
        }
        Ok(run)
    }

    fn __iter__(run: PyRef<'_, Self>) -> PyRef<'_, Self> {
        run
    }

    /// The next sample, or `None` in its place where nobody wants to see it.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.next_told(py)? {
            Some(Told::Sample(Some(record))) => sample(py, *record),
            Some(Told::Sample(None)) => Ok(py.None().into_bound(py)),
            _ => Err(PyStopIteration::new_err(())),
        }
    }

    /// How many samples were to do when it began, where that was asked for.
    #[getter]
    fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many samples are done, how many failed, how many parts of them the model was asked about, and what is doubtful,
    /// once it is over.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Ended { outcome, notes }) = ended.as_ref() else {
            return Ok(py.None().into_bound(py));
        };
        let summary = outcome.summary;
        (summary.done, summary.failed, summary.parts, notes.clone()).into_bound_py_any(py)
    }

    /// Ends it, if it is not over. What a dataset has got stays there; a file is not written.
    fn close(&self) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Run {
    /// What the run tells next; `None` once it is over.
    fn next_told(&self, py: Python<'_>) -> PyResult<Option<Told>> {
        if self.process != process::id() {
            return Err(Failure::from(Forked("run")).into());
        }
        let receiver = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(receiver) = receiver else { return Ok(None) };
        let told = loop {
            match py.detach(|| receiver.recv_timeout(LOOK_AFTER)) {
                Ok(told) => break told,
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                Err(RecvTimeoutError::Disconnected) => {
                    self.close();
                    return Err(PyRuntimeError::new_err("the thread of the run has died"));
                }
            }
        };
        match told {
            Told::Over(ended) => {
                self.close();
                *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended?);
                Ok(None)
            }
            told => Ok(Some(told)),
        }
    }
}

/// Nobody wants the results any longer.
#[derive(Debug, thiserror::Error)]
#[error("the run was ended")]
struct Unwanted;

impl Assignment {
    fn carry_out(self, teller: &Sender<Told>) -> Result<Ended> {
        let Self {
            mut model, arguments, ..
        } = self;
        let mut input = Input::resolve_with(&self.inputs, &arguments.input_options())?;
        let (format, existing) = (arguments.format()?, arguments.existing());
        let task = arguments.task()?;
        task.check(model.info())?;
        let destination = Destination::of(
            self.output.as_deref(),
            format,
            Content::from(&task),
            input.dataset().is_some(),
        )?;
        if let Destination::NewDataset(path) = &destination {
            input = input.into_dataset(path)?;
        }
        if let Some(calibrated) = model.calibrated(&task, &input, None)? {
            model = Arc::new(calibrated);
            self.place.replace(&model);
        }
        let work = model.begin(&task, &mut input, existing)?;
        let total = match self.counts {
            true => {
                let count = work.count()?;
                count.map(|count| count.saturating_sub(work.before().done))
            }
            false => None,
        };
        let mut writer = match destination {
            // To Python, that is.
            Destination::Stdout => ResultWriter::none(),
            _ => ResultWriter::create(&destination, model.info(), work.provenance())?,
        };
        let _ = teller.send(Told::Begun(total));
        let outcome = work.run(|item: LabeledItem| -> Result<(), SinkError> {
            let record = item.into_record();
            writer.write(&record)?;
            let shown = self.shows.then(|| Box::new(record));
            Ok(teller.send(Told::Sample(shown)).map_err(|_| Unwanted)?)
        })?;
        let mut written = vec![writer.finish()?];
        if let Some(dataset) = input.dataset() {
            written.push(destination.export(dataset, &task)?);
        }
        let losses = written
            .iter()
            .map(|summary| &summary.losses)
            .chain([input.losses()]);
        let mut notes = input.notes();
        notes.extend(losses.flat_map(|losses| losses.named().to_vec()));
        notes.extend(written.iter().flat_map(|summary| summary.notes.clone()));
        Ok(Ended { outcome, notes })
    }
}

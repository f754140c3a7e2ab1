//! `modelzoo plugin bench`: how fast a model is, and what it takes.

mod statistics;

use super::picture::{as_image, pictures};
use crate::{
    arguments::{BenchArguments, Global, IsolationArgument},
    commands::{calibration::calibrated, loading::load_settings, open::open},
    exit::Exit,
    terminal::{
        Context as _, Result, Step, Terminal, ensure, print_facts, print_json, print_line, print_table,
    },
};
use indicatif::HumanBytes;
use modelzoo::{
    ApplyOptions, CallError, Input, LoadedModel, Provenance, Task,
    media::RgbImage,
    output::OutputError,
    plugin_api::{Error as PluginError, Image, MediaType, Precision, PredictOptions, message},
};
use serde::Serialize;
use statistics::{Latency, latency};
use std::time::{Duration, Instant};

/// So often a batch is predicted at least, however long it takes.
const FEWEST_ROUNDS: usize = 5;

/// What was measured.
#[derive(Debug, Serialize)]
struct Measurements {
    provenance: Provenance,
    device: Option<String>,
    precision: Precision,
    isolation: &'static str,
    pictures: usize,
    /// From nothing to a loaded model: the worker's start, and reading the weights.
    load_seconds: f64,
    /// The first prediction, which may set up more than the later ones.
    first_prediction_seconds: f64,
    batches: Vec<Batch>,
    /// Of the model's process, since its start.
    peak_memory_bytes: Option<u64>,
}

/// What was measured of one batch size. Decoding pictures is no part of it.
#[derive(Debug, Serialize)]
struct Batch {
    batch_size: usize,
    #[serde(flatten)]
    latency: Latency,
    pictures_per_second: f64,
}

pub fn run(arguments: &BenchArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let largest = arguments.batch_sizes.iter().max().map_or(1, |size| size.get());
    let pictures = pictures(arguments.input.as_deref(), largest)?;
    let zoo = open(global, terminal)?;
    let settings = load_settings(&arguments.options, &arguments.run)?;
    let named = zoo.parse_model(&arguments.model, arguments.name.as_deref())?;
    let mut loaded = zoo.load_with(&named, &settings)?;
    if let Some(input) = &arguments.input {
        let task = Task::Apply(ApplyOptions::default());
        loaded = calibrated(loaded, &task, &Input::resolve(&[input])?, terminal)?;
    }
    ensure!(
        !loaded.info().knows(message::CALIBRATE),
        "{} is calibrated on pictures: name some",
        Precision::Int8
    );
    let (model, provenance) = (loaded.loaded(), loaded.provenance());
    ensure!(
        model.info().media_type == MediaType::Image,
        "{} takes videos; only models of pictures can be measured",
        provenance.model
    );
    if model.info().knows(message::SETUP) {
        model.setup()?;
    }
    let first_prediction_seconds = predict(model, &batch(&pictures, 1)?)?.as_secs_f64();

    let batches = measure(model, &pictures, arguments, terminal)?;
    let measurements = Measurements {
        provenance: provenance.clone(),
        device: model.info().device.clone(),
        precision: model.info().precision.unwrap_or_default(),
        isolation: match arguments.run.isolation {
            IsolationArgument::Process => "process",
            IsolationArgument::None => "none",
        },
        pictures: pictures.len(),
        load_seconds: loaded.loading_time().as_secs_f64(),
        first_prediction_seconds,
        batches,
        peak_memory_bytes: model.peak_memory(),
    };
    if arguments.facts.json {
        print_json(&measurements)?;
    } else {
        print(&measurements)?;
    }
    Ok(Exit::Done)
}

/// Measures one batch size after the other.
fn measure(
    model: &dyn LoadedModel,
    pictures: &[RgbImage],
    arguments: &BenchArguments,
    terminal: &Terminal,
) -> Result<Vec<Batch>> {
    let sizes = &arguments.batch_sizes;
    let bar = terminal.bar(Step::Pieces, "measuring", Some(sizes.len() as u64));
    let mut batches = Vec::new();
    for size in sizes.iter().map(|size| size.get()) {
        bar.say(format!("measuring batches of {size}"));
        let rounds = rounds(model, &batch(pictures, size)?, arguments.seconds)?;
        let latency = latency(&rounds);
        batches.push(Batch {
            batch_size: size,
            pictures_per_second: size as f64 / latency.median_seconds.max(f64::MIN_POSITIVE),
            latency,
        });
        bar.advance();
    }
    Ok(batches)
}

/// A batch of so many pictures; the same ones come again when there are not enough.
fn batch(pictures: &[RgbImage], size: usize) -> Result<Vec<Image<'_>>> {
    let images = pictures.iter().cycle().take(size).map(as_image);
    let images: Result<_, PluginError> = images.collect();
    Ok(images.map_err(CallError::from)?)
}

/// Predicts the batch again and again: for so long, and some times at least.
fn rounds(model: &dyn LoadedModel, batch: &[Image<'_>], long: Duration) -> Result<Vec<Duration>> {
    // The first of a size may make room for it.
    predict(model, batch)?;
    let started = Instant::now();
    let mut rounds = Vec::new();
    while rounds.len() < FEWEST_ROUNDS || started.elapsed() < long {
        rounds.push(predict(model, batch)?);
    }
    Ok(rounds)
}

/// How long a prediction takes, all of whose pictures must succeed.
fn predict(model: &dyn LoadedModel, batch: &[Image<'_>]) -> Result<Duration> {
    let started = Instant::now();
    let outputs = model.predict(batch, &PredictOptions::default())?;
    let took = started.elapsed();
    for output in outputs {
        output.context("the model fails on a picture")?;
    }
    Ok(took)
}

fn print(measurements: &Measurements) -> Result<(), OutputError> {
    let Measurements { provenance, .. } = measurements;
    let memory = measurements.peak_memory_bytes;
    print_facts(
        &provenance.model,
        &[
            ("source", Some(provenance.source.clone())),
            ("commit", provenance.commit.clone()),
            ("device", measurements.device.clone()),
            ("precision", Some(measurements.precision.to_string())),
            ("isolation", Some(measurements.isolation.to_owned())),
            ("load", Some(milliseconds(measurements.load_seconds))),
            (
                "first prediction",
                Some(milliseconds(measurements.first_prediction_seconds)),
            ),
            ("peak memory", memory.map(|bytes| HumanBytes(bytes).to_string())),
        ],
    )?;
    print_line("")?;
    let row = |batch: &Batch| {
        [
            batch.batch_size.to_string(),
            batch.latency.rounds.to_string(),
            milliseconds(batch.latency.median_seconds),
            milliseconds(batch.latency.p90_seconds),
            format!("{:.1}", batch.pictures_per_second),
        ]
    };
    let rows: Vec<_> = measurements.batches.iter().map(row).collect();
    print_table(["batch", "rounds", "median", "p90", "pictures/s"], &rows)
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}

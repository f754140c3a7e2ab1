//! Options as Python gives them, in JSON.

use crate::error::{Result, Usage};
use modelzoo::{
    ApplyOptions, Decoder, Device, EmbedOptions, Existing, HandleMissing, Isolation, LoadSettings,
    MemoryBudget, MemoryBudgetError, Network, PatchGeometry, PatchOptions, Precision, PredictOptions, Rate,
    RunOptions, Sampling, Sandbox, Task, ZooBuilder,
    config::PluginOrigin,
    format::Format,
    input::InputOptions,
    media::Rescale,
    slicing::{Merging, Slicing, SlicingError},
    video::FrameRangeError,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

/// Reads options.
///
/// # Errors
/// When one of them is of another type than it should be.
pub fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    // Where in the JSON it stands means nothing to anybody.
    let told = |error: serde_json::Error| {
        let told = error.to_string();
        told.rsplit_once(" at line ")
            .map_or(told.clone(), |(problem, _)| problem.to_owned())
    };
    Ok(serde_json::from_str(json).map_err(|error| Usage(told(error)))?)
}

/// How the zoo of the user works.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ZooArguments {
    offline: bool,
    locked: bool,
    lock: Option<PathBuf>,
    store: Option<PathBuf>,
}

/// How a model is loaded.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoadArguments {
    #[serde(flatten)]
    pub zoo: ZooArguments,
    pub name: Option<String>,
    device: Option<String>,
    precision: Option<String>,
    threads: Option<NonZeroUsize>,
    options: Map<String, Value>,
    isolation: IsolationArgument,
    origin: Option<PluginOrigin>,
    sandbox: Option<String>,
    stall_timeout: Option<f64>,
    worker: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IsolationArgument {
    #[default]
    Process,
    None,
}

/// What a model is asked for pictures at hand.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PredictArguments {
    threshold: Option<f64>,
    classes: Option<Vec<String>>,
    store_logits: bool,
    settings: Map<String, Value>,
}

/// What a model is to do with samples, and where the results go.
#[derive(Debug, Deserialize)]
pub struct RunArguments {
    task: TaskArgument,
    field: Option<String>,
    #[serde(default)]
    label_keys: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    predict: PredictArguments,
    #[serde(default)]
    sample_fields: BTreeMap<String, String>,
    slicing: Option<SlicingArguments>,
    #[serde(default)]
    track: bool,
    patches: Option<String>,
    alpha: Option<f64>,
    #[serde(default)]
    force_square: bool,
    handle_missing: Option<MissingArgument>,
    batch_size: Option<NonZeroUsize>,
    workers: Option<NonZeroUsize>,
    memory: Option<String>,
    max_pixels: Option<u64>,
    rescale: Option<RescaleArgument>,
    page: Option<NonZeroU32>,
    frames: Option<String>,
    fps: Option<f64>,
    every: Option<NonZeroU64>,
    skip_failures: Option<bool>,
    output_dir: Option<PathBuf>,
    rel_dir: Option<PathBuf>,
    format: Option<String>,
    column: Option<String>,
    #[serde(default)]
    overwrite: bool,
}

/// How pictures are cut into slices.
#[derive(Clone, Copy, Debug, Deserialize)]
struct SlicingArguments {
    size: u32,
    overlap: Option<f64>,
    merge: Option<MergingArgument>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MergingArgument {
    Unite,
    Suppress,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaskArgument {
    Apply,
    Embed,
    EmbedPatches,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MissingArgument {
    Skip,
    Image,
    Error,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RescaleArgument {
    Bits,
    MinMax,
    Percentile,
}

impl TryFrom<SlicingArguments> for Slicing {
    type Error = Usage;

    fn try_from(arguments: SlicingArguments) -> std::result::Result<Self, Usage> {
        let usage = |name| move |error: SlicingError| Usage(format!("{name}: {error}"));
        let mut slicing = Self::new(arguments.size.try_into().map_err(usage("slice"))?);
        if let Some(overlap) = arguments.overlap {
            slicing.overlap = overlap.try_into().map_err(usage("slice_overlap"))?;
        }
        slicing.merging = match arguments.merge {
            None | Some(MergingArgument::Unite) => Merging::Unite,
            Some(MergingArgument::Suppress) => Merging::Suppress,
        };
        Ok(slicing)
    }
}

impl ZooArguments {
    /// The zoo of the user, as far as nothing else is said.
    pub fn builder(&self) -> Result<ZooBuilder> {
        let mut builder = ZooBuilder::of_user()?.locked(self.locked);
        if self.offline {
            builder = builder.network(Network::Offline);
        }
        if let Some(file) = &self.lock {
            builder = builder.lock_file(file);
        }
        if let Some(folder) = &self.store {
            builder = builder.store(folder);
        }
        Ok(builder)
    }
}

impl LoadArguments {
    pub fn settings(&self) -> Result<LoadSettings> {
        let (device, sandbox) = (self.device.as_deref(), self.sandbox.as_deref());
        let precision = self.precision.as_deref();
        let settings = LoadSettings {
            device: device
                .map(str::parse::<Device>)
                .transpose()
                .map_err(|error| Usage(error.to_string()))?,
            precision: precision
                .map(str::parse::<Precision>)
                .transpose()
                .map_err(|error| Usage(error.to_string()))?
                .unwrap_or_default(),
            threads: self.threads.map(usize::from),
            options: self.options.clone(),
            isolation: match self.isolation {
                IsolationArgument::Process => Isolation::Process,
                IsolationArgument::None => Isolation::None,
            },
            stall_timeout: self.stall_timeout.map(patience).transpose()?,
            sandbox: sandbox
                .map(str::parse::<Sandbox>)
                .transpose()
                .map_err(|error| Usage(error.to_string()))?,
            origin: self.origin,
            worker_program: self.worker.clone(),
        };
        if settings.isolation == Isolation::None
            && (settings.sandbox == Some(Sandbox::On) || settings.stall_timeout.is_some())
        {
            return Err(Usage(
                "sandbox=\"on\" and stall_timeout are about the plugin's process, and isolation=\"none\" gives it none"
                    .to_owned(),
            )
            .into());
        }
        Ok(settings)
    }
}

/// How long a plugin may be silent; 0 is for ever.
fn patience(seconds: f64) -> Result<Duration> {
    if seconds == 0.0 {
        return Ok(Duration::MAX);
    }
    let problem = || Usage("stall_timeout is a number of seconds, or 0 to wait for ever".to_owned());
    Ok(Duration::try_from_secs_f64(seconds).map_err(|_| problem())?)
}

impl PredictArguments {
    pub fn options(self) -> Result<PredictOptions> {
        if self.threshold.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            return Err(Usage("threshold is a number from 0 to 1".to_owned()).into());
        }
        let mut options = PredictOptions::default();
        options.confidence_threshold = self.threshold;
        options.classes = self.classes;
        options.store_logits = self.store_logits;
        options.settings = self.settings;
        Ok(options)
    }
}

impl RunArguments {
    /// How the inputs are read.
    pub fn input_options(&self) -> InputOptions {
        InputOptions {
            column: self.column.clone(),
        }
    }

    /// What to do about values that a dataset has already.
    pub fn existing(&self) -> Existing {
        match self.overwrite {
            true => Existing::Replace,
            false => Existing::Resume,
        }
    }

    /// The format of what is written, where it is named.
    pub fn format(&self) -> Result<Option<Format>> {
        let named = self.format.as_deref().map(str::parse::<Format>);
        Ok(named.transpose().map_err(|error| Usage(error.to_string()))?)
    }

    pub fn task(self) -> Result<Task> {
        let run = self.run_options()?;
        Ok(match self.task {
            TaskArgument::Apply => {
                let asked = self.predict.options()?;
                let mut options = ApplyOptions {
                    label_keys: self.label_keys,
                    confidence_threshold: asked.confidence_threshold,
                    classes: asked.classes,
                    store_logits: asked.store_logits,
                    slicing: self.slicing.map(Slicing::try_from).transpose()?,
                    tracking: self.track,
                    call_settings: asked.settings,
                    sample_fields: self.sample_fields,
                    run,
                    ..ApplyOptions::default()
                };
                options.label_field = self.field.unwrap_or(options.label_field);
                Task::Apply(options)
            }
            TaskArgument::Embed => {
                let mut options = EmbedOptions {
                    run,
                    ..EmbedOptions::default()
                };
                options.embeddings_field = self.field.unwrap_or(options.embeddings_field);
                Task::Embed(options)
            }
            TaskArgument::EmbedPatches => {
                let patches = self
                    .patches
                    .ok_or_else(|| Usage("patches names the field with the objects".to_owned()))?;
                let mut options = PatchOptions::new(patches);
                options.embeddings_field = self.field.unwrap_or(options.embeddings_field);
                options.geometry = PatchGeometry {
                    alpha: self.alpha,
                    force_square: self.force_square,
                };
                options.handle_missing = match self.handle_missing {
                    None | Some(MissingArgument::Skip) => HandleMissing::Skip,
                    Some(MissingArgument::Image) => HandleMissing::Image,
                    Some(MissingArgument::Error) => HandleMissing::Error,
                };
                options.run = run;
                Task::EmbedPatches(options)
            }
        })
    }

    fn run_options(&self) -> Result<RunOptions> {
        let mut decoder = Decoder::default();
        if let Some(limit) = self.max_pixels {
            decoder = decoder.with_max_pixels(limit);
        }
        if let Some(page) = self.page {
            decoder = decoder.with_page(page);
        }
        if let Some(rescale) = self.rescale {
            decoder = decoder.with_rescale(match rescale {
                RescaleArgument::Bits => Rescale::Bits,
                RescaleArgument::MinMax => Rescale::MinMax,
                RescaleArgument::Percentile => Rescale::Percentile,
            });
        }
        let memory = self.memory.as_deref().map(str::parse::<MemoryBudget>);
        let memory = memory
            .transpose()
            .map_err(|error: MemoryBudgetError| Usage(format!("memory: {error}")))?;
        Ok(RunOptions {
            batch_size: self.batch_size,
            workers: self.workers,
            memory,
            decoder,
            sampling: self.sampling()?,
            skip_failures: self.skip_failures.unwrap_or(true),
            output_dir: self.output_dir.clone(),
            rel_dir: self.rel_dir.clone(),
            ..RunOptions::default()
        })
    }

    fn sampling(&self) -> Result<Sampling> {
        let frames = self.frames.as_deref().map(str::parse).transpose();
        let frames = frames.map_err(|error: FrameRangeError| Usage(error.to_string()))?;
        Ok(Sampling {
            frames: frames.unwrap_or_default(),
            rate: match (self.fps, self.every) {
                (None, None) => Rate::All,
                (Some(rate), None) if rate > 0.0 && rate.is_finite() => Rate::PerSecond(rate),
                (None, Some(step)) => Rate::Every(step),
                (Some(_), None) => return Err(Usage("fps is a number above 0".to_owned()).into()),
                (Some(_), Some(_)) => {
                    return Err(Usage("fps and every cannot both be given".to_owned()).into());
                }
            },
        })
    }
}

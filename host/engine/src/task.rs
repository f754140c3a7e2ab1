//! What a model is to do, with every option that there is.

use crate::{EngineError, Summary};
use modelzoo_base::{error::NextStep, memory::MemoryBudget, suggest};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    label::PatchGeometry,
    media::Decoder,
    shard::Shard,
    slicing::Slicing,
    video::{Rate, Sampling},
};
use modelzoo_plugin_api::{MediaType, ModelInfo, message};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt, num::NonZeroUsize, path::PathBuf, sync::Arc};

/// What a model is to do with samples.
#[derive(Clone, Debug)]
pub enum Task {
    /// Say what they show: FiftyOne's `apply_model`.
    Apply(ApplyOptions),
    /// Compute embeddings of pictures, of the frames of videos, or of videos as they are where the model takes these:
    /// FiftyOne's `compute_embeddings`.
    Embed(EmbedOptions),
    /// Compute embeddings of the objects in them: FiftyOne's `compute_patch_embeddings`.
    EmbedPatches(PatchOptions),
}

/// How samples go through a model, whatever it does with them.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How many pictures the model gets at once; `None` leaves it to the model.
    pub batch_size: Option<NonZeroUsize>,
    /// How many threads decode; `None` is one for each processor. FiftyOne's `num_workers`.
    pub workers: Option<NonZeroUsize>,
    /// How many bytes of files, pictures and frames are held at a time; `None` is [`MemoryBudget::of_machine`]. What the model
    /// itself takes is not counted. Results do not depend on it, but batches are smaller where fewer pictures fit.
    pub memory: Option<MemoryBudget>,
    /// How files become pixels, and how large these may be.
    pub decoder: Decoder,
    /// Which frames of videos are looked at.
    pub sampling: Sampling,
    /// The part of the input that is this run's; `None` is all of it. A dataset has no such parts.
    pub shard: Option<Shard>,
    /// Whether a sample that fails is passed over; if not, the first one ends the run.
    pub skip_failures: bool,
    /// A folder for masks and maps: they are written there as pictures, and labels hold the paths instead.
    pub output_dir: Option<PathBuf>,
    /// The folder below which pictures in `output_dir` keep their samples' sub-folders.
    pub rel_dir: Option<PathBuf>,
    /// Is told how far the run is.
    pub progress: Option<ProgressCallback>,
}

/// Is told how far a run is, after each batch: FiftyOne's `progress`.
#[derive(Clone)]
pub struct ProgressCallback(Arc<dyn Fn(Summary) + Send + Sync>);

impl ProgressCallback {
    /// Calls `tell` with what is done so far.
    pub fn new(tell: impl Fn(Summary) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, so_far: Summary) {
        (self.0)(so_far);
    }
}

impl fmt::Debug for ProgressCallback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProgressCallback")
    }
}

/// How a model is applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// The field that labels go to. Of several labels, each goes to this name, `_` and its key. A name that begins
    /// with `frames.` means the same as one without: labels of frames go to frames.
    pub label_field: String,
    /// The fields of several labels by their keys, instead; keys that are not in it keep their names.
    pub label_keys: Option<BTreeMap<String, String>>,
    /// Leave out what the model is less sure of, 0 to 1.
    pub confidence_threshold: Option<f64>,
    /// Keep only these classes.
    pub classes: Option<Vec<String>>,
    /// Store the raw scores of all classes.
    pub store_logits: bool,
    /// Ask about slices of large pictures as well, and put together what is found.
    pub slicing: Option<Slicing>,
    /// Number each object through the frames of a video: the `index` of detections.
    pub tracking: bool,
    /// Options of the model for these calls.
    pub call_settings: Map<String, Value>,
    /// The fields of samples that the model needs, by its own names for them; names that are not in it are looked for
    /// under themselves. FiftyOne's `needs_fields`.
    pub sample_fields: BTreeMap<String, String>,
    /// The rest.
    pub run: RunOptions,
}

/// How embeddings are computed.
#[derive(Clone, Debug)]
pub struct EmbedOptions {
    /// The field that they go to, of samples or of the frames of videos.
    pub embeddings_field: String,
    /// The rest.
    pub run: RunOptions,
}

/// How embeddings of patches are computed.
#[derive(Clone, Debug)]
pub struct PatchOptions {
    /// The field of detections or polylines around which patches are cut.
    pub patches_field: String,
    /// The attribute of each of these that its embedding goes to.
    pub embeddings_field: String,
    /// How patches are cut: `alpha` and `force_square`.
    pub geometry: PatchGeometry,
    /// What to do about samples without patches.
    pub handle_missing: HandleMissing,
    /// The rest.
    pub run: RunOptions,
}

/// What to do about samples and frames without patches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandleMissing {
    /// They get no embedding.
    #[default]
    Skip,
    /// The picture as a whole is embedded; having no object to go to, the embedding goes to a field of the sample or
    /// frame that is named as the attribute.
    Image,
    /// They fail.
    Error,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            batch_size: None,
            workers: None,
            memory: None,
            decoder: Decoder::default(),
            sampling: Sampling::default(),
            shard: None,
            skip_failures: true,
            output_dir: None,
            rel_dir: None,
            progress: None,
        }
    }
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            label_field: "predictions".to_owned(),
            label_keys: None,
            confidence_threshold: None,
            classes: None,
            store_logits: false,
            slicing: None,
            tracking: false,
            call_settings: Map::new(),
            sample_fields: BTreeMap::new(),
            run: RunOptions::default(),
        }
    }
}

impl Default for EmbedOptions {
    fn default() -> Self {
        Self {
            embeddings_field: "embeddings".to_owned(),
            run: RunOptions::default(),
        }
    }
}

impl PatchOptions {
    /// Embeddings of the objects in field `patches_field`, in their attribute `embeddings`.
    pub fn new(patches_field: impl Into<String>) -> Self {
        Self {
            patches_field: patches_field.into(),
            embeddings_field: "embeddings".to_owned(),
            geometry: PatchGeometry::default(),
            handle_missing: HandleMissing::default(),
            run: RunOptions::default(),
        }
    }
}

impl HandleMissing {
    fn name(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Image => "image",
            Self::Error => "error",
        }
    }
}

impl Task {
    /// How samples go through the model.
    pub fn run_options(&self) -> &RunOptions {
        match self {
            Self::Apply(options) => &options.run,
            Self::Embed(options) => &options.run,
            Self::EmbedPatches(options) => &options.run,
        }
    }

    /// How samples go through the model, to be changed.
    pub fn run_options_mut(&mut self) -> &mut RunOptions {
        match self {
            Self::Apply(options) => &mut options.run,
            Self::Embed(options) => &mut options.run,
            Self::EmbedPatches(options) => &mut options.run,
        }
    }

    /// What a dataset's run is called: the field that is filled, or the field and attribute that are added to.
    pub fn run_name(&self) -> String {
        let name = match self {
            Self::Apply(options) => options.label_field.clone(),
            Self::Embed(options) => options.embeddings_field.clone(),
            Self::EmbedPatches(options) => {
                let field = without_frames(&options.patches_field);
                return format!("{field}.{}", options.embeddings_field);
            }
        };
        without_frames(&name).to_owned()
    }

    /// The options that results depend on, and that differ from their defaults.
    pub fn facts(&self) -> Map<String, Value> {
        let run = self.run_options();
        let mut facts = Map::new();
        let mut note = |name: &str, value: Option<Value>| {
            facts.extend(value.map(|value| (name.to_owned(), value)));
        };
        match self {
            Self::Apply(options) => {
                note("confidence_thresh", options.confidence_threshold.map(Value::from));
                note("classes", options.classes.clone().map(Value::from));
                note("store_logits", options.store_logits.then_some(true.into()));
                note("slicing", options.slicing.map(facts_of_slicing));
                note("tracking", options.tracking.then_some(true.into()));
                note("label_keys", options.label_keys.as_ref().map(|keys| json!(keys)));
                let settings = &options.call_settings;
                note(
                    "call_settings",
                    (!settings.is_empty()).then(|| settings.clone().into()),
                );
                let fields = &options.sample_fields;
                note("sample_fields", (!fields.is_empty()).then(|| json!(fields)));
            }
            Self::Embed(_) => note("embeddings", Some(true.into())),
            Self::EmbedPatches(options) => {
                note("patches_field", Some(options.patches_field.clone().into()));
                note("alpha", options.geometry.alpha.map(Value::from));
                note(
                    "force_square",
                    options.geometry.force_square.then_some(true.into()),
                );
                note("handle_missing", Some(options.handle_missing.name().into()));
            }
        }
        let frames = run.sampling.frames;
        let last = frames.last().map(|last| last.to_string()).unwrap_or_default();
        note(
            "frames",
            (frames != Default::default()).then(|| format!("{}-{last}", frames.first()).into()),
        );
        match run.sampling.rate {
            Rate::All => {}
            Rate::Every(step) => note("every", Some(step.get().into())),
            Rate::PerSecond(rate) => note("fps", Some(rate.into())),
        }
        note("output_dir", run.output_dir.as_ref().map(|folder| json!(folder)));
        facts
    }

    /// Makes sure that the model can do it.
    ///
    /// # Errors
    /// When it lacks what is needed, or an option makes no sense for it.
    pub fn check(&self, info: &ModelInfo) -> Result<(), EngineError> {
        let takes_videos = info.media_type == MediaType::Video;
        match self {
            Self::Apply(_) if takes_videos && !info.knows(message::PREDICT_VIDEO) => {
                return Err(EngineError::Unsupported("takes videos, but says nothing of them"));
            }
            Self::Apply(_) if info.instead_of_predictions.is_some() => {
                let instead = info.instead_of_predictions.clone().unwrap_or_default();
                return Err(EngineError::InvalidOption {
                    problem: "the model makes embeddings only, and predicts nothing".to_owned(),
                    next_step: NextStep::advice(instead),
                });
            }
            Self::Apply(options) => {
                check_slicing(options, info)?;
                if options.store_logits && !info.has_logits {
                    return Err(EngineError::Unsupported("has no logits to store"));
                }
                check_classes(options.classes.as_deref().unwrap_or_default(), info)?;
                let unknown = |name: &&String| !info.needed_fields.contains(name);
                if let Some(unknown) = options.sample_fields.keys().find(unknown) {
                    return Err(EngineError::InvalidOption {
                        problem: format!("the model needs no field called `{unknown}`"),
                        next_step: match info.needed_fields.as_slice() {
                            [] => NextStep::advice("it needs none at all"),
                            names => NextStep::advice(format!("it needs {}", names.join(", "))),
                        },
                    });
                }
            }
            Self::Embed(_) | Self::EmbedPatches(_) if !info.has_embeddings => {
                return Err(EngineError::Unsupported("has no embeddings"));
            }
            Self::EmbedPatches(_) if takes_videos => {
                return Err(EngineError::Unsupported(
                    "takes whole videos; patches are cut from pictures and frames",
                ));
            }
            Self::Embed(_) if takes_videos && !info.knows(message::EMBED_VIDEO) => {
                return Err(EngineError::Unsupported("has no embeddings of whole videos"));
            }
            Self::Embed(_) => {}
            Self::EmbedPatches(options) => {
                let attribute = &options.embeddings_field;
                if attribute.is_empty() || attribute.contains('.') {
                    return Err(EngineError::InvalidOption {
                        problem: format!("`{attribute}` cannot be an attribute of labels"),
                        next_step: NextStep::advice("it is a name without a dot"),
                    });
                }
            }
        }
        Ok(())
    }

    /// The fields of samples that the model needs, by its own names for them; empty where it takes none.
    pub(crate) fn needed_fields(&self, info: &ModelInfo) -> BTreeMap<String, String> {
        let Self::Apply(options) = self else {
            return BTreeMap::new();
        };
        if !info.knows(message::PREDICT_SAMPLES) {
            return BTreeMap::new();
        }
        let field = |name: &String| options.sample_fields.get(name).unwrap_or(name).clone();
        info.needed_fields
            .iter()
            .map(|name| (name.clone(), field(name)))
            .collect()
    }

    /// What of a dataset's labels is needed.
    pub(crate) fn selection(&self, info: &ModelInfo, dataset: &Dataset) -> Result<Selection, EngineError> {
        let fields: Vec<String> = match self {
            Self::Apply(options) => {
                let mut known: Vec<String> = dataset.fields()?.into_iter().map(|field| field.name).collect();
                known.dedup();
                // What the user has named must be there; what the model would like may be missing.
                let is_wanted = |(name, field): &(String, String)| {
                    !OWN_FACTS.contains(&field.as_str())
                        && (options.sample_fields.contains_key(name) || known.contains(field))
                };
                self.needed_fields(info)
                    .into_iter()
                    .filter(is_wanted)
                    .map(|(_, field)| without_frames(&field).to_owned())
                    .collect()
            }
            Self::Embed(_) => Vec::new(),
            Self::EmbedPatches(options) => vec![without_frames(&options.patches_field).to_owned()],
        };
        Ok(Selection::all().with_fields(fields))
    }
}

/// Facts of every sample that a model may need like a field.
pub(crate) const OWN_FACTS: [&str; 2] = ["filepath", "tags"];

/// A field's name without the prefix that says that it is one of frames.
pub(crate) fn without_frames(field: &str) -> &str {
    field.strip_prefix("frames.").unwrap_or(field)
}

/// What slices are like, where there are any.
fn facts_of_slicing(slicing: Slicing) -> Value {
    json!({
        "size": slicing.size.get(),
        "overlap": slicing.overlap.get(),
        "merging": slicing.merging.name(),
    })
}

/// Fields of a sample say something of it as a whole, and a video is none that could be cut.
fn check_slicing(options: &ApplyOptions, info: &ModelInfo) -> Result<(), EngineError> {
    let reason = match options.slicing {
        None => return Ok(()),
        Some(_) if info.media_type == MediaType::Video => {
            "takes whole videos; slices are cut from pictures and frames"
        }
        Some(_) if info.knows(message::PREDICT_SAMPLES) && !info.needed_fields.is_empty() => {
            "is given fields of whole pictures, which mean nothing for slices"
        }
        Some(_) => return Ok(()),
    };
    Err(EngineError::Unsupported(reason))
}

/// A class that the model does not know would leave nothing, and say nothing about it. A model that lists no classes may
/// know any.
fn check_classes(wanted: &[String], info: &ModelInfo) -> Result<(), EngineError> {
    let known = || info.classes.iter().map(String::as_str);
    let is_unknown = |class: &&String| !info.classes.is_empty() && !info.classes.contains(class);
    let Some(unknown) = wanted.iter().find(is_unknown) else {
        return Ok(());
    };
    Err(EngineError::InvalidOption {
        problem: format!(
            "the model has no class `{unknown}`{}",
            suggest::question(&suggest::nearest(unknown, known()))
        ),
        next_step: NextStep::ShowModel,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_that_the_model_knows() {
        let told = |wanted: &[&str], known: &[&str]| {
            let mut info = ModelInfo::default();
            info.classes = known.iter().map(|&name| name.to_owned()).collect();
            let options = ApplyOptions {
                classes: Some(wanted.iter().map(|&name| name.to_owned()).collect()),
                ..ApplyOptions::default()
            };
            Task::Apply(options)
                .check(&info)
                .map_err(|error| error.to_string())
        };
        assert_eq!(told(&["cat"], &["cat", "dog"]), Ok(()));
        assert_eq!(told(&["anything"], &[]), Ok(()));
        assert_eq!(
            told(&["dog", "Cat"], &["cat", "dog"]),
            Err("the model has no class `Cat`; did you mean `cat`?".to_owned())
        );
        assert_eq!(
            told(&["zebra"], &["cat", "dog"]),
            Err("the model has no class `zebra`".to_owned())
        );
    }
}

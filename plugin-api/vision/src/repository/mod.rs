//! A folder with a published model, and what its files of settings say.

mod classes;
mod config;
mod deployment;
mod imagenet;

pub(crate) use classes::class_names;
pub(crate) use config::Config;

use modelzoo_plugin_api::{Error, Result};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What a repository's settings are called.
const CONFIG: &str = "config.json";

/// Where a repository's preprocessing is described; a file of this list has precedence over those behind it.
const PROCESSORS: [&str; 2] = ["preprocessor_config.json", "processor_config.json"];

/// Whose conventions a repository follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// transformers: `model_type` says what the model is.
    HuggingFace,
    /// timm: `architecture` does.
    Timm,
    /// torchvision, described by a manifest: `entrypoint_fcn` does.
    Torchvision,
    /// A class or a function of the authors' own code, which `entrypoint_fcn` of a manifest names.
    Class,
}

/// A folder with a published model.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) folder: PathBuf,
    pub(crate) form: Form,
    pub(crate) config: Config,
    /// How pictures are prepared: Hugging Face's processor, or timm's `pretrained_cfg`.
    pub(crate) processor: Config,
}

impl Repository {
    /// The model that a manifest describes with `deployment`, FiftyOne's `TorchImageModelConfig`; `weights` is its file.
    ///
    /// # Errors
    /// When the description is malformed, or asks for code.
    pub(crate) fn described(weights: &Path, deployment: &Map<String, Value>) -> Result<Self> {
        deployment::read(weights, Config::of_manifest(deployment.clone()))
    }

    /// Whether it says nothing of how pictures are prepared, where its form has a file for that.
    pub(crate) fn lacks_processor(&self) -> bool {
        self.form == Form::HuggingFace && self.processor.keys().next().is_none()
    }

    /// Reads the settings in a folder.
    ///
    /// # Errors
    /// When the folder has no `config.json`, or its files do not say what the model is.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(CONFIG);
        if !path.is_file() {
            return Err(
                Error::new(format!("there is no {CONFIG} in {}", folder.display()))
                    .with_hint("a published model is a folder with config.json and its weights"),
            );
        }
        let config = Config::open(&path)?;
        // transformers' wrapper of timm's models has both keys, and is a timm model.
        let form = if config.has("architecture") {
            Form::Timm
        } else if config.has("model_type") {
            Form::HuggingFace
        } else {
            return Err(config
                .wrong("model_type", "the name of an architecture")
                .with_hint("files of transformers have `model_type`, files of timm have `architecture`"));
        };
        let processor = match form {
            Form::HuggingFace => hugging_face_processor(folder)?,
            // The old form has everything side by side.
            Form::Timm => config
                .section("pretrained_cfg")?
                .unwrap_or_else(|| config.clone()),
            Form::Torchvision | Form::Class => config.clone(),
        };
        Ok(Self {
            folder: folder.to_owned(),
            form,
            config,
            processor,
        })
    }
}

/// The settings of the image processor; none where the repository has none.
fn hugging_face_processor(folder: &Path) -> Result<Config> {
    for name in PROCESSORS {
        let path = folder.join(name);
        if path.is_file() {
            let config = Config::open(&path)?;
            // Files for several kinds of input have a section for each.
            return Ok(config.section("image_processor")?.unwrap_or(config));
        }
    }
    Ok(Config::empty(&folder.join(PROCESSORS[0])))
}

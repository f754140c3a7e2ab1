//! Manifests: what a source says about its models, in `manifest.json`.
//!
//! FiftyOne's manifests are read as they are; the additions are `requirements.modelzoo`, further ways to name a file
//! in `manager`, and `training_data`. Fields that are not known are kept and written back.
mod artifacts;
mod error;
mod license;
mod manager;
mod name;
mod oversights;
mod read;
mod requirements;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, path::Path};

pub use artifacts::{ArtifactBuild, Artifacts};
pub use error::{ManifestError, SelectError};
pub use license::is_any_license;
pub use manager::{Manager, Origin};
pub(crate) use name::resolve as resolve_name;
pub use name::{ModelName, compare_versions};
pub use oversights::{Oversight, OversightKind};
pub use requirements::{CpuRequirements, GpuRequirements, Package, PluginRequirements, Requirements};

use read::or_default;

/// The name of a manifest in its source.
pub const MANIFEST_FILE: &str = "manifest.json";

/// A manifest of this many bytes would describe some ten thousand models.
pub const LARGEST_MANIFEST: u64 = 8 * 1024 * 1024;

/// The content of a `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// A name for the source, as its author wrote it; nothing depends on it.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// Where the source is published, as its author wrote it.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub url: Option<String>,
    /// Where the plugin is that the author compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Artifacts>,
    /// The models, in the author's order.
    #[serde(default, deserialize_with = "or_default")]
    pub models: Vec<ModelEntry>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a manifest says about one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// The name without a version. It may contain `/` and dots, never `@`.
    #[serde(deserialize_with = "read::base_name")]
    pub base_name: String,
    /// The file or folder of the weights, relative to the folder where models of the source are kept.
    #[serde(
        default,
        deserialize_with = "read::base_filename",
        skip_serializing_if = "Option::is_none"
    )]
    pub base_filename: Option<String>,
    /// The version, in any form.
    #[serde(
        default,
        deserialize_with = "read::version",
        skip_serializing_if = "Option::is_none"
    )]
    pub version: Option<String>,
    /// Who made the model.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub author: Option<String>,
    /// Where the model is hosted.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub url: Option<String>,
    /// The licence, or several with commas between them.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub license: Option<String>,
    /// Where the model originally comes from.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub source: Option<String>,
    /// What the model is, in a sentence or two.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub description: Option<String>,
    /// Words to find the model by.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// How large the weights are on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When the model was added to the source, as written: a date, or a date and a time.
    #[serde(
        default,
        deserialize_with = "read::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub date_added: Option<String>,
    /// What the model needs to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Requirements>,
    /// Where the weights are. Without it, the plugin's `download_model` gets them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<Manager>,
    /// How FiftyOne builds the model without the source's code: see [`ModelEntry::torch_image_model`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_deployment_config_dict: Option<DeploymentConfig>,
    /// The datasets that the model was trained on.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub training_data: Vec<TrainingData>,
    /// A file of the source with what the model says of some pictures: JSON Lines, as `apply` or `embed` write them.
    #[serde(
        default,
        deserialize_with = "read::expected",
        skip_serializing_if = "Option::is_none"
    )]
    pub expected: Option<String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A class by its full name and the configuration to build it from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentConfig {
    /// The full name of a Python class.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its configuration.
    #[serde(default, deserialize_with = "or_default")]
    pub config: Map<String, Value>,
}

/// A dataset that a model was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingData {
    /// The dataset's name.
    pub name: String,
    /// Where it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl ModelEntry {
    /// Whether there is something to download. A model that names neither a file nor a manager has no weights.
    pub fn has_weights(&self) -> bool {
        self.manager.is_some() || self.base_filename.is_some()
    }

    /// The configuration of a model that needs no code of the source: what the manifest says to the class
    /// `TorchImageModel` of FiftyOne, or a like one. `None` where it names another class, or none.
    pub fn torch_image_model(&self) -> Option<&Map<String, Value>> {
        const CLASSES: [&str; 3] = ["TorchImageModel", "TorchvisionImageModel", "CandleImageModel"];
        let deployment = self.default_deployment_config_dict.as_ref()?;
        let class = deployment.type_name.rsplit('.').next()?;
        let is_known = CLASSES.contains(&class.trim_end_matches("Config"));
        is_known.then_some(&deployment.config)
    }

    /// What the weights are called in the model's folder: the manifest's `base_filename`, or a name for models that
    /// have none.
    pub fn weights_name(&self) -> &str {
        self.base_filename.as_deref().unwrap_or("weights")
    }
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, is larger than [`LARGEST_MANIFEST`], is not UTF-8, is not JSON or has a field of a
    /// wrong type: with the path, and line and column where there are such.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        read::load(path)
    }

    /// Reads the text of a manifest; `path` is for messages.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub fn parse(content: &[u8], path: &Path) -> Result<Self, ManifestError> {
        read::parse(content, path)
    }

    /// The model that `wanted` names: `base_name@version`, or a base name alone for its newest version.
    /// Without a name, the only model there is.
    ///
    /// # Errors
    /// An unknown name, with suggestions; no name where there are several models, or none at all.
    pub fn select(&self, wanted: Option<&str>) -> Result<&ModelEntry, SelectError> {
        let entries = || self.models.iter();
        match wanted {
            Some(wanted) => name::resolve(wanted, entries(), ModelEntry::model_name)
                .ok_or_else(|| SelectError::unknown(wanted, entries().map(ModelEntry::name))),
            None => {
                let Some(first) = self.models.first() else {
                    return Err(SelectError::NoModels);
                };
                if entries().any(|entry| entry.base_name != first.base_name) {
                    return Err(SelectError::NameNeeded {
                        names: entries().map(ModelEntry::name).collect(),
                    });
                }
                Ok(name::resolve(&first.base_name, entries(), ModelEntry::model_name).unwrap_or(first))
            }
        }
    }
}

/// Names that several of `models` have, each once, sorted. The first entry of a name counts; the others cannot be
/// reached.
pub fn duplicate_names<'a>(models: impl IntoIterator<Item = &'a ModelEntry>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    models
        .into_iter()
        .map(ModelEntry::name)
        .filter(|name| !seen.insert(name.clone()))
        .collect()
}

impl ModelEntry {
    /// `base_name`, or `base_name@version`: the name by which the model is known, and which its plugin is given.
    pub fn name(&self) -> String {
        self.model_name().to_string()
    }

    /// The same in its parts.
    pub fn model_name(&self) -> ModelName<'_> {
        ModelName {
            base: &self.base_name,
            version: self.version.as_deref(),
        }
    }

    /// The licences, split at commas and without spaces around them.
    pub fn licenses(&self) -> impl Iterator<Item = &str> {
        self.license
            .iter()
            .flat_map(|license| license.split(','))
            .map(str::trim)
            .filter(|part| !part.is_empty())
    }

    /// Whether all of `tags` are among the model's.
    pub fn has_tags<S: AsRef<str>>(&self, tags: &[S]) -> bool {
        tags.iter()
            .all(|tag| self.tags.iter().any(|own| own == tag.as_ref()))
    }

    /// Whether any of `licenses` is among the model's: see [`is_any_license`].
    pub fn has_any_license<S: AsRef<str>>(&self, licenses: &[S]) -> bool {
        is_any_license(self.licenses(), licenses)
    }
}

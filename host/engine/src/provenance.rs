//! Where a model comes from.

use crate::Calibrated;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where a model comes from, by content: enough to have the very same again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    /// The source, however it was spelt: `github.com/user/repo`, an absolute path.
    pub source: String,
    /// Its commit, where it has one.
    pub commit: Option<String>,
    /// The hash of its files.
    pub tree_hash: String,
    /// The model's name, with its version where it has one.
    pub model: String,
    /// The SHA-256 of the built plugin; `None` where that is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_sha256: Option<String>,
    /// The SHA-256 of the archive that the plugin came in, where its author compiled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prebuilt_sha256: Option<String>,
    /// Name and version of the plugin where it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_in: Option<String>,
    /// The SHA-256 of each file of the weights, by its name.
    pub weights_sha256: BTreeMap<String, String>,
    /// The options that it is loaded with.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// How it was calibrated, where it is computed on bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibrated>,
}

use crate::LogLevel;
use serde::{Deserialize, Serialize};

/// What a plugin was built with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginDescription {
    /// The version of `modelzoo-plugin-api`.
    pub api_version: String,
    /// The methods that concern the plugin as a whole.
    pub methods: Vec<String>,
}

/// The message of `log/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// The message of `progress/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub step: String,
    /// How much is done, in some unit.
    pub done: u64,
    /// How much there is, in the same unit, where it is known.
    pub total: Option<u64>,
}

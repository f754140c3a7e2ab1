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

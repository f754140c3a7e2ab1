//! Where plugins come from.
use serde::Deserialize;
use std::{fmt, str::FromStr};

/// Where the plugin of a source comes from: `auto`, `prebuilt` or `build`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum PluginOrigin {
    /// The one that its author compiled, where the source offers one that fits; else it is built.
    #[default]
    Auto,
    /// The one that its author compiled, or none.
    Prebuilt,
    /// It is built here from its source.
    Build,
}

impl fmt::Display for PluginOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Prebuilt => "prebuilt",
            Self::Build => "build",
        })
    }
}

impl FromStr for PluginOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Auto, Self::Prebuilt, Self::Build]
            .into_iter()
            .find(|origin| origin.to_string() == text)
            .ok_or_else(|| format!("a plugin's origin is auto, prebuilt or build, and not {text:?}"))
    }
}

impl TryFrom<String> for PluginOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for origin in [PluginOrigin::Auto, PluginOrigin::Prebuilt, PluginOrigin::Build] {
            assert_eq!(origin.to_string().parse(), Ok(origin));
        }
        assert!("source".parse::<PluginOrigin>().unwrap_err().contains("source"));
    }
}

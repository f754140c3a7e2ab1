//! `requirements`: what a model needs to run.
use super::read::or_default;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, Error as _},
};
use serde_json::{Map, Value};
use std::fmt;

/// What a model needs to run. The packages are Python's and mean nothing to a plugin: they are shown, not checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requirements {
    /// Python packages.
    #[serde(default, deserialize_with = "packages", skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// What running without a GPU needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuRequirements>,
    /// What running on a GPU needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuRequirements>,
    /// What the plugin needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modelzoo: Option<PluginRequirements>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What running on the CPU needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuRequirements {
    /// Whether it is possible; unknown when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<bool>,
    /// Further Python packages.
    #[serde(default, deserialize_with = "packages", skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What running on a GPU needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GpuRequirements {
    /// Whether it is possible; unknown when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<bool>,
    /// Further Python packages.
    #[serde(default, deserialize_with = "packages", skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// A specifier like `>=11,<13`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda_version: Option<String>,
    /// A specifier like `>=8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cudnn_version: Option<String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a plugin needs of the host and the machine; checked before anything is downloaded or built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginRequirements {
    /// The lowest version of modelzoo's plugin API, such as `0.1` or `0.1.2`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "api_version"
    )]
    pub min_api_version: Option<semver::Version>,
    /// The target triples that the plugin supports; empty means all.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub targets: Vec<String>,
    /// Cargo features of the plugin's crate that must be on.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub features: Vec<String>,
    /// Libraries that must be installed, by the name for the linker: `ssl` for `libssl.so`.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub system_libraries: Vec<String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Requirements {
    /// Whether the manifest says that the model cannot run without a GPU.
    pub fn needs_gpu(&self) -> bool {
        self.cpu.as_ref().and_then(|cpu| cpu.support) == Some(false)
    }
}

/// A Python package, or several of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Requirement specifiers, such as `torch>=2`.
    pub any_of: Vec<String>,
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.any_of.join("|"))
    }
}

impl Serialize for Package {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Package {
    fn parse(text: &str) -> Option<Self> {
        let any_of: Vec<String> = text
            .split('|')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        (!any_of.is_empty()).then_some(Self { any_of })
    }
}

/// Packages are written as a list, as one text with commas, or as a Python function that returns them.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "packages must be a list of texts, or one text with commas"
)]
enum WrittenPackages {
    List(Vec<String>),
    Text(String),
    /// Cannot be called here, and has no meaning for a plugin.
    #[allow(dead_code, reason = "only its shape is checked")]
    Function {
        entrypoint_fcn: String,
    },
}

fn packages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Package>, D::Error> {
    let items = match Option::<WrittenPackages>::deserialize(deserializer)? {
        None | Some(WrittenPackages::Function { .. }) => Vec::new(),
        Some(WrittenPackages::List(items)) => items,
        Some(WrittenPackages::Text(text)) => split_at_commas(&text),
    };
    Ok(items.iter().filter_map(|item| Package::parse(item)).collect())
}

/// Splits `torch>=1,<2, pillow[x,y]` into its two requirements: a comma inside brackets, or before a further
/// condition, separates nothing.
fn split_at_commas(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut depth = 0usize;
    for piece in text.split(',') {
        let continues = depth > 0 || piece.trim_start().starts_with(['<', '>', '=', '!', '~']);
        match items.last_mut() {
            Some(item) if continues => {
                item.push(',');
                item.push_str(piece.trim());
            }
            _ => items.push(piece.trim().to_owned()),
        }
        depth = (depth + piece.matches('[').count()).saturating_sub(piece.matches(']').count());
    }
    items
}

fn api_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<semver::Version>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let zeros = 2usize.saturating_sub(text.matches('.').count());
    let full = format!("{text}{}", ".0".repeat(zeros));
    semver::Version::parse(&full)
        .map(Some)
        .map_err(|error| D::Error::custom(format!("min_api_version `{}`: {error}", text.escape_debug())))
}

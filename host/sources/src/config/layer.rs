//! One layer of configuration as it is written: everything optional, nothing unknown.
use super::{ConfigError, Mirrors, PluginOrigin};
use modelzoo_base::{Sandbox, memory::MemoryBudget, suggest};
use modelzoo_plugin_api::Device;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    str::FromStr,
};

/// Names another address of the hub of models, as the hub's own programs understand it.
const HUB_ENDPOINT: &str = "HF_ENDPOINT";
/// The hub's own address.
const HUB: &str = "https://huggingface.co/";

/// What one file or the environment says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Layer {
    pub(super) mirrors: Mirrors,
    pub(super) github: GithubLayer,
    pub(super) download: DownloadLayer,
    pub(super) plugin: PluginLayer,
    pub(super) trust: TrustLayer,
    pub(super) model_zoo_manifest_paths: Option<Vec<PathBuf>>,
    pub(super) default_device: Option<Device>,
    pub(super) default_batch_size: Option<NonZeroUsize>,
    pub(super) default_memory: Option<MemoryBudget>,
    pub(super) requirement_error_level: Option<ErrorLevel>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GithubLayer {
    pub(super) hosts: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DownloadLayer {
    pub(super) retries: Option<u32>,
    pub(super) stall_timeout_seconds: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PluginLayer {
    pub(super) stall_timeout_seconds: Option<u32>,
    pub(super) sandbox: Option<Sandbox>,
    pub(super) origin: Option<PluginOrigin>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TrustLayer {
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
    pub(super) minimum_age_days: u32,
    pub(super) require_signature: bool,
    pub(super) keys: BTreeMap<String, String>,
}

/// 0 raise, 1 warn, 2 ignore.
#[derive(Debug, Deserialize)]
#[serde(try_from = "u8")]
pub(super) struct ErrorLevel(pub(super) u8);

impl TryFrom<u8> for ErrorLevel {
    type Error = String;

    fn try_from(level: u8) -> Result<Self, Self::Error> {
        if level <= 2 {
            Ok(Self(level))
        } else {
            Err(format!("{level} is no error level: expected 0, 1 or 2"))
        }
    }
}

impl Layer {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of the file `path`; relative paths in it mean that file's folder, `~/` the home folder.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut layer: Self = toml::from_str(text).map_err(|error| located(&error, text, path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for manifest in layer.model_zoo_manifest_paths.iter_mut().flatten() {
            *manifest = match (manifest.strip_prefix("~"), std::env::home_dir()) {
                (Ok(rest), Some(home)) => home.join(rest),
                _ => folder.join(&*manifest),
            };
        }
        Ok(layer)
    }

    /// Reads the `MODELZOO_*` variables that are settings; empty ones count as unset.
    pub(super) fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let get = |variable| get(variable).filter(|value| !value.is_empty());
        let mut mirrors = Mirrors::default();
        if let Some(endpoint) = parsed(&get, HUB_ENDPOINT, hub_endpoint)? {
            mirrors.insert(HUB, endpoint);
        }
        Ok(Self {
            mirrors,
            github: GithubLayer {
                hosts: parsed(&get, "MODELZOO_GITHUB_HOSTS", |text| Ok(names(text)))?,
            },
            download: DownloadLayer {
                retries: parsed(&get, "MODELZOO_DOWNLOAD_RETRIES", value)?,
                stall_timeout_seconds: parsed(&get, "MODELZOO_DOWNLOAD_STALL_TIMEOUT_SECONDS", value)?,
            },
            plugin: PluginLayer {
                stall_timeout_seconds: parsed(&get, "MODELZOO_PLUGIN_STALL_TIMEOUT_SECONDS", value)?,
                sandbox: parsed(&get, "MODELZOO_PLUGIN_SANDBOX", value)?,
                origin: parsed(&get, "MODELZOO_PLUGIN_ORIGIN", value)?,
            },
            model_zoo_manifest_paths: get("MODELZOO_MODEL_ZOO_MANIFEST_PATHS")
                .map(|paths| std::env::split_paths(&paths).collect()),
            default_device: parsed(&get, "MODELZOO_DEFAULT_DEVICE", value)?,
            default_batch_size: parsed(&get, "MODELZOO_DEFAULT_BATCH_SIZE", value)?,
            default_memory: parsed(&get, "MODELZOO_DEFAULT_MEMORY", value)?,
            requirement_error_level: parsed(&get, "MODELZOO_REQUIREMENT_ERROR_LEVEL", |text| {
                value::<u8>(text)?.try_into()
            })?,
            ..Self::default()
        })
    }
}

/// The value of `variable`, if it is set, understood by `parse`.
fn parsed<T>(
    get: &impl Fn(&'static str) -> Option<OsString>,
    variable: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let Some(value) = get(variable) else {
        return Ok(None);
    };
    let invalid = |problem| ConfigError::Environment {
        variable,
        value: value.to_string_lossy().into_owned(),
        problem,
    };
    let text = value
        .to_str()
        .ok_or_else(|| invalid("it is no valid Unicode".to_owned()))?;
    parse(text.trim()).map(Some).map_err(invalid)
}

/// An address as the beginning of URLs.
fn hub_endpoint(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("http" | "https", host)) if !host.is_empty() => Ok(format!("{}/", text.trim_end_matches('/'))),
        _ => Err("an address begins with https:// or http://".to_owned()),
    }
}

fn value<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn names(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `error` with its place in the file, and what was probably meant.
fn located(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ConfigError::Invalid {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: error.message().to_owned(),
        suggestion: probably_meant(error.message()),
    }
}

/// The expected name that is most like the unknown one: serde's message for an unknown field has that one, and then
/// all that would be right, in backquotes.
fn probably_meant(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    suggest::nearest(unknown, quoted).into_iter().next()
}

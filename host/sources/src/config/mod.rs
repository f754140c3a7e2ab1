//! The configuration: TOML files and environment variables, layered and typed.
//!
//! Later layers win: `/etc/modelzoo/config.toml`, the user's `modelzoo/config.toml` in the XDG configuration folder,
//! the file that `MODELZOO_CONFIG` names, and `MODELZOO_*` variables. Tables are merged key by key. The trust policy
//! is the exception: each layer can make it stricter, none looser (lists add up, the longest age and any required
//! signature hold).
mod error;
mod layer;
mod mirrors;
mod origin;

use etcetera::BaseStrategy as _;
use modelzoo_base::{Sandbox, memory::MemoryBudget};
use modelzoo_plugin_api::Device;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

pub use error::ConfigError;
pub use mirrors::Mirrors;
pub use origin::PluginOrigin;

use layer::Layer;

/// Where the administrator of a machine puts the configuration for all its users.
#[cfg(unix)]
const SYSTEM_FILE: &str = "/etc/modelzoo/config.toml";

/// Names a configuration file that wins over the system's and the user's.
pub const CONFIG_VARIABLE: &str = "MODELZOO_CONFIG";

/// All settings, with their defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// URL prefixes that are reached through a mirror.
    pub mirrors: Mirrors,
    /// GitHub and its Enterprise hosts.
    pub github: GithubConfig,
    /// How files are downloaded.
    pub download: DownloadConfig,
    /// How plugins are run.
    pub plugin: PluginConfig,
    /// Whose code may run.
    pub trust: TrustPolicy,
    /// Manifests of one's own models, each loadable by name.
    pub model_zoo_manifest_paths: Vec<PathBuf>,
    /// The device for models when the command line names none: `auto`, `cpu`, `cuda`, `cuda:N` or `metal`.
    pub default_device: Device,
    /// The batch size when neither the command line nor the model says one.
    pub default_batch_size: Option<NonZeroUsize>,
    /// How many bytes of pictures a run holds at a time when the command line does not say it.
    pub default_memory: Option<MemoryBudget>,
    /// What an unmet requirement of a model is: 0 an error, 1 a warning, 2 nothing.
    pub requirement_error_level: u8,
}

/// GitHub's own hosts are known; these are further ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GithubConfig {
    /// Hosts of GitHub Enterprise, such as `github.example.com`: addresses there are read as GitHub's, and
    /// `GITHUB_TOKEN` is sent to them.
    pub hosts: Vec<String>,
}

/// How files are downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadConfig {
    /// How often a URL is tried again after attempts that brought nothing.
    pub retries: u32,
    /// How long a connection may bring nothing before it counts as broken.
    pub stall_timeout: Duration,
}

impl Default for DownloadConfig {
    fn default() -> Self {
        Self {
            retries: 5,
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// How plugins are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfig {
    /// How long a plugin in a process of its own may give no sign of life before the process is ended;
    /// [`Duration::MAX`] waits for ever.
    pub stall_timeout: Duration,
    /// Whether a plugin in a process of its own is shut in, and FFmpeg.
    pub sandbox: Sandbox,
    /// Where plugins come from.
    pub origin: PluginOrigin,
}

impl PluginConfig {
    /// The time that a user writes as seconds, of which 0 are for ever.
    pub fn stall_timeout(seconds: u32) -> Duration {
        match seconds {
            0 => Duration::MAX,
            seconds => Duration::from_secs(seconds.into()),
        }
    }
}

impl Default for PluginConfig {
    fn default() -> Self {
        Self {
            // A large model on a slow machine thinks for minutes, and has no way to say so.
            stall_timeout: Duration::from_secs(600),
            sandbox: Sandbox::default(),
            origin: PluginOrigin::default(),
        }
    }
}

/// Whose code may run. Entries name an owner (`github.com/acme`) or a source (`github.com/acme/repo`); `acme` and
/// `acme/repo` mean GitHub's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustPolicy {
    /// Owners and sources that run without a question.
    pub allow: Vec<String>,
    /// Owners and sources that never run. Wins over everything else.
    pub deny: Vec<String>,
    /// How many days old a commit must be before its code runs; a stolen account is mostly noticed within days.
    pub minimum_age_days: u32,
    /// Whether a source without a key in `keys` is refused.
    pub require_signature: bool,
    /// Minisign public keys by owner or source. Where one is given, a source must bear its valid signature.
    pub keys: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mirrors: Mirrors::default(),
            github: GithubConfig::default(),
            download: DownloadConfig::default(),
            plugin: PluginConfig::default(),
            trust: TrustPolicy::default(),
            model_zoo_manifest_paths: Vec::new(),
            default_device: Device::Auto,
            default_batch_size: None,
            default_memory: None,
            requirement_error_level: 0,
        }
    }
}

impl Config {
    /// The configuration of this process: the files that exist, then the environment.
    ///
    /// A file named by `MODELZOO_CONFIG` has to exist; the others need not.
    pub fn load() -> Result<Self, ConfigError> {
        let named = std::env::var_os(CONFIG_VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        let mut files: Vec<PathBuf> = Self::default_files()
            .into_iter()
            .filter(|file| file.exists())
            .collect();
        files.extend(named);
        Self::from_layers(&files, |variable| std::env::var_os(variable))
    }

    /// Where configuration is looked for besides `MODELZOO_CONFIG`, the weakest first.
    pub fn default_files() -> Vec<PathBuf> {
        #[cfg(unix)]
        let mut files = vec![PathBuf::from(SYSTEM_FILE)];
        #[cfg(not(unix))]
        let mut files = Vec::new();
        if let Ok(strategy) = etcetera::choose_base_strategy() {
            files.push(strategy.config_dir().join("modelzoo").join("config.toml"));
        }
        files
    }

    /// The configuration from exactly these files, the weakest first, and these environment variables.
    pub fn from_layers(
        files: &[PathBuf],
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for file in files {
            config.apply(Layer::read(file)?);
        }
        config.apply(Layer::from_environment(environment)?);
        Ok(config)
    }

    /// The configuration that a text in TOML says, as if it were the file `path`.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        config.apply(Layer::parse(text, path)?);
        Ok(config)
    }

    fn apply(&mut self, layer: Layer) {
        self.mirrors.extend(layer.mirrors);
        replace(&mut self.github.hosts, layer.github.hosts);
        replace(&mut self.download.retries, layer.download.retries);
        replace(
            &mut self.download.stall_timeout,
            layer
                .download
                .stall_timeout_seconds
                .map(|seconds| Duration::from_secs(u64::from(seconds.get()))),
        );
        replace(
            &mut self.plugin.stall_timeout,
            layer
                .plugin
                .stall_timeout_seconds
                .map(PluginConfig::stall_timeout),
        );
        replace(&mut self.plugin.sandbox, layer.plugin.sandbox);
        replace(&mut self.plugin.origin, layer.plugin.origin);
        replace(&mut self.model_zoo_manifest_paths, layer.model_zoo_manifest_paths);
        replace(&mut self.default_device, layer.default_device);
        replace(&mut self.default_batch_size, layer.default_batch_size.map(Some));
        replace(&mut self.default_memory, layer.default_memory.map(Some));
        replace(
            &mut self.requirement_error_level,
            layer.requirement_error_level.map(|level| level.0),
        );

        self.trust.allow.extend(layer.trust.allow);
        self.trust.deny.extend(layer.trust.deny);
        self.trust.minimum_age_days = self.trust.minimum_age_days.max(layer.trust.minimum_age_days);
        self.trust.require_signature |= layer.trust.require_signature;
        for (pattern, key) in layer.trust.keys {
            self.trust.keys.entry(pattern).or_insert(key);
        }
    }
}

fn replace<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

#[cfg(test)]
mod tests;

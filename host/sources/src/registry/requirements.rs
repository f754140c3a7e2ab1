//! What a model lacks on this machine.
use super::Machine;
use crate::manifest::{ModelEntry, compare_versions};
use std::{cmp::Ordering, fmt};

/// A requirement of a model that the machine does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmet {
    /// The plugin was written for a newer modelzoo.
    ApiVersion {
        /// The lowest version of the plugin API.
        needed: semver::Version,
        /// The version of this host.
        found: semver::Version,
    },
    /// The plugin does not support this kind of machine.
    Target {
        /// The target triples that it supports.
        supported: Vec<String>,
        /// The one of this machine.
        found: String,
    },
    /// A Cargo feature that this host does not turn on.
    Feature {
        /// Its name.
        name: String,
    },
    /// A system library that is not installed.
    SystemLibrary {
        /// Its name for the linker.
        name: String,
    },
    /// The model runs on GPUs only, and there is none.
    Gpu,
    /// Another version of CUDA or cuDNN.
    GpuLibrary {
        /// `CUDA` or `cuDNN`.
        library: &'static str,
        /// The specifier, such as `>=11`.
        needed: String,
        /// What is installed, if it is known.
        found: Option<String>,
    },
}

impl fmt::Display for Unmet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiVersion { needed, found } => {
                write!(
                    formatter,
                    "version {needed} of modelzoo's plugin API is needed, but this one has {found}"
                )
            }
            Self::Target { supported, found } => {
                write!(
                    formatter,
                    "the plugin supports {}, not {found}",
                    supported.join(", ")
                )
            }
            Self::Feature { name } => write!(
                formatter,
                "the Cargo feature `{name}` is needed, which is not on here"
            ),
            Self::SystemLibrary { name } => {
                write!(formatter, "the system library lib{name} is not installed")
            }
            Self::Gpu => formatter.write_str("it does not run without a GPU, and no GPU was found"),
            Self::GpuLibrary {
                library,
                needed,
                found: Some(found),
            } => {
                write!(formatter, "{library}{needed} is needed, but {found} was found")
            }
            Self::GpuLibrary {
                library,
                needed,
                found: None,
            } => {
                write!(formatter, "{library}{needed} is needed, and none was found")
            }
        }
    }
}

/// What `model` requires and `machine` lacks, before anything of it is downloaded. Python packages are not looked for:
/// a plugin does not use them.
pub fn check_requirements(model: &ModelEntry, machine: &Machine) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    let Some(requirements) = &model.requirements else {
        return unmet;
    };
    if let Some(plugin) = &requirements.modelzoo {
        if let Some(needed) = plugin
            .min_api_version
            .clone()
            .filter(|needed| *needed > machine.api_version)
        {
            unmet.push(Unmet::ApiVersion {
                needed,
                found: machine.api_version.clone(),
            });
        }
        if !plugin.targets.is_empty() && !plugin.targets.contains(&machine.target) {
            unmet.push(Unmet::Target {
                supported: plugin.targets.clone(),
                found: machine.target.clone(),
            });
        }
        let missing = plugin
            .features
            .iter()
            .filter(|feature| !machine.features.contains(feature));
        unmet.extend(missing.map(|name| Unmet::Feature { name: name.clone() }));
        let missing = plugin
            .system_libraries
            .iter()
            .filter(|library| !machine.has_library(library));
        unmet.extend(missing.map(|name| Unmet::SystemLibrary { name: name.clone() }));
    }
    match (&machine.gpu, &requirements.gpu) {
        (None, _) if requirements.needs_gpu() => unmet.push(Unmet::Gpu),
        (Some(gpu), Some(needs)) if gpu.is_nvidia => {
            let libraries = [
                ("CUDA", &needs.cuda_version, &gpu.cuda_version),
                ("cuDNN", &needs.cudnn_version, &gpu.cudnn_version),
            ];
            for (library, needed, found) in libraries {
                if let Some(needed) = needed
                    && !found.as_ref().is_some_and(|found| version_fits(found, needed))
                {
                    unmet.push(Unmet::GpuLibrary {
                        library,
                        needed: needed.clone(),
                        found: found.clone(),
                    });
                }
            }
        }
        _ => {}
    }
    unmet
}

/// Whether a version fits a specifier: conditions with commas between them, all of which hold. `==11.*` fits 11 and all
/// of its minor versions; a bare version means `==`. What is no condition does not fit.
fn version_fits(version: &str, specifier: &str) -> bool {
    specifier
        .split(',')
        .map(str::trim)
        .filter(|condition| !condition.is_empty())
        .all(|condition| {
            let end = condition
                .find(|c: char| !"<>=!~".contains(c))
                .unwrap_or(condition.len());
            let (operator, wanted) = condition.split_at(end);
            let wanted = wanted.trim();
            let order = compare_versions(version, wanted);
            match (operator, wanted.strip_suffix(".*")) {
                ("" | "==" | "===", Some(prefix)) => starts_with(version, prefix),
                ("!=", Some(prefix)) => !starts_with(version, prefix),
                ("" | "==" | "===", None) => order == Ordering::Equal,
                ("!=", None) => order != Ordering::Equal,
                (">=", None) => order.is_ge(),
                (">", None) => order.is_gt(),
                ("<=", None) => order.is_le(),
                ("<", None) => order.is_lt(),
                // `~=1.4` means at least 1.4, and some 1.
                ("~=", None) => {
                    order.is_ge()
                        && wanted
                            .rsplit_once('.')
                            .is_some_and(|(prefix, _)| starts_with(version, prefix))
                }
                _ => false,
            }
        })
}

fn starts_with(version: &str, prefix: &str) -> bool {
    version
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_are_understood() {
        for (version, specifier, fits) in [
            ("12.4", ">=11,<13", true),
            ("12.4", ">=12.10", false),
            ("11.8", "==11.*", true),
            ("118.0", "==11.*", false),
            ("11.8", "11.8", true),
            ("11.8", "!=11.8", false),
            ("11.8", "~=11.2", true),
            ("12.0", "~=11.2", false),
            ("12.0", "", true),
            ("12.0", "recent", false),
            ("12.0", "> 11", true),
        ] {
            assert_eq!(version_fits(version, specifier), fits, "{version} {specifier}");
        }
    }
}

//! Why does it not work here? Checks of what modelzoo needs from the machine, each with what to do about it.
//!
//! Nothing is changed but a temporary file in the store, and no program does more than tell its version.
mod machine;
mod network;
mod store;
mod tools;

use serde::Serialize;
use std::{borrow::Cow, fmt, path::Path};

pub use machine::{Machine, ThisMachine};
pub use network::PROXY_VARIABLES;

use crate::config::{Config, ConfigError};

/// How one thing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: Cow<'static, str>,
    /// Whether it will do.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// What to do about it; always there when the verdict is not [`Verdict::Good`].
    pub remedy: Option<String>,
}

/// Whether something will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is as it should be.
    Good,
    /// Something will be missing or slower.
    Warning,
    /// No model can be loaded or downloaded.
    Bad,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        })
    }
}

impl Check {
    /// Something that is as it should be.
    pub fn good(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verdict: Verdict::Good,
            detail: detail.into(),
            remedy: None,
        }
    }

    /// Something that will be missing or slower.
    pub fn warning(
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::wanting(Verdict::Warning, name.into(), detail.into(), remedy.into())
    }

    /// Something without which nothing works.
    pub fn bad(
        name: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::wanting(Verdict::Bad, name.into(), detail.into(), remedy.into())
    }

    fn wanting(verdict: Verdict, name: Cow<'static, str>, detail: String, remedy: String) -> Self {
        Self {
            name,
            verdict,
            detail,
            remedy: Some(remedy),
        }
    }
}

/// Looks at everything, in the order in which it should be repaired. `store_root` and `data_dir` need not exist yet.
pub fn examine(
    machine: &dyn Machine,
    config: Result<&Config, &ConfigError>,
    store_root: &Path,
    data_dir: &Path,
) -> Vec<Check> {
    let mut checks = vec![configuration(machine, config)];
    checks.extend(store::checks(store_root, data_dir));
    checks.extend(tools::checks(machine));
    checks.extend(network::checks(machine, config.ok()));
    checks
}

fn configuration(machine: &dyn Machine, config: Result<&Config, &ConfigError>) -> Check {
    let name = "configuration";
    if let Err(error) = config {
        return Check::bad(name, error.to_string(), "correct the file or the variable");
    }
    let named = machine.variable(crate::config::CONFIG_VARIABLE).map(Into::into);
    let files: Vec<String> = Config::default_files()
        .into_iter()
        .chain(named)
        .filter(|file| file.exists())
        .map(|file| file.display().to_string())
        .collect();
    Check::good(
        name,
        if files.is_empty() {
            "the defaults".to_owned()
        } else {
            files.join(", ")
        },
    )
}

#[cfg(test)]
mod tests;

//! Whether other people's code is shut in.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Whether a process that runs other people's code is shut in: `auto`, `on` or `off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sandbox {
    /// With all layers that this system has.
    #[default]
    Auto,
    /// With all layers, or not started: it is refused where one of them cannot be had.
    On,
    /// It is not, and may do whatever the user may.
    Off,
}

impl fmt::Display for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

impl FromStr for Sandbox {
    type Err = UnknownSandbox;

    fn from_str(text: &str) -> Result<Self, UnknownSandbox> {
        [Self::Auto, Self::On, Self::Off]
            .into_iter()
            .find(|sandbox| sandbox.to_string() == text)
            .ok_or_else(|| UnknownSandbox(text.to_owned()))
    }
}

impl TryFrom<String> for Sandbox {
    type Error = UnknownSandbox;

    fn try_from(text: String) -> Result<Self, UnknownSandbox> {
        text.parse()
    }
}

impl From<Sandbox> for String {
    fn from(sandbox: Sandbox) -> Self {
        sandbox.to_string()
    }
}

/// A text that is none of `auto`, `on` and `off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSandbox(String);

impl fmt::Display for UnknownSandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a sandbox is auto, on or off, and not {:?}", self.0)
    }
}

impl std::error::Error for UnknownSandbox {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for sandbox in [Sandbox::Auto, Sandbox::On, Sandbox::Off] {
            assert_eq!(sandbox.to_string().parse(), Ok(sandbox));
        }
        assert!(
            "always"
                .parse::<Sandbox>()
                .unwrap_err()
                .to_string()
                .contains("always")
        );
    }
}

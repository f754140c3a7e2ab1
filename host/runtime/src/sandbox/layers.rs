//! The layers of the sandbox, and which of them are in force.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One layer of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SandboxLayer {
    /// Which files and folders can be opened (Landlock, since Linux 5.13).
    Files,
    /// To which processes signals can be sent (Landlock, since Linux 6.12).
    Signals,
    /// Network, programs, other processes and the kernel's own affairs are out of reach (a filter of system calls).
    SystemCalls,
    /// How much memory, how many files, and how large ones; nothing of what root may do beyond a user.
    Limits,
}

impl SandboxLayer {
    /// All layers, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Files, Self::Signals, Self::SystemCalls, Self::Limits];

    /// Its name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Signals => "signals",
            Self::SystemCalls => "system calls",
            Self::Limits => "limits",
        }
    }
}

impl fmt::Display for SandboxLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which layers of the sandbox are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxReport {
    /// Those in force, in the order of [`SandboxLayer::ALL`].
    pub in_force: Vec<SandboxLayer>,
}

impl SandboxReport {
    /// The layers that are not in force, in the order of [`SandboxLayer::ALL`].
    pub fn missing(&self) -> Vec<SandboxLayer> {
        SandboxLayer::ALL
            .into_iter()
            .filter(|layer| !self.in_force.contains(layer))
            .collect()
    }
}

impl fmt::Display for SandboxReport {
    /// `files, signals, system calls, limits`; `none` where there is none.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.in_force.split_first() {
            None => formatter.write_str("none"),
            Some((first, rest)) => {
                write!(formatter, "{first}")?;
                rest.iter().try_for_each(|layer| write!(formatter, ", {layer}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_told_in_their_order() {
        let report = SandboxReport {
            in_force: vec![SandboxLayer::Files, SandboxLayer::SystemCalls],
        };
        assert_eq!(report.to_string(), "files, system calls");
        assert_eq!(report.missing(), [SandboxLayer::Signals, SandboxLayer::Limits]);
        assert_eq!(SandboxReport::default().to_string(), "none");
    }
}

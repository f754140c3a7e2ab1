//! The layers of the sandbox, and which of them are in force.

use super::Conduct;
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
    /// Processes, network and mounts of their own, in which nothing that was there before can be changed, and no process
    /// stays behind (namespaces). For what starts programs; others have no need of it.
    Namespaces,
}

impl SandboxLayer {
    /// The layers around a process of this kind, in the order in which they are told.
    pub fn around(conduct: Conduct) -> &'static [Self] {
        const ALL: [SandboxLayer; 5] = [
            SandboxLayer::Files,
            SandboxLayer::Signals,
            SandboxLayer::SystemCalls,
            SandboxLayer::Limits,
            SandboxLayer::Namespaces,
        ];
        match conduct {
            Conduct::StartsPrograms => &ALL,
            Conduct::Computes | Conduct::IsOneProgram => &ALL[..4],
        }
    }

    /// Its name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Signals => "signals",
            Self::SystemCalls => "system calls",
            Self::Limits => "limits",
            Self::Namespaces => "namespaces",
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
    /// Those in force, in the order in which they are told.
    pub in_force: Vec<SandboxLayer>,
}

impl SandboxReport {
    /// These layers.
    pub(super) fn of(mut in_force: Vec<SandboxLayer>) -> Self {
        in_force.sort_unstable();
        in_force.dedup();
        Self { in_force }
    }

    /// The layers around a process of this kind that are not in force, in the order in which they are told.
    pub fn missing(&self, conduct: Conduct) -> Vec<SandboxLayer> {
        SandboxLayer::around(conduct)
            .iter()
            .copied()
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
        assert_eq!(
            report.missing(Conduct::Computes),
            [SandboxLayer::Signals, SandboxLayer::Limits]
        );
        assert_eq!(
            report.missing(Conduct::StartsPrograms).last(),
            Some(&SandboxLayer::Namespaces)
        );
        assert_eq!(SandboxReport::default().to_string(), "none");
    }
}

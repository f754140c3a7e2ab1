//! Where the code of a plugin is: in a library that was built from a source, or in the program itself.

use crate::Artifact;
use modelzoo_abi::PluginRootRef;
use std::{fmt, path::Path};

/// The code of a plugin.
#[derive(Clone, Debug)]
pub enum PluginCode {
    /// A library, which was built from a source.
    Library(Artifact),
    /// A plugin that is linked into this program.
    BuiltIn(BuiltInPlugin),
}

impl PluginCode {
    /// The file of the library, where it is one.
    pub fn library(&self) -> Option<&Path> {
        match self {
            Self::Library(artifact) => Some(&artifact.path),
            Self::BuiltIn(_) => None,
        }
    }
}

/// A plugin that is linked into a program. It runs as any other does, through the same root and in a worker of the same
/// kind; only there is no library to open.
#[derive(Clone, Copy)]
pub struct BuiltInPlugin {
    /// Its name, by which a worker finds it among those of its own program.
    pub name: &'static str,
    /// Its version: a worker of another program must have the same.
    pub version: &'static str,
    /// Makes its root.
    pub root: fn() -> PluginRootRef,
}

impl From<Artifact> for PluginCode {
    fn from(artifact: Artifact) -> Self {
        Self::Library(artifact)
    }
}

impl From<BuiltInPlugin> for PluginCode {
    fn from(plugin: BuiltInPlugin) -> Self {
        Self::BuiltIn(plugin)
    }
}

/// `modelzoo-vision 0.1.0`
impl fmt::Display for BuiltInPlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.name, self.version)
    }
}

impl fmt::Debug for BuiltInPlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("BuiltInPlugin")
            .field(&self.to_string())
            .finish()
    }
}

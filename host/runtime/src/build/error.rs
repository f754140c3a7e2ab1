//! Why a plugin could not be built.

use crate::{ArtifactError, SandboxLayer};
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::{OutputError, about},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a plugin could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no crate to build.
    #[error("{} has no Cargo.toml: it is no crate that can be built{}", folder.display(),
        if *.is_python { " (FiftyOne's Python sources cannot be run natively)" } else { "" })]
    NoCrate {
        /// The source.
        folder: PathBuf,
        /// Whether there is Python code instead, as FiftyOne's sources have it.
        is_python: bool,
    },
    /// Rust is not installed.
    #[error("cannot run {tool}, which building a plugin needs")]
    NoTool {
        /// `cargo` or `rustc`.
        tool: String,
        /// Why it does not run.
        source: io::Error,
    },
    /// The manifest of the crate cannot be used.
    #[error("the crate in {} cannot be used: {reason}", folder.display())]
    Manifest {
        /// The source.
        folder: PathBuf,
        /// Cargo's reason.
        reason: String,
    },
    /// The crate is no library that can be loaded.
    #[error("the crate {name} in {} builds no dynamic library", folder.display())]
    NoLibrary {
        /// The source.
        folder: PathBuf,
        /// The crate.
        name: String,
    },
    /// A crate from Git, of which nothing says what it is.
    #[error(
        "the crate {name} comes from {origin}, and the source's Cargo.lock does not say which commit of it"
    )]
    UnpinnedGit {
        /// The crate.
        name: String,
        /// Its repository.
        origin: String,
    },
    /// A crate that cannot be taken along to another machine.
    #[error("the crate {name} comes from {origin}, and only crates of crates.io can be taken along")]
    CrateElsewhere {
        /// The crate.
        name: String,
        /// Where it comes from.
        origin: String,
    },
    /// The file of a crate is not where cargo keeps them.
    #[error("cargo has fetched {file}, and does not keep it")]
    NoCrateFile {
        /// The file.
        file: String,
    },
    /// The build was to be shut in completely, and cannot be.
    #[error("the build cannot be shut in as was asked for: this system has no limits of {}",
        .0.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(", "))]
    SandboxUnavailable(Vec<SandboxLayer>),
    /// The library would be loaded with others from a folder that anybody may have filled.
    #[error("the plugin that {} builds lets the system look for libraries in {folder}", built_from.display())]
    RunPath {
        /// The source.
        built_from: PathBuf,
        /// The folder.
        folder: String,
    },
    /// The crate has no such feature.
    #[error("the crate {name} has no feature {feature}; it has {}",
        if .available.is_empty() { "none".to_owned() } else { .available.join(", ") })]
    NoFeature {
        /// The crate.
        name: String,
        /// What was asked for.
        feature: String,
        /// What there is.
        available: Vec<String>,
    },
    /// Something in the source points out of it.
    #[error("{} points out of the source, to {}", from.display(), to.display())]
    PointsOutside {
        /// A symbolic link, or the manifest with a path dependency.
        from: PathBuf,
        /// What it points to.
        to: PathBuf,
    },
    /// The crates that the plugin needs cannot be had.
    #[error("cannot fetch the crates that {name} needs; the log is {}\n{reason}", log.display())]
    Fetch {
        /// The plugin.
        name: String,
        /// Cargo's own error.
        reason: String,
        /// The whole log.
        log: PathBuf,
    },
    /// The crate, or one that it needs, does not compile.
    #[error("{name} does not compile; the log is {}\n{reason}", log.display())]
    Compile {
        /// The plugin.
        name: String,
        /// The compiler's own error.
        reason: String,
        /// The whole log.
        log: PathBuf,
        /// Whether the build was shut in.
        is_shut_in: bool,
    },
    /// A file or folder of the build cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl From<ArtifactError> for BuildError {
    fn from(error: ArtifactError) -> Self {
        let ArtifactError { action, path, source } = error;
        Self::File { action, path, source }
    }
}

impl Diagnose for BuildError {
    fn class(&self) -> ErrorClass {
        ErrorClass::BuildFailed
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::advice(match self {
            Self::NoCrate { .. } => return Some(NextStep::StartFromTemplate),
            Self::NoTool { .. } => "install Rust from https://rustup.rs, or set PATH so that cargo is found",
            Self::NoLibrary { .. } => "put `crate-type = [\"cdylib\"]` under `[lib]` in its Cargo.toml",
            Self::PointsOutside { .. } => {
                "a source must be complete in itself: depend on a published crate, or copy the file into the source"
            }
            Self::Fetch { .. } => "check the network; crates that were fetched before need none",
            Self::UnpinnedGit { .. } => {
                "commit the Cargo.lock that `cargo generate-lockfile` writes, or depend on a published crate"
            }
            Self::CrateElsewhere { .. } => {
                "take a plugin along that its author compiled; or ask the author to depend on a published crate"
            }
            Self::NoCrateFile { .. } => {
                "delete the folder `registry` in cargo's home, and do the same once more"
            }
            Self::RunPath { .. } => {
                "build it without `-rpath`: link what it needs statically, or let it need libraries of the system"
            }
            Self::SandboxUnavailable(_) => return Some(NextStep::RelaxSandbox),
            Self::File { source, .. } => return NextStep::for_access(source),
            Self::Compile {
                is_shut_in: true,
                reason,
                ..
            } if is_of_running_code(reason) => {
                "what runs in a build has no network and no home, and writes to its OUT_DIR alone; for a source that you \
                 trust, the sandbox can be turned off"
            }
            Self::Compile { .. } | Self::Manifest { .. } | Self::NoFeature { .. } => return None,
        }))
    }
}

/// Whether it was a build script or a procedural macro that failed, in cargo's and the compiler's words.
fn is_of_running_code(reason: &str) -> bool {
    [
        "failed to run custom build command",
        "proc macro panicked",
        "proc-macro derive panicked",
        "custom attribute panicked",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

impl BuildError {
    /// For `map_err`: a result could not be written.
    pub(super) fn output(OutputError { path, source }: OutputError) -> Self {
        Self::File {
            action: "write",
            path,
            source,
        }
    }

    /// For `map_err`: `action` failed on `path`.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            source: about(&path, source),
            path,
        }
    }
}

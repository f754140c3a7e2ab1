//! What is told of a plugin beside its library.

use super::{Artifact, Linkage};
use crate::SandboxReport;
use modelzoo_abi::{PluginRootRef, abi_stable::library::RootModule as _};
use modelzoo_base::Voucher;
use serde::{Deserialize, Serialize};

/// What stands in `artifact.json` beside a built plugin: where it comes from and how it was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    /// The artifact's key: a hash over everything that decided what came out.
    pub key: String,
    /// The SHA-256 of the library.
    pub sha256: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The source, as the caller names it.
    pub source: String,
    /// The source's commit, where it has one.
    pub commit: Option<String>,
    /// The hash of the source's files, as the caller computed it.
    pub source_hash: String,
    /// The SHA-256 of the Cargo.lock that it was built with: the source's own, adjusted to the host's SDK.
    pub lock_sha256: String,
    /// The SHA-256 of the host's SDK.
    pub sdk_sha256: String,
    /// What `rustc -vV` prints.
    pub toolchain: String,
    /// The target triple.
    pub target: String,
    /// The compiler flags.
    pub rustflags: String,
    /// The profile, a setting each.
    pub profile: Vec<String>,
    /// The crate features that were turned on.
    pub features: Vec<String>,
    /// The layers of the sandbox that were around its build.
    #[serde(default)]
    pub sandbox: SandboxReport,
    /// What the library shows to a loader, and what it wants from it.
    #[serde(default)]
    pub linkage: Linkage,
    /// The version of the plugin contract that it was built for; empty where nobody wrote it down.
    #[serde(default)]
    pub abi: String,
    /// Where it comes from, where it was not built here: its author compiled it, and says how in the fields above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prebuilt: Option<PrebuiltRecord>,
}

/// What is known of a plugin that its author compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrebuiltRecord {
    /// What it was compiled for beside the processor: `cpu`, `cuda`, `metal`.
    pub variant: String,
    /// The URL of the archive that it came in.
    pub url: String,
    /// The SHA-256 of the archive.
    pub archive_sha256: String,
    /// What said that the archive is the right one.
    pub vouched_by: Voucher,
}

/// A plugin that is ready to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPlugin {
    /// The library.
    pub artifact: Artifact,
    /// Where it comes from and how it was built.
    pub record: ArtifactRecord,
    /// Whether it was built or taken just now, and not found.
    pub is_new: bool,
}

/// The version of the plugin contract that this host knows.
pub(crate) fn contract() -> &'static str {
    PluginRootRef::VERSION_STRINGS.version.as_str()
}

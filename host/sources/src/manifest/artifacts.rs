//! `artifacts`: where the plugin is that the author compiled, and what it must be.
use super::read::or_default;
use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the plugin is that the author compiled, and what it must be. An archive is only taken where its hash stands here,
/// or where it bears a signature by `key`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Artifacts {
    /// The minisign public key by which archives are signed, for those whose hash could not be known before the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where the archives are, with `{name}`, `{tag}`, `{target}` and `{variant}` in it. Without it they are at the
    /// release of the tag, as GitHub, GitLab and Forgejo have such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The archives whose hash is known.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub builds: Vec<ArtifactBuild>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An archive whose hash is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactBuild {
    /// The target triple.
    pub target: String,
    /// What it is compiled for beside the processor: `cpu`, `cuda`, `metal`.
    #[serde(default = "cpu")]
    pub variant: String,
    /// Where it is, if not where the others are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The SHA-256 of the archive.
    pub sha256: Sha256Digest,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn cpu() -> String {
    "cpu".to_owned()
}

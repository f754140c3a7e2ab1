//! Whether a plugin was compiled in the way in which it would be compiled here and now.

use super::{BuildError, BuildRequest, Builder, profile, sdk};
use crate::{ArtifactRecord, TARGET};
use serde::Serialize;
use std::path::Path;

/// Something that decides what comes out of a build, and was not what it is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// What it is.
    pub what: Ingredient,
    /// What it was.
    pub then: String,
    /// What it is here.
    pub here: String,
}

/// What decides what comes out of a build, beside the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ingredient {
    /// The machine that it is for.
    Target,
    /// The compiler.
    Compiler,
    /// The API crates of the host.
    Sdk,
    /// The flags and the profile of the compiler.
    Flags,
    /// The versions of the crates that it is made of, by the hash of their list.
    Crates,
}

impl Builder {
    /// The same builder with nothing compiled yet: it works in `folder`, and keeps there what it builds.
    pub fn anew_in(&self, folder: &Path) -> Self {
        Self {
            folder: folder.join("build"),
            artifacts: folder.join("artifacts"),
            guard: self.guard.clone(),
        }
    }

    /// What was not as it is here when the plugin was compiled that `record` tells of, and `request` asks for. Nothing is
    /// compiled to find out.
    ///
    /// # Errors
    /// When there is no crate to build, or no toolchain to build it with.
    pub fn mismatches(
        &self,
        request: &BuildRequest,
        record: &ArtifactRecord,
    ) -> Result<Vec<Mismatch>, BuildError> {
        let (_, toolchain) = self.key(request)?;
        let flags =
            |flags: &str, profile: &[&str]| [&[flags][..], profile].concat().join(" ").trim().to_owned();
        let profile = Vec::from_iter(record.profile.iter().map(String::as_str));
        let all = [
            (Ingredient::Target, record.target.clone(), TARGET.to_owned()),
            (Ingredient::Compiler, record.toolchain.clone(), toolchain.version),
            (Ingredient::Sdk, record.sdk_sha256.clone(), sdk::SHA256.to_owned()),
            (
                Ingredient::Flags,
                flags(&record.rustflags, &profile),
                flags(profile::rustflags(request.is_portable), &profile::PROFILE),
            ),
        ];
        let differing = all.into_iter().filter(|(_, then, here)| then != here);
        Ok(differing
            .map(|(what, then, here)| Mismatch { what, then, here })
            .collect())
    }
}

//! From an unpacked archive to an artifact of this host, one check after the other. Nothing of it runs.

use super::{UnfitPrebuilt, variant_of};
use crate::{
    Artifact, ArtifactError, ArtifactRecord, BuiltPlugin, Linkage, PrebuiltRecord, SandboxReport, TARGET,
    artifact::{contract, find, publish},
};
use fs_err as fs;
use modelzoo_base::{Sha256Digest, artifact};
use semver::Version;
use std::path::{Path, PathBuf};

/// The plugins that were taken from archives, among all artifacts.
#[derive(Clone, Debug)]
pub struct PrebuiltStore {
    artifacts: PathBuf,
}

/// What an archive must hold, and for which source it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The crate of the source.
    pub crate_name: String,
    /// The source's identity.
    pub identity: String,
    /// The source's commit, where it has one.
    pub commit: Option<String>,
    /// The hash of the source's files.
    pub source_hash: String,
    /// What it must be compiled for beside this host's target.
    pub variant: String,
}

impl PrebuiltStore {
    /// The plugins among those in the folder `artifacts`.
    pub fn new(artifacts: impl Into<PathBuf>) -> Self {
        Self {
            artifacts: artifacts.into(),
        }
    }

    /// Finds what was taken for this source and variant.
    pub fn find(&self, wanted: &Installation) -> Option<BuiltPlugin> {
        let (artifact, record) = find(&self.artifacts, &wanted.key())?;
        record.prebuilt.is_some().then_some(BuiltPlugin {
            artifact,
            record,
            is_new: false,
        })
    }

    /// Forgets what was taken for this source and variant: it does not load.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn forget(&self, wanted: &Installation) -> Result<(), ArtifactError> {
        let folder = self.artifacts.join(wanted.key());
        if !folder.exists() {
            return Ok(());
        }
        fs::remove_dir_all(&folder).map_err(ArtifactError::file("delete", &folder))
    }

    /// Takes the plugin of an archive that was unpacked into `folder`, and replaces what was taken before. The archive
    /// is the right one, as `prebuilt` says; `is_signed` says that a key vouches for it, which stays the same from
    /// commit to commit: then it must have been compiled from the very commit.
    ///
    /// # Errors
    /// When it holds something else than `wanted`, or cannot be kept.
    pub fn install(
        &self,
        folder: &Path,
        wanted: &Installation,
        prebuilt: PrebuiltRecord,
        is_signed: bool,
    ) -> Result<BuiltPlugin, UnfitPrebuilt> {
        let archive = prebuilt.url.clone();
        let mut record = read_record(folder, &archive)?;
        wanted.check(&record, &archive, is_signed)?;
        let library = artifact::library(folder);
        let actual = Sha256Digest::of_file(&library).map_err(|_| UnfitPrebuilt::NoPlugin {
            archive: archive.clone(),
            reason: "there is no library in it".to_owned(),
        })?;
        if actual.to_string() != record.sha256 {
            return Err(UnfitPrebuilt::Damaged {
                archive,
                expected: record.sha256,
                actual: actual.to_string(),
            });
        }
        let linkage = Linkage::of(&library)?;
        if let Some(folder) = linkage.run_paths.first() {
            return Err(UnfitPrebuilt::RunPath {
                archive,
                folder: folder.clone(),
            });
        }
        record.key = wanted.key();
        record.source.clone_from(&wanted.identity);
        record.commit.clone_from(&wanted.commit);
        record.source_hash.clone_from(&wanted.source_hash);
        // What was around its build elsewhere is the author's word, and says nothing here.
        record.sandbox = SandboxReport::default();
        record.linkage = linkage;
        record.prebuilt = Some(prebuilt);
        self.forget(wanted)?;
        let (artifact, record): (Artifact, _) = publish(&self.artifacts, &library, record)?;
        Ok(BuiltPlugin {
            artifact,
            record,
            is_new: true,
        })
    }
}

impl Installation {
    /// The name of the artifact. What vouches for the archive is no part of it: it is looked at whenever the artifact is
    /// used.
    fn key(&self) -> String {
        let parts = [
            "modelzoo prebuilt 1",
            &self.identity,
            &self.crate_name,
            &self.source_hash,
            TARGET,
            &self.variant,
        ];
        Sha256Digest::of(parts.join("\0")).to_string()
    }

    fn check(&self, record: &ArtifactRecord, archive: &str, is_signed: bool) -> Result<(), UnfitPrebuilt> {
        let same = |what, found: &str, wanted: &str| match found == wanted {
            true => Ok(()),
            false => Err(UnfitPrebuilt::Other {
                archive: archive.to_owned(),
                what,
                found: found.to_owned(),
                wanted: wanted.to_owned(),
            }),
        };
        same("crate", &record.source, &self.crate_name)?;
        same("target", &record.target, TARGET)?;
        same("variant", variant_of(&record.features), &self.variant)?;
        if is_signed {
            let (found, wanted) = (record.commit.as_deref(), self.commit.as_deref());
            same("commit", found.unwrap_or("(none)"), wanted.unwrap_or("(none)"))?;
        }
        let major = |version: &str| Version::parse(version).ok().map(|version| version.major);
        if major(&record.abi).is_none() || major(&record.abi) != major(contract()) {
            return Err(UnfitPrebuilt::OtherContract {
                archive: archive.to_owned(),
                plugin: record.abi.clone(),
                host: contract().to_owned(),
            });
        }
        Ok(())
    }
}

fn read_record(folder: &Path, archive: &str) -> Result<ArtifactRecord, UnfitPrebuilt> {
    let unusable = |reason: String| UnfitPrebuilt::NoPlugin {
        archive: archive.to_owned(),
        reason,
    };
    let text = fs::read(artifact::record(folder))
        .map_err(|_| unusable("there is no artifact.json in it".to_owned()))?;
    serde_json::from_slice(&text).map_err(|error| unusable(format!("its artifact.json: {error}")))
}

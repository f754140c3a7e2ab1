//! The folder of artifacts: a folder each, named by its key, that is there whole or not at all.

use super::{Artifact, ArtifactError, ArtifactRecord};
use fs_err as fs;
use modelzoo_base::{Sha256Digest, artifact, file::AtomicFolder};
use std::{io, path::Path};

/// Finds an artifact. One that is damaged so that it shows at a glance counts as absent; its content is checked when
/// it is opened.
pub(crate) fn find(artifacts: &Path, key: &str) -> Option<(Artifact, ArtifactRecord)> {
    let folder = artifacts.join(key);
    let path = artifact::library(&folder);
    let record: ArtifactRecord = serde_json::from_slice(&fs::read(artifact::record(&folder)).ok()?).ok()?;
    if record.key != key || fs::metadata(&path).ok()?.len() != record.size_bytes {
        return None;
    }
    // A record that names no digest is damaged, and the plugin is built again.
    let sha256 = record.sha256.parse().ok()?;
    Some((Artifact { path, sha256 }, record))
}

/// Puts the library at `built` into the folder of artifacts. `record` tells all but its hash and its size.
pub(crate) fn publish(
    artifacts: &Path,
    built: &Path,
    mut record: ArtifactRecord,
) -> Result<(Artifact, ArtifactRecord), ArtifactError> {
    let target = artifacts.join(&record.key);
    let folder = AtomicFolder::create(&target).map_err(ArtifactError::output)?;
    let library = artifact::library(folder.path());
    (|| {
        fs::copy(built, &library)?;
        record.sha256 = Sha256Digest::of_file(&library)?.to_string();
        record.size_bytes = fs::metadata(&library)?.len();
        let text = serde_json::to_string_pretty(&record)? + "\n";
        fs::write(artifact::record(folder.path()), text)?;
        fs::File::open(&library)?.sync_all()
    })()
    .map_err(ArtifactError::file("write", folder.path()))?;
    if find(artifacts, &record.key).is_none() && target.exists() {
        // What lies there was damaged.
        fs::remove_dir_all(&target).map_err(ArtifactError::file("delete", &target))?;
    }
    match folder.commit() {
        Ok(()) => {}
        // Another process has published the same meanwhile: that one is as good.
        Err(_) if find(artifacts, &record.key).is_some() => {}
        Err(error) => return Err(ArtifactError::output(error)),
    }
    find(artifacts, &record.key).ok_or_else(|| {
        ArtifactError::file("read back", &target)(io::Error::other("it is not what was written"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Linkage, SandboxReport};

    fn record(key: &str) -> ArtifactRecord {
        ArtifactRecord {
            key: key.into(),
            sha256: String::new(),
            size_bytes: 0,
            source: "user/repo".into(),
            commit: Some("c0ffee".into()),
            source_hash: "tree".into(),
            lock_sha256: "lock".into(),
            sdk_sha256: "sdk".into(),
            toolchain: "rustc".into(),
            target: "here".into(),
            rustflags: String::new(),
            profile: Vec::new(),
            features: Vec::new(),
            sandbox: SandboxReport::default(),
            linkage: Linkage::default(),
            abi: String::new(),
            prebuilt: None,
        }
    }

    #[test]
    fn an_artifact_is_published_once_and_again_when_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (built, artifacts) = (folder.path().join("libx.so"), folder.path().join("artifacts"));
        std::fs::write(&built, "library").unwrap();
        let (artifact, published) = publish(&artifacts, &built, record("k1")).unwrap();
        assert_eq!(artifact, Artifact::of_file(&artifact.path).unwrap());
        assert_eq!(published.size_bytes, 7);
        assert_eq!(
            find(&artifacts, "k1"),
            Some((artifact.clone(), published.clone()))
        );
        assert_eq!(find(&artifacts, "k2"), None);

        // A second build of the same key leaves the first one alone.
        std::fs::write(&built, "LIBRARY").unwrap();
        assert_eq!(publish(&artifacts, &built, record("k1")).unwrap().1, published);

        std::fs::write(&artifact.path, "lib").unwrap();
        assert_eq!(find(&artifacts, "k1"), None);
        publish(&artifacts, &built, record("k1")).unwrap();
        assert_eq!(std::fs::read(&artifact.path).unwrap(), b"LIBRARY");
        assert_eq!(std::fs::read_dir(&artifacts).unwrap().count(), 1);
    }
}

//! Records of what references resolved to: for work without a network, and to save fetches with one.
//!
//! Each fact is a file of its own, replaced as a whole, so that no two processes ever edit the same one.
use super::{Store, StoreError, stamp::stamp_file};
use crate::git::{Commit, Omission};
use modelzoo_base::{Sha256Digest, file};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// What a commit's files are. This never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// The source's identity, without a folder inside it.
    pub identity: String,
    /// The full commit id; the SHA-256 of the file for an archive.
    pub commit: String,
    /// The hash of the checked out tree.
    pub tree_hash: Sha256Digest,
    /// When the commit was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<i64>,
    /// What the commit refers to and the tree does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omissions: Vec<Omission>,
    /// The hash of the bundle that says so, where nothing else does: then it counts where the network may not be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Sha256Digest>,
}

/// What a revision meant when it was last looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRecord {
    /// The source's identity, without a folder inside it.
    pub identity: String,
    /// The revision as it was asked for; empty for the default one.
    pub revision: String,
    /// The full commit id; the SHA-256 of the file for an archive.
    pub commit: String,
    /// The full name of the ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// The folder that turned out to be part of the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdirectory: Option<String>,
    /// When it was first seen to mean this, in seconds since 1970.
    pub since: i64,
}

/// What was at a URL, by the word of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadRecord {
    /// The URL.
    pub url: String,
    /// The hash of the file.
    pub sha256: Sha256Digest,
    /// The signature that was beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// What a folder or file on this machine was when it was last hashed.
#[derive(Serialize, Deserialize)]
struct LocalRecord {
    root: PathBuf,
    stamp: Sha256Digest,
    tree_hash: Sha256Digest,
}

impl Store {
    /// What is known of a commit.
    pub fn commit_record(&self, identity: &str, commit: &str) -> Option<CommitRecord> {
        let record: CommitRecord = read(&self.commit_file(identity, commit))?;
        (record.identity == identity && record.commit == commit).then_some(record)
    }

    /// Notes what a commit's files are.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub fn record_commit(&self, record: &CommitRecord) -> Result<(), StoreError> {
        write(self.commit_file(&record.identity, &record.commit), record)
    }

    /// What a revision meant when it was last looked up; the empty text is the default revision.
    pub fn revision_record(&self, identity: &str, revision: &str) -> Option<RevisionRecord> {
        let record: RevisionRecord = read(&self.revision_file(identity, revision))?;
        (record.identity == identity && record.revision == revision).then_some(record)
    }

    /// Notes what a revision means now. When that is known, nothing is written.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub fn record_revision(&self, identity: &str, revision: &str, commit: &Commit) -> Result<(), StoreError> {
        let Commit {
            id,
            ref_name,
            subdirectory,
        } = commit.clone();
        let known = self.revision_record(identity, revision);
        if known.is_some_and(|known| {
            (known.commit, known.ref_name, known.subdirectory)
                == (id.clone(), ref_name.clone(), subdirectory.clone())
        }) {
            return Ok(());
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let record = RevisionRecord {
            identity: identity.to_owned(),
            revision: revision.to_owned(),
            commit: id,
            ref_name,
            subdirectory,
            since: i64::try_from(since).unwrap_or(i64::MAX),
        };
        write(self.revision_file(identity, revision), &record)
    }

    /// What was at a URL.
    pub fn download_record(&self, url: &str) -> Option<DownloadRecord> {
        let record: DownloadRecord = read(&self.record_file(url, "downloads", ""))?;
        (record.url == url).then_some(record)
    }

    /// Notes what was at a URL; whoever uses it has to know otherwise that it is the right one.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub(crate) fn record_download(
        &self,
        url: &str,
        sha256: Sha256Digest,
        signature: Option<&str>,
    ) -> Result<(), StoreError> {
        let record = DownloadRecord {
            url: url.to_owned(),
            sha256,
            signature: signature.map(str::to_owned),
        };
        write(self.record_file(url, "downloads", ""), &record)
    }

    /// The hash that a folder on this machine had when it had this stamp.
    pub(crate) fn local_hash(&self, root: &Path, stamp: &Sha256Digest) -> Option<Sha256Digest> {
        let known: LocalRecord = read(&self.local_file(root))?;
        (known.root == root && known.stamp == *stamp).then_some(known.tree_hash)
    }

    /// Notes the hash of a folder on this machine.
    pub(crate) fn record_local_hash(&self, root: &Path, stamp: Sha256Digest, tree_hash: Sha256Digest) {
        let record = LocalRecord {
            root: root.to_owned(),
            stamp,
            tree_hash,
        };
        if let Err(error) = write(self.local_file(root), &record) {
            // Without the record the folder is hashed again, no more.
            tracing::debug!("{error}");
        }
    }

    /// The digest of a file on this machine; links are followed. A file that was not touched since it was last hashed is
    /// not read again.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file_digest(&self, path: &Path) -> io::Result<Sha256Digest> {
        let path = fs_err::canonicalize(path)?;
        let now = stamp_file(&path)?;
        if let Some(known) = now.and_then(|now| self.local_hash(&path, &now)) {
            return Ok(known);
        }
        let digest = Sha256Digest::of_file(&path)?;
        if let Some(now) = now {
            self.record_local_hash(&path, now, digest);
        }
        Ok(digest)
    }

    fn local_file(&self, root: &Path) -> PathBuf {
        self.record_file(&root.to_string_lossy(), "local", "")
    }

    fn commit_file(&self, identity: &str, commit: &str) -> PathBuf {
        self.record_file(identity, "commits", commit)
    }

    fn revision_file(&self, identity: &str, revision: &str) -> PathBuf {
        self.record_file(identity, "revisions", revision)
    }

    /// Names are hashed because they hold slashes, and differ in case only.
    fn record_file(&self, identity: &str, kind: &str, name: &str) -> PathBuf {
        let file_name = |text: &str| Sha256Digest::of(text).to_string()[..32].to_owned();
        self.records_dir()
            .join(file_name(identity))
            .join(kind)
            .join(format!("{}.json", file_name(name)))
    }
}

/// A record that cannot be read is one that is not there: it is written anew.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn write<T: Serialize>(path: PathBuf, record: &T) -> Result<(), StoreError> {
    let text = serde_json::to_vec_pretty(record).map_err(io::Error::from);
    text.and_then(|text| file::write(&path, text))
        .map_err(StoreError::write(&path))
}

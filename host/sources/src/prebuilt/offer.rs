//! Which prebuilt plugins a source offers.
use super::place::{self, Archive};
use crate::{
    config::TrustPolicy,
    manifest::Artifacts,
    source::{ResolvedSource, SourceManifest},
    trust::key_for,
};
use modelzoo_base::{Sha256Digest, Voucher};

/// A prebuilt plugin that a source offers for this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What it is compiled for beside the processor: `cpu`, `cuda`, `metal`.
    pub variant: String,
    /// What its archive is called.
    pub file: String,
    /// Where that is, the best place first; never empty.
    pub urls: Vec<String>,
    /// The size of the archive, where the manifest says it.
    pub size_bytes: Option<u64>,
    /// How it is known that an archive is the right one.
    pub proof: Proof,
}

/// How it is known that an archive is the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By its hash, which the manifest or the lock says.
    Hash {
        /// The hash.
        sha256: Sha256Digest,
        /// Who says it: the manifest or the lock.
        said_by: Voucher,
    },
    /// By a signature with one of these minisign keys.
    Signature {
        /// The keys.
        keys: Vec<String>,
    },
}

/// For what a prebuilt plugin is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// The source.
    pub source: &'a ResolvedSource,
    /// The manifest beside its plugin.
    pub manifest: &'a SourceManifest,
    /// The crate of the plugin.
    pub crate_name: &'a str,
    /// The target triple of this machine.
    pub target: &'a str,
    /// The user's keys.
    pub policy: &'a TrustPolicy,
}

impl Offered<'_> {
    /// What there is of `variant`. `locked` is the hash of the archive that was taken before, by the lock.
    pub fn find(&self, variant: &str, locked: Option<Sha256Digest>) -> Option<Offer> {
        let artifacts = self.manifest.manifest.artifacts.as_ref()?;
        let build = artifacts
            .builds
            .iter()
            .find(|build| build.target == self.target && build.variant == variant);
        let said = build.map(|build| (build.sha256, Voucher::Manifest));
        let hash = locked.map(|hash| (hash, Voucher::Lock)).or(said);
        let proof = match hash {
            Some((sha256, said_by)) => Proof::Hash { sha256, said_by },
            None => Proof::Signature {
                keys: self.keys(artifacts)?,
            },
        };
        let archive = Archive {
            crate_name: self.crate_name,
            tag: place::tag(self.source),
            target: self.target,
            variant,
        };
        let template = build
            .and_then(|build| build.url.as_ref())
            .or(artifacts.url.as_ref());
        let urls = match template {
            Some(template) => Vec::from_iter(archive.fill(template)),
            None => archive.of_release(self.source),
        };
        (!urls.is_empty()).then(|| Offer {
            variant: variant.to_owned(),
            file: place::file_name(self.crate_name, self.target, variant),
            urls,
            size_bytes: build.and_then(|build| build.size_bytes),
            proof,
        })
    }

    /// The keys of which one vouches for archives that are made of the commit; `None` where there is no key or no commit.
    fn keys(&self, artifacts: &Artifacts) -> Option<Vec<String>> {
        self.source.commit.as_ref()?;
        let own = key_for(&self.source.identity, self.policy).map(|(_, key)| key.to_owned());
        let keys = Vec::from_iter(artifacts.key.clone().into_iter().chain(own));
        (!keys.is_empty()).then_some(keys)
    }

    /// What the source has for other machines, in words.
    pub fn elsewhere(&self) -> Vec<String> {
        let artifacts = self.manifest.manifest.artifacts.iter();
        let builds = artifacts.flat_map(|artifacts| &artifacts.builds);
        builds
            .map(|build| format!("{} ({})", build.target, build.variant))
            .collect()
    }
}

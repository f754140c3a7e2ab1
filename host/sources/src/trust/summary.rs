//! What a person should know before he lets a stranger's code run.
use super::Subject;
use crate::{
    identity::owner,
    source::{ResolvedSource, SourceManifest},
};
use jiff::Timestamp;
use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::Path};

/// What a person should know before he lets a stranger's code run. Nothing of it was run to find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The source's identity.
    pub identity: String,
    /// Who owns it: the identity without its last part.
    pub owner: Option<String>,
    /// The full commit id.
    pub commit: Option<String>,
    /// When the commit was made, as its author says.
    pub committed_at: Option<Timestamp>,
    /// The licences of the models and of the plugin.
    pub licences: Vec<String>,
    /// How many packages are built in with the plugin; as long as that is not known, how many its `Cargo.lock` names, or
    /// `None` without one.
    pub dependencies: Option<usize>,
    /// The dependencies that come from elsewhere than crates.io: `name (where)`.
    pub foreign_dependencies: Vec<String>,
    /// The packages whose build scripts run when the plugin is built.
    pub build_scripts: Vec<String>,
    /// The packages whose procedural macros run when the plugin is built.
    pub proc_macros: Vec<String>,
    /// Whether build scripts and macros are known of all dependencies ([`with_crates`](Self::with_crates)), or only of the
    /// plugin itself.
    pub is_complete: bool,
    /// The hash of the bundle that says that this is the source's code, where nothing else does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Sha256Digest>,
    /// The binary that would run instead of what is built, where its author compiled one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prebuilt: Option<PrebuiltFacts>,
}

/// A binary that would run as its author compiled it: nobody can see from the source what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrebuiltFacts {
    /// Where it came from.
    pub url: String,
    /// The SHA-256 of its archive.
    pub sha256: String,
    /// What says that it is the right one, in words.
    pub vouched_by: String,
}

/// What can be known of a crate without running any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateFacts {
    /// Its name.
    pub name: String,
    /// Where it comes from, as Cargo says it; `None` where it is a part of the source.
    pub source: Option<String>,
    /// Whether it has a build script.
    pub has_build_script: bool,
    /// Whether it is a library of procedural macros.
    pub is_proc_macro: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct CargoToml {
    package: Option<Package>,
    lib: Lib,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<toml::Value>,
    build: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Lib {
    proc_macro: bool,
}

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default, rename = "package")]
    packages: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    source: Option<String>,
}

impl Summary {
    /// What can be seen in the files of `source`, whose plugin is the one beside `manifest`. What cannot be read is left
    /// out: the build will say why.
    pub fn of(source: &ResolvedSource, manifest: &SourceManifest) -> Self {
        let subject = Subject::of(source);
        let cargo = read::<CargoToml>(&manifest.folder.join("Cargo.toml")).unwrap_or_default();
        let mut licences: BTreeSet<String> = manifest
            .manifest
            .models
            .iter()
            .flat_map(|model| model.licenses().map(str::to_owned))
            .collect();
        let package = cargo.package.as_ref();
        licences.extend(package.and_then(|package| Some(package.license.as_ref()?.as_str()?.to_owned())));
        let name = package.map_or_else(|| "the plugin".to_owned(), |package| package.name.clone());
        // Cargo runs build.rs unless the manifest says `build = false`.
        let has_build_script = match package.and_then(|package| package.build.as_ref()) {
            Some(toml::Value::Boolean(build)) => *build,
            Some(_) => true,
            None => manifest.folder.join("build.rs").exists(),
        };
        let lock = manifest
            .folder
            .ancestors()
            .take_while(|folder| folder.starts_with(&source.root))
            .find_map(|folder| read::<CargoLock>(&folder.join("Cargo.lock")));
        let packages = lock.as_ref().map(|lock| lock.packages.as_slice());
        Self {
            identity: subject.identity.to_owned(),
            owner: owner(subject.identity).map(str::to_owned),
            commit: subject.commit.map(str::to_owned),
            committed_at: subject
                .committed_at
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
            licences: licences.into_iter().collect(),
            dependencies: packages
                .map(|packages| packages.iter().filter(|package| package.source.is_some()).count()),
            foreign_dependencies: packages
                .unwrap_or_default()
                .iter()
                .filter_map(|package| foreign(&package.name, package.source.as_deref()))
                .collect(),
            build_scripts: has_build_script.then(|| name.clone()).into_iter().collect(),
            proc_macros: cargo.lib.proc_macro.then_some(name).into_iter().collect(),
            is_complete: false,
            bundle: subject.bundle,
            prebuilt: None,
        }
    }

    /// The same, where not the source is built but this binary is run.
    pub fn with_prebuilt(mut self, prebuilt: PrebuiltFacts) -> Self {
        self.prebuilt = Some(prebuilt);
        self
    }

    /// The same with what is known of every crate that building the plugin compiles.
    pub fn with_crates(mut self, crates: &[CrateFacts]) -> Self {
        let names = |is_so: fn(&CrateFacts) -> bool| {
            let names: BTreeSet<&str> = crates
                .iter()
                .filter(|one| is_so(one))
                .map(|one| one.name.as_str())
                .collect();
            names.into_iter().map(str::to_owned).collect()
        };
        self.build_scripts = names(|one| one.has_build_script);
        self.proc_macros = names(|one| one.is_proc_macro);
        self.dependencies = Some(crates.iter().filter(|one| one.source.is_some()).count());
        self.foreign_dependencies = crates
            .iter()
            .filter_map(|one| foreign(&one.name, one.source.as_deref()))
            .collect();
        self.is_complete = true;
        self
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    toml::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

fn foreign(name: &str, source: Option<&str>) -> Option<String> {
    let source = source?;
    let is_crates_io = source.contains("github.com/rust-lang/crates.io-index");
    (!is_crates_io).then(|| format!("{name} ({source})"))
}

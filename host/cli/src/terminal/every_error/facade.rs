//! What the library as a whole fails with.

use super::{Sample, each, joined, not_found, path, runtime::plugin_error};
use modelzoo::{
    BuildError, CallError, EngineError, Error, RuntimeError, UnfitPrebuilt, ZooError,
    archive::ArchiveError,
    bundle::BundleError,
    config::ConfigError,
    download::DownloadError,
    format::FormatError,
    git::{Omission, OmissionKind},
    input::InputError,
    lock::{LockError, MovedTag},
    manifest::SelectError,
    plugin_api::Error as PluginError,
    prebuilt::PrebuiltError,
    reference::Forges,
    registry::{RegistryError, Unmet},
    source::SourceError,
    store::StoreError,
    trust::TrustError,
};
use std::io;

pub(super) fn samples() -> Vec<Sample> {
    let zoo = each([
        ZooError::Config(ConfigError::Read {
            path: path("config.toml"),
            source: not_found(),
        }),
        ZooError::CurrentFolder(not_found()),
        ZooError::Lock(LockError::NoPlace),
        ZooError::NoStore,
        ZooError::MovedTag(Box::new(MovedTag {
            identity: identity(),
            tag: "v1".to_owned(),
            before: "a".repeat(40),
            now: "b".repeat(40),
            spelling: "acme/model@v1".to_owned(),
        })),
        ZooError::Trust(TrustError::Denied { identity: identity() }),
        ZooError::Registry(RegistryError::UnknownSource {
            identity: identity(),
            suggestions: Vec::new(),
        }),
        ZooError::Unmet {
            model: "small".to_owned(),
            unmet: vec![
                Unmet::Feature {
                    name: "cuda".to_owned(),
                },
                Unmet::SystemLibrary {
                    name: "nowhere".to_owned(),
                },
            ],
        },
        ZooError::Prebuilt(PrebuiltError::NotOffered {
            identity: identity(),
            target: "x86_64-unknown-linux-gnu (cpu)".to_owned(),
            others: vec!["aarch64-apple-darwin (cpu)".to_owned()],
        }),
        ZooError::Unfit(UnfitPrebuilt::NoPlugin {
            archive: "https://example.org/model-x-cpu.tar.gz".to_owned(),
            reason: "there is no library in it".to_owned(),
        }),
        ZooError::Bundle(BundleError::NotABundle {
            path: path("models.bundle"),
        }),
        ZooError::NotDownloaded("small".to_owned()),
        ZooError::NothingCompiled {
            identity: "github.com/user/repo".to_owned(),
            is_compiled: true,
        },
        ZooError::Archive(ArchiveError::UnknownFormat {
            path: path("store/model.rar"),
        }),
        ZooError::Store(StoreError::NoHome),
        ZooError::Reference(Forges::default().parse("clip").expect_err("no source")),
        ZooError::Source(SourceError::NoSuchPath {
            path: "./nowhere".into(),
        }),
        ZooError::Select(SelectError::NoModels),
        ZooError::NoPlugin {
            identity: path("python").display().to_string(),
        },
        ZooError::Published {
            identity: "hf:acme/model".to_owned(),
            error: PluginError::unsupported("models of the type `mamba` cannot be run"),
        },
        ZooError::NothingBuiltIn {
            identity: "hf:acme/model".to_owned(),
        },
        ZooError::KeptElsewhere {
            path: path("published/model.safetensors"),
        },
        ZooError::BuildFolder {
            path: path("store/build"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        ZooError::Build(BuildError::NoTool {
            tool: "rustc".to_owned(),
            source: not_found(),
        }),
        ZooError::Runtime(RuntimeError::IsolationUnsupported),
        ZooError::Download(DownloadError::NoUrl {
            destination: path("store/model.safetensors"),
        }),
        ZooError::WeightsMismatch {
            path: path("store/model.safetensors"),
            actual: "a".repeat(64),
            expected: "b".repeat(64),
        },
        ZooError::OmittedWeights {
            source_identity: identity(),
            omission: Omission {
                path: "model.safetensors".to_owned(),
                kind: OmissionKind::LfsPointer,
            },
        },
        ZooError::WeightsFile {
            path: path("store/model.safetensors"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        ZooError::UnknownManager {
            model: "small".to_owned(),
            type_name: "acme.Manager".to_owned(),
        },
    ]);
    let all = each([
        Error::Zoo(ZooError::NoStore),
        Error::Input(InputError::NoInput),
        Error::Format(FormatError::Exists { path: path("out") }),
        Error::Engine(EngineError::Unsupported("has no embeddings")),
        Error::Runtime(RuntimeError::IsolationUnsupported),
        Error::Model(CallError::Plugin(plugin_error())),
    ]);
    joined([zoo, all])
}

fn identity() -> String {
    "github.com/acme/model".to_owned()
}

//! What building and running plugins fails with.

use super::{Sample, each, joined, not_found, path};
use modelzoo::{
    ArtifactError, BuildError, CallError, LibraryError, RuntimeError, SandboxLayer, UnfitPrebuilt,
    WorkerDeath, diagnosis::NextStep, plugin_api::Error as PluginError,
};
use std::io;

pub(super) fn samples() -> Vec<Sample> {
    joined([builds(), prebuilt(), libraries(), runs(), calls()])
}

/// What a plugin says that has something to say about what to do.
pub(super) fn plugin_error() -> PluginError {
    PluginError::new("the tensor `fc.weight` is missing").with_hint("download the weights again")
}

/// A plugin that hangs.
pub(super) fn death() -> WorkerDeath {
    WorkerDeath {
        reason: "the plugin gave no sign of life for 600 s and was ended".to_owned(),
        next_step: Some(NextStep::WaitLonger),
        is_stall: true,
    }
}

fn builds() -> Vec<Sample> {
    let name = || "acme-model".to_owned();
    let log = || path("store/build/logs/a.log");
    each([
        BuildError::NoCrate {
            folder: path("model"),
            is_python: true,
        },
        BuildError::NoTool {
            tool: "cargo".to_owned(),
            source: not_found(),
        },
        BuildError::Manifest {
            folder: path("model"),
            reason: "error: no targets specified".to_owned(),
        },
        BuildError::NoLibrary {
            folder: path("model"),
            name: name(),
        },
        BuildError::NoFeature {
            name: name(),
            feature: "cuda".to_owned(),
            available: Vec::new(),
        },
        BuildError::PointsOutside {
            from: path("model/Cargo.toml"),
            to: path("other"),
        },
        BuildError::CrateElsewhere {
            name: "blur".to_owned(),
            origin: "https://example.org/blur".to_owned(),
        },
        BuildError::NoCrateFile {
            file: "blur-1.0.0.crate".to_owned(),
        },
        BuildError::UnpinnedGit {
            name: "odd".to_owned(),
            origin: "https://git.example/odd".to_owned(),
        },
        BuildError::RunPath {
            built_from: path("model"),
            folder: "/tmp/libraries".to_owned(),
        },
        BuildError::SandboxUnavailable(vec![SandboxLayer::Files, SandboxLayer::Namespaces]),
        BuildError::Fetch {
            name: name(),
            reason: "error: no matching package named `odd`".to_owned(),
            log: log(),
        },
        BuildError::Compile {
            name: name(),
            reason: "error: failed to run custom build command for `odd v1.0.0`".to_owned(),
            log: log(),
            is_shut_in: true,
        },
        BuildError::File {
            action: "write",
            path: path("store/build/lock"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
    ])
}

fn prebuilt() -> Vec<Sample> {
    let archive = || "https://example.org/model-x-cpu.tar.gz".to_owned();
    let file = || ArtifactError {
        action: "write",
        path: path("store/artifacts/a"),
        source: io::ErrorKind::PermissionDenied.into(),
    };
    let unfit = each([
        UnfitPrebuilt::NoPlugin {
            archive: archive(),
            reason: "there is no artifact.json in it".to_owned(),
        },
        UnfitPrebuilt::Other {
            archive: archive(),
            what: "target",
            found: "aarch64-apple-darwin".to_owned(),
            wanted: "x86_64-unknown-linux-gnu".to_owned(),
        },
        UnfitPrebuilt::OtherContract {
            archive: archive(),
            plugin: "2.0.0".to_owned(),
            host: "1.0.0".to_owned(),
        },
        UnfitPrebuilt::RunPath {
            archive: archive(),
            folder: "/tmp/libraries".to_owned(),
        },
        UnfitPrebuilt::Damaged {
            archive: archive(),
            expected: "a".repeat(64),
            actual: "b".repeat(64),
        },
        UnfitPrebuilt::Artifact(file()),
    ]);
    joined([unfit, each([file()])])
}

fn libraries() -> Vec<Sample> {
    let path = || path("store/artifacts/a/plugin.so");
    each([
        LibraryError::Unreadable {
            path: path(),
            reason: "permission denied".to_owned(),
        },
        LibraryError::Damaged {
            path: path(),
            expected: "a".repeat(64),
            actual: "b".repeat(64),
        },
        LibraryError::Refused {
            path: path(),
            reason: "invalid ELF header".to_owned(),
        },
        LibraryError::NotAPlugin { path: path() },
        LibraryError::OtherAbiStable {
            path: path(),
            plugin: "0.10".to_owned(),
            host: "0.11".to_owned(),
        },
        LibraryError::OtherContract {
            path: path(),
            plugin: "2.0.0".to_owned(),
            host: "1.0.0".to_owned(),
        },
        LibraryError::OtherLayout { path: path() },
        LibraryError::BrokenTable {
            path: path(),
            reason: "its table has no function `load_model`".to_owned(),
        },
        LibraryError::NotBuiltIn {
            name: "modelzoo-vision".to_owned(),
            version: "0.1.0".to_owned(),
        },
        LibraryError::NotInitialised {
            path: path(),
            reason: "its root module is missing".to_owned(),
        },
    ])
}

fn runs() -> Vec<Sample> {
    let action = || "load the model small".to_owned();
    each([
        RuntimeError::Library(LibraryError::NotAPlugin {
            path: path("store/artifacts/a/plugin.so"),
        }),
        RuntimeError::Plugin {
            action: action(),
            error: plugin_error(),
        },
        RuntimeError::WorkerDied {
            action: action(),
            death: death(),
        },
        RuntimeError::WorkerStart {
            program: path("bin/modelzoo"),
            source: not_found(),
        },
        RuntimeError::Path(path("weights")),
        RuntimeError::SandboxUnavailable(vec![SandboxLayer::Files, SandboxLayer::SystemCalls]),
        RuntimeError::IsolationUnsupported,
    ])
}

fn calls() -> Vec<Sample> {
    each([CallError::Plugin(plugin_error()), CallError::WorkerDied(death())])
}

//! Plugins load and predict whatever they were built with: another version of the API, another profile, another
//! layout of the compiler's choice.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_plugin_api::{Image, Output, PredictOptions};
use modelzoo_runtime::{Artifact, Isolation};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::{Picture, build, load, plugin, runner, sample};

/// What a build of the sample plugin predicts, and the version of the API that it was built with.
fn predictions(artifact: &Artifact, isolation: Isolation) -> (Vec<Output>, String) {
    let model = load(
        &runner(artifact.clone(), isolation),
        serde_json::json!({"threshold": 0.3}),
    )
    .unwrap();
    let pictures = [40, 90, 200].map(|grey| Picture::grey(31, 17, grey));
    let images: Vec<Image<'_>> = pictures.iter().map(Picture::image).collect();
    let mut outputs = model.predict(&images, &PredictOptions::default()).unwrap();
    outputs.push(
        model
            .embed(&images)
            .unwrap()
            .remove(1)
            .map(|array| modelzoo_plugin_api::label::Vector::new(array).into()),
    );
    let outputs = outputs.into_iter().map(Result::unwrap).collect();
    (outputs, model.plugin().api_version.clone())
}

/// Expects of a build of the sample plugin what the usual build predicts. Gives the version of its API.
fn expect_the_usual(artifact: &Artifact) -> String {
    let (usual, _) = predictions(&plugin("brightness"), Isolation::None);
    let [in_worker, in_process] =
        [Isolation::Process, Isolation::None].map(|isolation| predictions(artifact, isolation));
    assert_eq!(in_worker.0, usual);
    assert_eq!(in_process.0, usual);
    in_process.1
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "target" => {}
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{old} is not in {}", file.display());
    fs::write(file, text.replacen(old, new, 1)).unwrap();
}

fn api() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api")
}

/// The sample plugin as a source that brings an API of its own, of these versions.
fn source_with_api(api_version: &str, abi_version: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&sample("brightness"), folder.path());
    let own_api = folder.path().join("api");
    for part in ["Cargo.toml", "src", "abi"] {
        let (from, to) = (api().join(part), own_api.join(part));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::create_dir_all(&own_api).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    replace(
        &folder.path().join("Cargo.toml"),
        "modelzoo-plugin-api = \"0.1\"",
        "modelzoo-plugin-api = { path = \"api\" }",
    );
    let version_of = |manifest: &Path| {
        let text = fs::read_to_string(manifest).unwrap();
        text.lines()
            .find(|line| line.starts_with("version = "))
            .unwrap()
            .to_owned()
    };
    for (manifest, version) in [
        (own_api.join("Cargo.toml"), api_version),
        (own_api.join("abi/Cargo.toml"), abi_version),
    ] {
        replace(
            &manifest,
            &version_of(&manifest),
            &format!("version = \"{version}\""),
        );
    }
    folder
}

#[test]
fn a_plugin_of_an_older_api_loads_and_predicts() {
    let source = source_with_api("0.0.1", "1.0.0");
    let built = build(source.path()).unwrap();
    assert_eq!(expect_the_usual(&built.artifact), "0.0.1");
}

#[test]
fn a_plugin_of_a_newer_api_that_says_more_loads_and_predicts() {
    let source = source_with_api("7.3.1", "1.0.9");
    replace(
        &source.path().join("api/src/model/info.rs"),
        "pub struct ModelInfo {",
        "pub struct ModelInfo {\n    /// What the future has.\n    pub novelty: Option<String>,",
    );
    replace(
        &source.path().join("src/lib.rs"),
        "ModelInfo::image()",
        "{ let mut info = ModelInfo::image(); info.novelty = Some(\"new\".into()); info }",
    );
    let built = build(source.path()).unwrap();
    assert_eq!(expect_the_usual(&built.artifact), "7.3.1");
}

/// Builds the sample plugin as an author would by hand: in debug mode, with these compiler flags.
fn build_by_hand(name: &str, rustflags: &str) -> Artifact {
    let source = tempfile::tempdir().unwrap();
    copy(&sample("brightness"), source.path());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let api = fs::canonicalize(api()).unwrap();
    let output = Command::new(env!("CARGO"))
        .arg("build")
        .arg("--target-dir")
        .arg(&target)
        .arg("--config")
        .arg(format!(
            "patch.crates-io.modelzoo-plugin-api.path={:?}",
            api.display().to_string()
        ))
        .current_dir(source.path())
        .env("RUSTFLAGS", rustflags)
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Artifact::of_file(&target.join(format!(
        "debug/{}brightness{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )))
    .unwrap()
}

#[test]
fn a_plugin_in_debug_mode_loads_and_predicts() {
    expect_the_usual(&build_by_hand("debug", ""));
}

#[test]
fn a_plugin_with_randomized_layouts_loads_and_predicts() {
    expect_the_usual(&build_by_hand(
        "randomized",
        "-Zrandomize-layout -Zlayout-seed=12345",
    ));
}

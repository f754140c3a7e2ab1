//! Plugins that were compiled once and are never compiled again go on loading: what people have built, or will have
//! downloaded, has to run in every later host. `tests/golden/README.md` says where they come from.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_plugin_api::{
    Array, Frame, LoadOptions, MediaType, Output, Precision, PredictOptions, VideoInfo, label::Vector,
    message,
};
use modelzoo_runtime::{Artifact, CallError, Isolation, LoadedModel};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use support::{Picture, runner};

/// What each plugin has to give: models by name.
const MODELS: [(&str, &[&str]); 2] = [
    ("libleast.so", &["mean"]),
    (
        "libcapabilities.so",
        &[
            "test/boxes",
            "test/maps",
            "test/prepared",
            "test/fields",
            "test/prompts",
            "test/events",
            "test/frames",
            "test/clips",
        ],
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// The folders of the versions of the API.
fn versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut versions: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("SHA256SUMS").exists())
        .collect();
    versions.sort();
    assert!(!versions.is_empty());
    versions
}

#[test]
fn what_was_compiled_once_loads_and_answers_for_ever() {
    for version in versions() {
        let expected: Value =
            serde_json::from_str(&fs::read_to_string(version.join("answers.json")).unwrap()).unwrap();
        for isolation in [Isolation::Process, Isolation::None] {
            let answers: BTreeMap<&str, Value> = MODELS
                .iter()
                .map(|(plugin, models)| (*plugin, answers(&version.join(plugin), models, isolation)))
                .collect();
            let answers = json!(answers);
            assert_eq!(
                answers,
                expected,
                "{}, {isolation:?}:\n{answers:#}",
                version.display()
            );
        }
    }
}

#[test]
fn they_are_still_what_they_were() {
    for version in versions() {
        let sums = fs::read_to_string(version.join("SHA256SUMS")).unwrap();
        assert_eq!(sums.lines().count(), MODELS.len());
        for line in sums.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            let artifact = Artifact::of_file(&version.join(name)).unwrap();
            assert_eq!(artifact.sha256.to_string(), sum, "{name}");
        }
    }
}

#[test]
fn they_compute_as_ever_where_a_newer_host_wants_bytes() {
    for version in versions() {
        let plugin = Artifact::of_file(&version.join("libleast.so")).unwrap();
        for isolation in [Isolation::Process, Isolation::None] {
            let mut options = LoadOptions::default();
            options.precision = Precision::Int8;
            options.calibration = serde_json::from_value(json!({ "network": [1, 2, 3] })).unwrap();
            let runner = runner(plugin.clone(), isolation);
            let load = |options| runner.load_model("mean", Path::new("/nowhere"), options).unwrap();
            let (model, as_ever) = (load(options), load(LoadOptions::default()));
            assert_eq!(ask(&*model), ask(&*as_ever));
            // So the host can tell it from one that knows.
            assert_eq!(model.info().precision, None);
            assert!(!model.info().knows(message::CALIBRATE));
            let nothing = message::encode(&()).unwrap();
            let error = model.call(message::CALIBRATE, &nothing, &[]).unwrap_err();
            assert!(error.to_string().contains("no method calibrate/1"), "{error}");
        }
    }
}

/// What the models of a plugin say to all that they say they can be asked.
fn answers(plugin: &Path, models: &[&str], isolation: Isolation) -> Value {
    let runner = runner(Artifact::of_file(plugin).unwrap(), isolation);
    let load = |name: &str| {
        let model = runner.load_model(name, Path::new("/nowhere"), LoadOptions::default());
        (name.to_owned(), ask(&*model.unwrap()))
    };
    json!(
        models
            .iter()
            .map(|name| load(name))
            .collect::<BTreeMap<String, Value>>()
    )
}

fn ask(model: &dyn LoadedModel) -> Value {
    let info = model.info();
    let options = PredictOptions::default();
    let picture = Picture::grey(4, 2, 100);
    let images = [picture.image()];
    let mut answers = json!({ "api": model.plugin().api_version, "methods": info.methods });
    let mut add = |name: &str, answer: Value| answers[name] = answer;
    if info.media_type == MediaType::Video {
        let mut video = VideoInfo::default();
        (video.width, video.height, video.frame_rate, video.frame_count) = (4, 2, 1.0, Some(2));
        let frame = |number: u64| Frame::new(number, (number - 1) as f64, 4, 2, vec![100; 24]);
        let frames = || Box::new((1..=2).map(frame));
        if info.knows(message::PREDICT_VIDEO) {
            add(
                "video",
                said([model.predict_video(&video, frames(), &options).unwrap()]),
            );
        }
        if info.knows(message::EMBED_VIDEO) {
            add(
                "video embedding",
                embedded([model.embed_video(&video, frames()).unwrap()]),
            );
        }
        return answers;
    }
    add("predict", said(model.predict(&images, &options).unwrap()));
    if info.has_embeddings {
        add("embed", embedded(model.embed(&images).unwrap()));
    }
    if info.knows(message::EMBED_PROMPTS) {
        add(
            "prompts",
            embedded(model.embed_prompts(&["cat".to_owned()]).unwrap()),
        );
    }
    if info.knows(message::PREDICT_PREPARED) {
        let prepared: Vec<_> = model
            .preprocess(&images)
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect();
        add(
            "prepared",
            said(model.predict_prepared(&prepared, &options).unwrap()),
        );
    }
    if info.knows(message::PREDICT_SAMPLES) {
        let fields = info
            .needed_fields
            .iter()
            .map(|field| (field.clone(), json!("a value")));
        let samples = [(picture.image(), fields.collect())];
        add(
            "samples",
            said(model.predict_samples(&samples, &options).unwrap()),
        );
    }
    answers
}

/// Answers, or the words of errors.
fn said(answers: impl IntoIterator<Item = Result<Output, CallError>>) -> Value {
    let one = |answer: Result<Output, CallError>| match answer {
        Ok(output) => json!(output),
        Err(error) => json!({ "error": error.to_string() }),
    };
    answers.into_iter().map(one).collect()
}

fn embedded(answers: impl IntoIterator<Item = Result<Array, CallError>>) -> Value {
    said(
        answers
            .into_iter()
            .map(|answer| answer.map(|array| Vector::new(array).into())),
    )
}

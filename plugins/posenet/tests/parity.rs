//! The network and the whole model against what onnxruntime computed from the same weights.

use modelzoo_candle::{
    device::Placement,
    testing::{Photograph, assert_close, load_error, load_options, numbers, tensor},
    weights::Weights,
};
use modelzoo_plugin_api::{
    ErrorKind, LoadOptions, ModelSource, Output, PredictOptions,
    label::{Keypoint, Label},
};
use posenet::{Source, posenet};
use std::path::{Path, PathBuf};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn weights_file() -> PathBuf {
    folder("weights/posenet.safetensors")
}

fn predict(people: &str, name: &str, options: &PredictOptions) -> Vec<Keypoint> {
    let settings = load_options([("people", people.into())]);
    let model = Source
        .load_model("posenet-coco", &weights_file(), settings)
        .unwrap();
    let photograph = Photograph::open(folder(&format!("../../examples/photos/{name}.jpg")));
    match model.predict(&photograph.image(), options).unwrap() {
        Output::Label(Label::Keypoints(found)) => found.keypoints,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn heatmaps_and_offsets_are_onnxruntime_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = posenet(&weights, &Placement::cpu()).unwrap();
    for photograph in ["astronaut", "chelsea"] {
        let golden = format!("../../tests/fixtures/golden/{photograph}.posenet.safetensors");
        let golden = Weights::open(folder(&golden)).unwrap();
        let outputs = network.forward(&tensor(&golden, "input")).unwrap();
        for (output, name) in outputs.iter().zip(["heatmap", "offset"]) {
            let expected = golden.tensor(name).unwrap();
            assert_eq!(output.dims(), expected.dims());
            let what = format!("{photograph}, {name}");
            assert_close(&numbers(output), expected.data(), 1e-4, &what);
        }
    }
}

/// The keypoints of the astronaut that onnxruntime is sure of, as `(index, [x, y], score)`.
fn sure_keypoints() -> Vec<(usize, [f64; 2], f64)> {
    let facts = std::fs::read(folder("../../tests/fixtures/golden/astronaut.json")).unwrap();
    let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
    let names = keypoint_names();
    let scores: Vec<f64> = serde_json::from_value(facts["posenet"]["confidence"].clone()).unwrap();
    let points = &facts["posenet"]["points"];
    let all = names
        .iter()
        .zip(scores)
        .enumerate()
        .map(|(index, (name, score))| {
            (
                index,
                serde_json::from_value(points[name].clone()).unwrap(),
                score,
            )
        });
    all.filter(|(_, _, score)| *score > 0.9).collect()
}

fn keypoint_names() -> Vec<String> {
    let model = Source
        .load_model("posenet-coco", &weights_file(), LoadOptions::default())
        .unwrap();
    model.info().keypoints
}

#[test]
fn a_person_s_keypoints_are_found_in_a_photograph() {
    let sure = sure_keypoints();
    assert!(sure.len() >= 5);
    // Several people are put together along displacements, and the one to the shoulder ends a cell beside its maximum:
    // only the head is compared.
    for (people, compared) in [("one", 17), ("several", 5)] {
        let found = predict(people, "astronaut", &PredictOptions::default());
        assert!(!found.is_empty());
        let scores = found[0].confidence.as_ref().unwrap();
        assert_eq!((found[0].points.len(), scores.len()), (17, 17));
        for (index, [x, y], score) in sure.iter().filter(|(index, ..)| *index < compared) {
            let [found_x, found_y] = found[0].points[*index];
            let distance = (found_x - x).hypot(found_y - y);
            assert!(distance < 0.02, "{people}, keypoint {index}: off by {distance}");
            let difference = scores[*index] - score;
            assert!(
                difference.abs() < 0.05,
                "{people}, keypoint {index}: off by {difference}"
            );
        }
    }
}

#[test]
fn unsure_points_are_missing_and_empty_scenes_have_nobody() {
    let mut options = PredictOptions::default();
    options.confidence_threshold = Some(0.5);
    let one = predict("one", "astronaut", &options).remove(0);
    for ([x, y], score) in one.points.iter().zip(one.confidence.unwrap()) {
        assert_eq!(x.is_nan() && y.is_nan(), score < 0.5);
    }
    assert!(predict("several", "coffee", &options).is_empty());
}

#[test]
fn wrong_names_options_and_weights_are_errors() {
    let kind = |name, path: &Path, options| load_error(&Source, name, path, options);
    let (name, none) = ("posenet-coco", LoadOptions::default());
    assert_eq!(
        kind("other", &weights_file(), none.clone()),
        ErrorKind::InvalidOption
    );
    for (option, value) in [("people", "all".into()), ("nms_radius", (-1.0).into())] {
        assert_eq!(
            kind(name, &weights_file(), load_options([(option, value)])),
            ErrorKind::InvalidOption,
            "{option}"
        );
    }
    assert_eq!(kind(name, &folder("manifest.json"), none), ErrorKind::Weights);
}

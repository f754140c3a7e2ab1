//! The network and the whole model against what onnxruntime computed from the same weights.

use modelzoo_candle::{
    candle_core::{Device, Tensor},
    device::Placement,
    weights::Weights,
};
use modelzoo_plugin_api::{
    ErrorKind, Image, LoadOptions, ModelSource, Output, PredictOptions,
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

fn predict(people: &str, photograph: &str, options: &PredictOptions) -> Vec<Keypoint> {
    let mut load_options = LoadOptions::default();
    load_options.settings.insert("people".to_owned(), people.into());
    let model = Source
        .load_model("posenet-coco", &weights_file(), load_options)
        .unwrap();
    let bytes = std::fs::read(folder(&format!("../../examples/photos/{photograph}.jpg"))).unwrap();
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let image = Image::new(width, height, &pixels).unwrap();
    match model.predict(&image, options).unwrap() {
        Output::Label(Label::Keypoints(found)) => found.keypoints,
        other => panic!("{photograph}: {other:?}"),
    }
}

#[test]
fn heatmaps_and_offsets_are_onnxruntime_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = posenet(&weights, &Placement::cpu()).unwrap();
    for photograph in ["astronaut", "chelsea"] {
        let golden = folder(&format!(
            "../../tests/fixtures/golden/{photograph}.posenet.safetensors"
        ));
        let golden = Weights::open(golden).unwrap();
        let input = golden.tensor("input").unwrap();
        let input = Tensor::from_slice(input.data(), input.dims(), &Device::Cpu).unwrap();
        for (output, name) in network.forward(&input).unwrap().iter().zip(["heatmap", "offset"]) {
            let expected = golden.tensor(name).unwrap();
            assert_eq!(output.dims(), expected.dims());
            let found: Vec<f32> = output.flatten_all().unwrap().to_vec1().unwrap();
            let largest = expected
                .data()
                .iter()
                .fold(0f32, |largest, value| largest.max(value.abs()));
            let worst = found
                .iter()
                .zip(expected.data())
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(
                worst <= 1e-4 * largest,
                "{photograph}, {name}: off by {worst} of {largest}"
            );
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
    let kind = |name: &str, path: &Path, option: Option<(&str, serde_json::Value)>| {
        let mut options = LoadOptions::default();
        options
            .settings
            .extend(option.map(|(name, value)| (name.to_owned(), value)));
        match Source.load_model(name, path, options) {
            Ok(_) => panic!("loaded"),
            Err(error) => error.kind(),
        }
    };
    let name = "posenet-coco";
    assert_eq!(kind("other", &weights_file(), None), ErrorKind::InvalidOption);
    assert_eq!(
        kind(name, &weights_file(), Some(("people", "all".into()))),
        ErrorKind::InvalidOption
    );
    assert_eq!(
        kind(name, &weights_file(), Some(("nms_radius", (-1.0).into()))),
        ErrorKind::InvalidOption
    );
    assert_eq!(kind(name, &folder("manifest.json"), None), ErrorKind::Weights);
}

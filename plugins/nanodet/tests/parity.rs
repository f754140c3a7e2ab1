//! The network and the whole model against what onnxruntime computed from the same weights.

use modelzoo_candle::{
    detection::Corners,
    device::Placement,
    testing::{Photograph, assert_close, load_error, load_options, tensor},
    weights::Weights,
};
use modelzoo_plugin_api::{
    ErrorKind, LoadOptions, Model, ModelSource, Output, PredictOptions, label::Detection, label::Label,
};
use nanodet::{Source, nanodet_g};
use std::path::{Path, PathBuf};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn weights_file() -> PathBuf {
    folder("weights/nanodet_g.safetensors")
}

fn load(options: LoadOptions) -> Box<dyn Model> {
    Source
        .load_model("nanodet-g-coco", &weights_file(), options)
        .unwrap()
}

fn detect(model: &dyn Model, name: &str, options: &PredictOptions) -> Vec<Detection> {
    let photograph = Photograph::open(folder(&format!("../../examples/photos/{name}.jpg")));
    match model.predict(&photograph.image(), options).unwrap() {
        Output::Label(Label::Detections(found)) => found.detections,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn raw_outputs_are_onnxruntime_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = nanodet_g(&weights, &Placement::cpu()).unwrap();
    for photograph in ["astronaut", "chelsea"] {
        let golden = format!("../../tests/fixtures/golden/{photograph}.nanodet.safetensors");
        let golden = Weights::open(folder(&golden)).unwrap();
        let outputs = network.forward(&tensor(&golden, "input")).unwrap();
        for (output, stride) in outputs.iter().zip([8, 16, 32]) {
            let output: Vec<Vec<f32>> = output.squeeze(0).unwrap().to_vec2().unwrap();
            let scores = output
                .iter()
                .flat_map(|cell| &cell[..80])
                .map(|logit| 1.0 / (1.0 + (-logit).exp()));
            let boxes = output.iter().flat_map(|cell| &cell[80..]).copied();
            for (name, found) in [("scores", scores.collect::<Vec<_>>()), ("boxes", boxes.collect())] {
                let expected = golden.tensor(&format!("{name}_s{stride}")).unwrap();
                let what = format!("{photograph}, {name} of stride {stride}");
                assert_close(&found, expected.data(), 1e-4, &what);
            }
        }
    }
}

#[test]
fn the_same_objects_are_found_in_photographs() {
    let model = load(LoadOptions::default());
    for photograph in ["astronaut", "chelsea", "coffee", "rocket"] {
        let found = detect(&*model, photograph, &PredictOptions::default());
        let facts = std::fs::read(folder(&format!("../../tests/fixtures/golden/{photograph}.json"))).unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
        let expected = facts["nanodet_g"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{photograph}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.label.as_deref(), expected["label"].as_str(), "{photograph}");
            let difference = found.confidence.unwrap() - expected["confidence"].as_f64().unwrap();
            assert!(difference.abs() < 0.02, "{photograph}: score off by {difference}");
            let bounding_box: [f64; 4] = serde_json::from_value(expected["bounding_box"].clone()).unwrap();
            let overlap = corners(found.bounding_box).intersection_over_union(corners(bounding_box));
            assert!(
                overlap > 0.95,
                "{photograph}: {:?} instead of {bounding_box:?}",
                found.bounding_box
            );
        }
    }
}

fn corners(bounding_box: [f64; 4]) -> Corners {
    let [x, y, width, height] = bounding_box.map(|value| value as f32);
    Corners::new(x, y, x + width, y + height)
}

#[test]
fn options_choose_what_is_found() {
    let mut options = PredictOptions::default();
    options.classes = Some(vec!["cat".to_owned()]);
    let cats = detect(&*load(LoadOptions::default()), "chelsea", &options);
    assert_eq!(cats.len(), 1);
    options.confidence_threshold = Some(0.5);
    assert!(detect(&*load(LoadOptions::default()), "chelsea", &options).is_empty());

    let settings = load_options([("max_detections", 2.into()), ("score_threshold", 0.0.into())]);
    let two = detect(&*load(settings), "chelsea", &PredictOptions::default());
    assert_eq!(
        two.iter()
            .map(|one| one.label.as_deref().unwrap())
            .collect::<Vec<_>>(),
        ["person", "cat"]
    );
}

#[test]
fn wrong_names_options_and_weights_are_errors() {
    let kind = |name, path: &Path, options| load_error(&Source, name, path, options);
    let (name, none) = ("nanodet-g-coco", LoadOptions::default());
    assert_eq!(
        kind("other", &weights_file(), none.clone()),
        ErrorKind::InvalidOption
    );
    for (option, value) in [("nms_iou", 1.5.into()), ("nms_uoi", 0.5.into())] {
        assert_eq!(
            kind(name, &weights_file(), load_options([(option, value)])),
            ErrorKind::InvalidOption,
            "{option}"
        );
    }
    assert_eq!(kind(name, &folder("manifest.json"), none), ErrorKind::Weights);
}

//! The network and the whole model against what onnxruntime computed from the same weights.

use modelzoo_candle::{
    candle_core::{Device, Tensor},
    detection::Corners,
    device::Placement,
    weights::Weights,
};
use modelzoo_plugin_api::{
    ErrorKind, Image, LoadOptions, Model, ModelSource, Output, PredictOptions, label::Detection, label::Label,
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

fn detect(model: &dyn Model, photograph: &str, options: &PredictOptions) -> Vec<Detection> {
    let bytes = std::fs::read(folder(&format!("../../examples/photos/{photograph}.jpg"))).unwrap();
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let image = Image::new(width, height, &pixels).unwrap();
    match model.predict(&image, options).unwrap() {
        Output::Label(Label::Detections(found)) => found.detections,
        other => panic!("{photograph}: {other:?}"),
    }
}

#[test]
fn raw_outputs_are_onnxruntime_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = nanodet_g(&weights, &Placement::cpu()).unwrap();
    for photograph in ["astronaut", "chelsea"] {
        let golden = folder(&format!(
            "../../tests/fixtures/golden/{photograph}.nanodet.safetensors"
        ));
        let golden = Weights::open(golden).unwrap();
        let input = golden.tensor("input").unwrap();
        let input = Tensor::from_slice(input.data(), input.dims(), &Device::Cpu).unwrap();
        for (output, stride) in network.forward(&input).unwrap().iter().zip([8, 16, 32]) {
            let output: Vec<Vec<f32>> = output.squeeze(0).unwrap().to_vec2().unwrap();
            let scores = output
                .iter()
                .flat_map(|cell| &cell[..80])
                .map(|logit| 1.0 / (1.0 + (-logit).exp()));
            let boxes = output.iter().flat_map(|cell| &cell[80..]).copied();
            for (name, found) in [("scores", scores.collect::<Vec<_>>()), ("boxes", boxes.collect())] {
                let expected = golden.tensor(&format!("{name}_s{stride}")).unwrap();
                assert_eq!(found.len(), expected.data().len());
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
                    "{photograph}, {name} of stride {stride}: off by {worst} of {largest}"
                );
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

    let mut load_options = LoadOptions::default();
    load_options
        .settings
        .insert("max_detections".to_owned(), 2.into());
    load_options
        .settings
        .insert("score_threshold".to_owned(), 0.0.into());
    let two = detect(&*load(load_options), "chelsea", &PredictOptions::default());
    assert_eq!(
        two.iter()
            .map(|one| one.label.as_deref().unwrap())
            .collect::<Vec<_>>(),
        ["person", "cat"]
    );
}

#[test]
fn wrong_names_options_and_weights_are_errors() {
    let kind = |name: &str, path: &Path, option: Option<(&str, f64)>| {
        let mut options = LoadOptions::default();
        options
            .settings
            .extend(option.map(|(name, value)| (name.to_owned(), value.into())));
        match Source.load_model(name, path, options) {
            Ok(_) => panic!("loaded"),
            Err(error) => error.kind(),
        }
    };
    let name = "nanodet-g-coco";
    assert_eq!(kind("other", &weights_file(), None), ErrorKind::InvalidOption);
    assert_eq!(
        kind(name, &weights_file(), Some(("nms_iou", 1.5))),
        ErrorKind::InvalidOption
    );
    assert_eq!(
        kind(name, &weights_file(), Some(("nms_uoi", 0.5))),
        ErrorKind::InvalidOption
    );
    assert_eq!(kind(name, &folder("manifest.json"), None), ErrorKind::Weights);
}

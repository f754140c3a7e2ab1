//! The network and the whole model against what onnxruntime computed from the same weights.

use modelzoo_candle::{
    device::Placement,
    testing::{Photograph, load_error, load_options, numbers, tensor},
    weights::Weights,
};
use modelzoo_plugin_api::{ErrorKind, LoadOptions, ModelSource, Output, PredictOptions, label::Label};
use std::path::{Path, PathBuf};
use u2netp::{Source, u2netp};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn weights_file() -> PathBuf {
    folder("weights/u2netp.safetensors")
}

fn golden(photograph: &str) -> Weights {
    let name = format!("../../tests/fixtures/golden/{photograph}.u2netp.safetensors");
    Weights::open(folder(&name)).unwrap()
}

/// The map that onnxruntime computed.
fn saliency(photograph: &str) -> Vec<f32> {
    golden(photograph).tensor("saliency").unwrap().data().to_vec()
}

fn predict(output: &str, name: &str) -> Label {
    let settings = load_options([("output", output.into())]);
    let model = Source
        .load_model("u2netp-saliency", &weights_file(), settings)
        .unwrap();
    let photograph = Photograph::open(folder(&format!("../../examples/photos/{name}.jpg")));
    let options = PredictOptions::default();
    match model.predict(&photograph.image(), &options).unwrap() {
        Output::Label(label) => label,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn the_saliency_is_onnxruntime_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = u2netp(&weights, &Placement::cpu()).unwrap();
    for photograph in ["astronaut", "chelsea"] {
        let input = tensor(&golden(photograph), "input");
        let found = numbers(&network.forward(&input).unwrap()[0]);
        let expected = saliency(photograph);
        assert_eq!(found.len(), expected.len());
        let differences = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0, f32::max);
        assert!(worst < 1e-3, "{photograph}: off by {worst}");
    }
}

#[test]
fn a_photograph_s_map_mask_and_objects_agree() {
    for photograph in ["astronaut", "chelsea"] {
        let expected = saliency(photograph);
        let Label::Heatmap(heatmap) = predict("heatmap", photograph) else {
            panic!("no map")
        };
        let map = heatmap.map.unwrap();
        assert_eq!((map.shape(), heatmap.range), (&[320, 320][..], Some([0.0, 1.0])));
        let pairs = map.as_f32().unwrap().iter().zip(&expected);
        let difference: f32 = pairs.map(|(found, expected)| (found - expected).abs()).sum();
        assert!(
            difference / (320.0 * 320.0) < 0.01,
            "{photograph}: off by {difference} in all"
        );

        let Label::Segmentation(segmentation) = predict("segmentation", photograph) else {
            panic!("no mask")
        };
        let covered: f64 = segmentation.mask.unwrap().to_f64().iter().sum();
        let above = expected.iter().filter(|&&value| value > 0.5).count() as f64;
        assert!(
            (covered / above - 1.0).abs() < 0.02,
            "{photograph}: {covered} pixels instead of {above}"
        );

        let Label::Detections(found) = predict("detections", photograph) else {
            panic!("no objects")
        };
        let mut of_objects = 0.0;
        for detection in &found.detections {
            let mask = detection.mask.as_ref().unwrap();
            let [_, _, width, height] = detection.bounding_box;
            let size = [height, width].map(|side| (side * 320.0).round() as usize);
            assert_eq!(mask.shape(), size);
            of_objects += mask.to_f64().iter().sum::<f64>();
        }
        assert!(
            !found.detections.is_empty() && (of_objects / covered - 1.0).abs() < 0.02,
            "{photograph}"
        );
    }
}

#[test]
fn wrong_names_options_and_weights_are_errors() {
    let kind = |name, path: &Path, options| load_error(&Source, name, path, options);
    let (name, none) = ("u2netp-saliency", LoadOptions::default());
    assert_eq!(
        kind("other", &weights_file(), none.clone()),
        ErrorKind::InvalidOption
    );
    for (option, value) in [("output", "boxes".into()), ("threshold", 2.0.into())] {
        assert_eq!(
            kind(name, &weights_file(), load_options([(option, value)])),
            ErrorKind::InvalidOption,
            "{option}"
        );
    }
    assert_eq!(kind(name, &folder("manifest.json"), none), ErrorKind::Weights);
}

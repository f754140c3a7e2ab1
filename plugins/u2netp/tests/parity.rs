//! The network and the whole model against what onnxruntime computed from the same weights.

use modelzoo_candle::{
    candle_core::{Device, Tensor},
    device::Placement,
    weights::Weights,
};
use modelzoo_plugin_api::{ErrorKind, Image, LoadOptions, ModelSource, Output, PredictOptions, label::Label};
use std::path::{Path, PathBuf};
use u2netp::{Source, u2netp};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn weights_file() -> PathBuf {
    folder("weights/u2netp.safetensors")
}

fn golden(photograph: &str) -> (Vec<f32>, Vec<f32>) {
    let file = folder(&format!(
        "../../tests/fixtures/golden/{photograph}.u2netp.safetensors"
    ));
    let golden = Weights::open(file).unwrap();
    let values = |name| golden.tensor(name).unwrap().data().to_vec();
    (values("input"), values("saliency"))
}

fn predict(output: &str, photograph: &str) -> Label {
    let mut options = LoadOptions::default();
    options.settings.insert("output".to_owned(), output.into());
    let model = Source
        .load_model("u2netp-saliency", &weights_file(), options)
        .unwrap();
    let bytes = std::fs::read(folder(&format!("../../examples/photos/{photograph}.jpg"))).unwrap();
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let image = Image::new(width, height, &pixels).unwrap();
    match model.predict(&image, &PredictOptions::default()).unwrap() {
        Output::Label(label) => label,
        other => panic!("{photograph}: {other:?}"),
    }
}

#[test]
fn the_saliency_is_onnxruntime_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = u2netp(&weights, &Placement::cpu()).unwrap();
    for photograph in ["astronaut", "chelsea"] {
        let (input, expected) = golden(photograph);
        let input = Tensor::from_vec(input, (1, 3, 320, 320), &Device::Cpu).unwrap();
        let found: Vec<f32> = network.forward(&input).unwrap()[0]
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        assert_eq!(found.len(), expected.len());
        let worst = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-3, "{photograph}: off by {worst}");
    }
}

#[test]
fn a_photograph_s_map_mask_and_objects_agree() {
    for photograph in ["astronaut", "chelsea"] {
        let (_, expected) = golden(photograph);
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
    let name = "u2netp-saliency";
    assert_eq!(kind("other", &weights_file(), None), ErrorKind::InvalidOption);
    assert_eq!(
        kind(name, &weights_file(), Some(("output", "boxes".into()))),
        ErrorKind::InvalidOption
    );
    assert_eq!(
        kind(name, &weights_file(), Some(("threshold", 2.0.into()))),
        ErrorKind::InvalidOption
    );
    assert_eq!(kind(name, &folder("manifest.json"), None), ErrorKind::Weights);
}

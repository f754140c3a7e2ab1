//! The network and the whole model against what torchvision computed from the same weights.

use mobilenet_v2::{Source, mobilenet_v2};
use modelzoo_candle::{
    candle_core::Tensor,
    device::Placement,
    testing::{Photograph, assert_close, load_error, load_options, tensor},
    weights::Weights,
};
use modelzoo_plugin_api::{
    ErrorKind, Image, LoadOptions, Model, ModelSource, Output, PredictOptions, label::Label,
};
use std::path::{Path, PathBuf};

/// The decoder here differs from libjpeg-turbo, which torchvision's numbers come from, by a few levels in some pixels.
const DECODER_TOLERANCE: f64 = 0.05;

const PHOTOGRAPHS: [&str; 4] = ["astronaut", "chelsea", "coffee", "rocket"];

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn weights_file() -> PathBuf {
    folder("weights/mobilenet_v2.safetensors")
}

fn load() -> Box<dyn Model> {
    Source
        .load_model("mobilenet-v2-imagenet", &weights_file(), LoadOptions::default())
        .unwrap()
}

fn golden(photograph: &str) -> Weights {
    let name = format!("../../tests/fixtures/golden/{photograph}.mobilenet_v2.safetensors");
    Weights::open(folder(&name)).unwrap()
}

fn photograph(name: &str) -> Photograph {
    Photograph::open(folder(&format!("../../examples/photos/{name}.jpg")))
}

#[test]
fn logits_and_embeddings_are_torchvision_s() {
    let weights = Weights::open(weights_file()).unwrap();
    let network = mobilenet_v2(&weights, &Placement::cpu()).unwrap();
    let network = network.with_outputs(&["logits", "<classifier.1"]).unwrap();
    let tensors = PHOTOGRAPHS.map(golden);
    let inputs: Vec<Tensor> = tensors.iter().map(|golden| tensor(golden, "input")).collect();
    let outputs = network.forward(&Tensor::cat(&inputs, 0).unwrap()).unwrap();
    for (output, name) in outputs.iter().zip(["logits", "embedding"]) {
        for (row, (golden, photograph)) in output
            .to_vec2::<f32>()
            .unwrap()
            .iter()
            .zip(tensors.iter().zip(PHOTOGRAPHS))
        {
            assert_close(
                row,
                golden.tensor(name).unwrap().data(),
                1e-4,
                &format!("{name} of {photograph}"),
            );
        }
    }
}

#[test]
fn a_photograph_gets_torchvision_s_class_logits_and_embedding() {
    let model = load();
    let mut options = PredictOptions::default();
    options.store_logits = true;
    for name in PHOTOGRAPHS {
        let photograph = photograph(name);
        let image = photograph.image();
        let Output::Label(Label::Classification(label)) = model.predict(&image, &options).unwrap() else {
            panic!("{name}: no classification")
        };
        let facts = std::fs::read(folder(&format!("../../tests/fixtures/golden/{name}.json"))).unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
        let expected = &facts["mobilenet_v2"]["top5"][0];
        assert_eq!(label.label.as_deref(), expected["label"].as_str(), "{name}");
        let difference = label.confidence.unwrap() - expected["confidence"].as_f64().unwrap();
        assert!(
            difference.abs() < DECODER_TOLERANCE,
            "{name}: confidence off by {difference}"
        );
        let golden = golden(name);
        assert_close(
            label.logits.unwrap().as_f32().unwrap(),
            golden.tensor("logits").unwrap().data(),
            DECODER_TOLERANCE as f32,
            name,
        );
        let embedding = model.embed(&image).unwrap();
        assert_close(
            embedding.as_f32().unwrap(),
            golden.tensor("embedding").unwrap().data(),
            DECODER_TOLERANCE as f32,
            name,
        );
    }
}

#[test]
fn pictures_of_a_batch_do_not_change_each_other() {
    let model = load();
    let decoded = PHOTOGRAPHS.map(photograph);
    let images: Vec<Image> = decoded.iter().map(Photograph::image).collect();
    let options = PredictOptions::default();
    let confidence = |output: &Output| match output {
        Output::Label(Label::Classification(label)) => label.confidence.unwrap(),
        other => panic!("{other:?}"),
    };
    let batch = model.predict_all(&images, &options).unwrap();
    for (image, together) in images.iter().zip(batch) {
        let alone = confidence(&model.predict(image, &options).unwrap());
        assert!((alone - confidence(&together.unwrap())).abs() < 1e-5);
    }
}

#[test]
fn any_layer_can_be_the_embedding() {
    let photograph = photograph("coffee");
    for (layer, shape) in [
        ("features.18.0", vec![1280, 7, 7]),
        ("<features.14.conv.0.0", vec![96, 14, 14]),
    ] {
        let options = load_options([("embeddings_layer", layer.into())]);
        let model = Source
            .load_model("mobilenet-v2-imagenet", &weights_file(), options)
            .unwrap();
        assert_eq!(model.embed(&photograph.image()).unwrap().shape(), shape);
    }
}

#[test]
fn wrong_names_options_and_weights_are_errors() {
    let kind = |name, path: &Path, options| load_error(&Source, name, path, options);
    let name = "mobilenet-v2-imagenet";
    assert_eq!(
        kind("other", &weights_file(), LoadOptions::default()),
        ErrorKind::InvalidOption
    );
    for (option, value) in [
        ("embedding_layer", "classifier.1"),
        ("embeddings_layer", "classifier.7"),
    ] {
        let options = load_options([(option, value.into())]);
        assert_eq!(
            kind(name, &weights_file(), options),
            ErrorKind::InvalidOption,
            "{option}"
        );
    }
    for wrong in [
        "weights/none.safetensors",
        "manifest.json",
        "../nanodet/weights/nanodet_g.safetensors",
    ] {
        assert_eq!(
            kind(name, &folder(wrong), LoadOptions::default()),
            ErrorKind::Weights,
            "{wrong}"
        );
    }
}

use super::*;
use crate::{
    device::Placement,
    network::{NetworkBuilder, RandomParameters},
};
use modelzoo_plugin_api::{
    ErrorKind, Model, Output, PredictOptions,
    label::{Classification, Label},
};

/// The means of the three channels, as a vector and as a map of 1 x 1.
fn means() -> Network {
    let parameters = RandomParameters::new(0);
    let mut network = NetworkBuilder::new(&parameters);
    let image = network.input("image", [3, 4, 4]).unwrap();
    let map = network.adaptive_avg_pool2d(image, [1, 1]).unwrap();
    let vector = network.flatten(map).unwrap();
    network.build(&[vector, map], &Placement::cpu()).unwrap()
}

/// Pictures of one colour, of several sizes.
const COLOURS: [([u8; 3], usize); 3] = [([255, 0, 51], 4), ([0, 255, 0], 6), ([51, 102, 255], 4)];

fn with_images<T>(act: impl FnOnce(&[Image<'_>]) -> T) -> T {
    let pixels = COLOURS.map(|(colour, side)| colour.repeat(side * side));
    let images: Vec<Image<'_>> = COLOURS
        .iter()
        .zip(&pixels)
        .map(|((_, side), pixels)| Image::new(*side, *side, pixels).unwrap())
        .collect();
    act(&images)
}

fn expected() -> Vec<Vec<f32>> {
    let parts = |(colour, _): ([u8; 3], usize)| colour.map(|part| f32::from(part) / 255.0).to_vec();
    COLOURS.map(parts).to_vec()
}

fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }
}

#[test]
fn each_picture_has_its_outputs_whatever_its_size() {
    let network = PictureNetwork::new(Preprocessing::new(), means()).unwrap();
    with_images(|images| {
        let rows = network.rows(images, 0).unwrap();
        let arrays = network.arrays(images, 1).unwrap();
        let sums = network
            .run(images, |outputs| Ok(outputs[0][0] + outputs[1][1]))
            .unwrap();
        for (index, expected) in expected().into_iter().enumerate() {
            assert_near(rows[index].as_ref().unwrap(), &expected);
            let array = arrays[index].as_ref().unwrap();
            assert_eq!(array.shape(), [3, 1, 1]);
            assert_near(array.as_f32().unwrap(), &expected);
            assert_near(&[*sums[index].as_ref().unwrap()], &[expected[0] + expected[1]]);
        }
    });
}

#[test]
fn what_is_wrong_with_one_picture_costs_only_itself() {
    let network = PictureNetwork::new(Preprocessing::new(), means()).unwrap();
    with_images(|images| {
        let results = network
            .run(images, |outputs| {
                if outputs[0][1] > 0.9 {
                    return Err(Error::new("too green"));
                }
                Ok(())
            })
            .unwrap();
        let failed: Vec<bool> = results.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, true, false]);
        let missing = network.rows(images, 2).unwrap_err();
        assert!(missing.message().contains("2 outputs"), "{missing}");
    });
}

#[test]
fn a_classifier_is_a_model() {
    let model = PictureClassifier::new(Preprocessing::new(), means(), ["red", "green", "blue"]).unwrap();
    let info = model.info();
    assert!(info.has_embeddings && info.has_logits);
    with_images(|images| {
        let outputs = model.predict_all(images, &PredictOptions::default()).unwrap();
        let names: Vec<Option<String>> = outputs
            .into_iter()
            .map(|output| match output.unwrap() {
                Output::Label(Label::Classification(Classification { label, .. })) => label,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["red", "green", "blue"].map(|name| Some(name.to_owned())));
        let alone = model.embed(&images[2]).unwrap();
        assert_near(alone.as_f32().unwrap(), &expected()[2]);
    });
}

#[test]
fn a_classifier_without_a_second_output_embeds_nothing() {
    let network = means().with_outputs(&["flatten"]).unwrap();
    let model = PictureClassifier::new(Preprocessing::new(), network, ["red", "green", "blue"]).unwrap();
    assert!(!model.info().has_embeddings);
    let error = with_images(|images| model.embed_all(images)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn there_are_as_many_names_as_logits() {
    let error = PictureClassifier::new(Preprocessing::new(), means(), ["red"]).unwrap_err();
    assert!(
        error.message().contains("1 classes") && error.message().contains("3 apart"),
        "{error}"
    );
}

use super::*;
use crate::label::{
    Classification, Detection, Detections, Heatmap, Keypoint, Keypoints, Label, Regression, Segmentation,
    Vector,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn round_trip(outputs: Vec<Result<Output>>) -> Vec<Result<Output>> {
    let count = outputs.len();
    let (message, buffers) = encode_outputs(outputs).unwrap();
    let bytes: Vec<&[u8]> = buffers.iter().map(ReplyBuffer::bytes).collect();
    decode_outputs(&message, &bytes, count).unwrap()
}

fn mask() -> impl Strategy<Value = Array> {
    (1usize..5, 1usize..5).prop_flat_map(|(height, width)| {
        prop::collection::vec(0u8..=1, height * width)
            .prop_map(move |mask| Array::new([height, width], mask).unwrap())
    })
}

fn detection() -> impl Strategy<Value = Detection> {
    (
        ".*",
        prop::array::uniform4(-1.0f64..2.0),
        prop::option::of(mask()),
        0.0f64..1.0,
        any::<i64>(),
    )
        .prop_map(|(label, bounding_box, mask, confidence, index)| {
            let mut detection = Detection::new(label, bounding_box)
                .with_confidence(confidence)
                .with_index(index);
            detection.mask = mask;
            detection.attributes.insert(
                "area".into(),
                serde_json::json!({"pixels": [1, 2.5, null, "many"]}),
            );
            detection
        })
}

fn label() -> impl Strategy<Value = Label> {
    prop_oneof![
        (".*", prop::collection::vec(-9.0f32..9.0, 0..9)).prop_map(|(label, logits)| Classification::new(
            label
        )
        .with_confidence(0.5)
        .with_logits(Array::vector(logits))
        .into()),
        prop::collection::vec(detection(), 0..4).prop_map(|detections| Detections::new(detections).into()),
        mask().prop_map(|mask| Segmentation::new(mask).into()),
        mask().prop_map(|map| Heatmap::new(map).with_range(0.0, 1.0).into()),
        (-1e9f64..1e9).prop_map(|value| Regression::new(value).into()),
        prop::collection::vec(prop::array::uniform2(0.0f64..1.0), 0..5)
            .prop_map(|points| Keypoints::new(vec![Keypoint::new(points)]).into()),
        prop::collection::vec(any::<i64>(), 0..9)
            .prop_map(|values| Vector::new(Array::vector(values)).into()),
    ]
}

fn output() -> impl Strategy<Value = Output> {
    prop_oneof![
        Just(Output::Nothing),
        label().prop_map(Output::Label),
        prop::collection::btree_map(".*", label(), 0..3).prop_map(Output::Labels),
        prop::collection::btree_map(any::<u64>(), label(), 0..3).prop_map(Output::Frames),
        prop::collection::btree_map(
            any::<u64>(),
            prop::collection::btree_map(".*", label(), 0..3),
            0..3
        )
        .prop_map(Output::FrameLabels),
    ]
}

proptest! {
    #[test]
    fn outputs_survive_the_journey(outputs in prop::collection::vec(output(), 0..4)) {
        let results: Vec<Result<Output>> = outputs.into_iter().map(Ok).collect();
        prop_assert_eq!(round_trip(results.clone()), results);
    }

    #[test]
    fn what_a_stranger_sends_is_an_error_at_worst(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // Only that it comes back matters: any answer but a panic will do.
        let _ = decode_outputs(&bytes, &[], 1);
        let _ = decode_embeddings(&bytes, &[&bytes], 1);
    }
}

#[test]
fn a_failed_item_leaves_the_others_alone() {
    let results = vec![
        Ok(Classification::new("cat").into()),
        Err(Error::new("too dark").with_kind(ErrorKind::InvalidInput)),
        Ok(Output::Nothing),
    ];
    assert_eq!(round_trip(results.clone()), results);
}

#[test]
fn nan_points_survive() {
    let keypoints = Keypoints::new(vec![Keypoint::new(vec![[f64::NAN, 0.5]])]);
    let back = round_trip(vec![Ok(keypoints.into())]).remove(0).unwrap();
    let Output::Label(Label::Keypoints(back)) = back else {
        panic!("{back:?}")
    };
    assert!(back.keypoints[0].points[0][0].is_nan());
}

#[test]
fn a_label_type_of_the_future_is_unknown_and_not_an_error() {
    let future = BTreeMap::from([("label", serde_json::json!({"_cls": "Hologram", "depth": 3}))]);
    let message = encode(&[Outcome::Done(future)]).unwrap();
    assert_eq!(
        decode_outputs(&message, &[], 1).unwrap(),
        [Ok(Output::Label(Label::Unknown))]
    );
}

#[test]
fn a_wrong_number_of_results_is_an_error() {
    let (message, _) = encode_outputs(vec![Ok(Output::Nothing)]).unwrap();
    let error = decode_outputs(&message, &[], 2).unwrap_err();
    assert!(
        error.to_string().contains("1 results for a batch of 2"),
        "{error}"
    );
}

#[test]
fn pixels_are_lent_and_not_copied() {
    let pixels = [7u8; 12];
    let images = decode_images(
        &[ImageRef {
            width: 2,
            height: 2,
            buffer: 0,
        }],
        &[&pixels],
    )
    .unwrap();
    assert!(std::ptr::eq(images[0].pixels(), &pixels));
    assert!(
        decode_images(
            &[ImageRef {
                width: 2,
                height: 2,
                buffer: 1
            }],
            &[&pixels]
        )
        .is_err()
    );
}

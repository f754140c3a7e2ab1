//! Labels of every type, to JSON and back.

use super::{
    array::{is_array, read_array},
    *,
};
use modelzoo_plugin_api::{Array, ElementType, Elements, label::*};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Labels of every type as FiftyOne 1.22.1 exports them.
fn exported() -> serde_json::Map<String, Value> {
    serde_json::from_str(include_str!("../../tests/labels/fiftyone.json")).expect("valid JSON")
}

/// The same JSON without ids, and with arrays as the arrays they hold: compressed bytes differ between libraries.
fn comparable(value: Value) -> Value {
    match value {
        array if is_array(&array) => {
            let array = read_array(&array).expect("an array");
            json!([
                array.shape(),
                format!("{:?}", array.element_type()),
                array.to_f64()
            ])
        }
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| name != "_id")
            .map(|(name, value)| (name, comparable(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(comparable).collect(),
        other => other,
    }
}

#[test]
fn labels_of_fiftyone_are_read_and_written_as_they_were() {
    for (name, value) in exported() {
        let mut expected = comparable(value.clone());
        if name == "det" {
            // The older dictionary of attributes is read and written as dynamic attributes.
            let older = expected["detections"][1]["attributes"].take();
            expected["detections"][1]["attributes"] = json!({});
            expected["detections"][1]["q"] = older["q"]["value"].clone();
        }
        let label = from_json(value).expect("a label");
        assert_eq!(comparable(to_json(&label)), expected, "{name}");
    }
}

#[test]
fn arrays_keep_their_types() {
    let exported = exported();
    let array_of = |name: &str, field: &str| read_array(&exported[name][field]).expect("an array");
    assert_eq!(array_of("cls", "logits"), Array::vector(vec![1.0f32, 2.5, -3.0]));
    assert_eq!(array_of("seg", "mask").element_type(), ElementType::U8);
    assert_eq!(array_of("seg16", "mask").element_type(), ElementType::I64);
    let mask = read_array(&exported["det"]["detections"][0]["mask"]).expect("an array");
    assert_eq!(
        mask,
        Array::new([2, 2], vec![true, false, false, true]).expect("fits")
    );
}

#[test]
fn a_detection_is_written_in_full() {
    let mut detection = Detection::new("cat", [0.25, 0.5, 0.0, 1.0]).with_confidence(0.9f32);
    detection.attributes.insert("crowd".into(), json!(true));
    detection
        .attributes
        .insert("label".into(), json!("not the class"));
    let text =
        serde_json::to_string(&LabelJson(&Detections::new(vec![detection]).into())).expect("serialisable");
    let expected = concat!(
        r#"{"_cls":"Detections","detections":[{"_cls":"Detection","tags":[],"label":"cat","#,
        r#""bounding_box":[0.25,0.5,0.0,1.0],"confidence":0.8999999761581421,"#,
        r#""attributes":{"label":{"_cls":"Attribute","value":"not the class"}},"crowd":true}]}"#
    );
    assert_eq!(text, expected);
}

#[test]
fn blank_labels_have_no_fields_but_tags() {
    assert_eq!(
        to_json(&Classification::blank().into()),
        json!({"_cls": "Classification", "tags": []})
    );
    assert_eq!(
        to_json(&Detections::default().into()),
        json!({"_cls": "Detections", "detections": []})
    );
}

#[test]
fn missing_points_are_not_a_number_in_extended_json() {
    let keypoint = Keypoint::new(vec![[f64::NAN, f64::INFINITY], [0.5, 0.25]]);
    let json = to_json(&keypoint.into());
    assert_eq!(
        json["points"],
        json!([[{"$numberDouble": "NaN"}, {"$numberDouble": "Infinity"}], [0.5, 0.25]])
    );
    let Label::Keypoint(read) = from_json(json).expect("a label") else {
        panic!("a keypoint")
    };
    assert!(read.points[0][0].is_nan() && read.points[0][1] == f64::INFINITY);
}

#[test]
fn values_that_are_no_labels_are_kept() {
    for value in [
        json!(0.5),
        json!("text"),
        json!([1.0, 2.0]),
        json!({"_cls": "Sphere", "radius": 2}),
        json!(null),
    ] {
        let label = from_json(value.clone()).expect("a plain value");
        assert_eq!(label, PlainValue::new(value.clone()).into());
        assert_eq!(to_json(&label), value);
    }
    assert_eq!(to_json(&Label::Unknown), Value::Null);
}

#[test]
fn errors_say_where_and_what() {
    for (json, message) in [
        (
            json!({"_cls": "Detections", "detections": [{}, {"bounding_box": [0, 1, 2]}]}),
            "detections[1].bounding_box: expected 4 numbers, not [0,1,2]",
        ),
        (
            json!({"_cls": "Keypoint", "points": [[0.5, "left"]]}),
            r#"points[0][1]: expected a number, not "left""#,
        ),
        (
            json!({"_cls": "Detections", "detections": {}}),
            "detections: expected a list, not {}",
        ),
        (
            json!({"_cls": "Classification", "label": 3}),
            "label: expected text, not 3",
        ),
        (
            json!({"_cls": "Segmentation", "mask": {"$binary": {"base64": "!"}}}),
            "mask: expected base64 of zlib of an NPY file, not Invalid symbol 33, offset 0.",
        ),
        (
            json!({"_cls": "TemporalDetection", "support": [-1, 5]}),
            "support[0]: expected a frame number, not -1",
        ),
    ] {
        assert_eq!(from_json(json).expect_err("no label").to_string(), message);
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "\\PC{0,6}"]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        0.0..1.0f64,
        any::<f64>().prop_filter("NaN equals nothing", |value| !value.is_nan())
    ]
}

fn points() -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec([number(), number()], 0..4)
}

fn array() -> impl Strategy<Value = Array> {
    let elements = |count: usize| {
        prop_oneof![
            prop::collection::vec(any::<bool>(), count).prop_map(Elements::from),
            prop::collection::vec(any::<u8>(), count).prop_map(Elements::from),
            prop::collection::vec(any::<u16>(), count).prop_map(Elements::from),
            prop::collection::vec(any::<i32>(), count).prop_map(Elements::from),
            prop::collection::vec(any::<i64>(), count).prop_map(Elements::from),
            prop::collection::vec(-1e9f32..1e9, count).prop_map(Elements::from),
            prop::collection::vec(number(), count).prop_map(Elements::from),
        ]
    };
    prop::collection::vec(0..4usize, 0..3)
        .prop_flat_map(move |shape| (elements(shape.iter().product()), Just(shape)))
        .prop_map(|(elements, shape)| Array::new(shape, elements).expect("as many as the shape says"))
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!([1, {"a": null}])),
        Just(json!({"_cls": "Attribute", "value": 7})),
    ];
    let name = prop_oneof![
        text(),
        Just("label".to_owned()),
        Just("attributes".to_owned()),
        Just("_id".to_owned())
    ];
    prop::collection::btree_map(name, value, 0..4)
}

/// Sets fields of a label that has a default only.
macro_rules! label {
    ($type:ident { $($field:ident),* }) => {{
        let mut label = $type::default();
        $(label.$field = $field;)*
        label
    }};
}

prop_compose! {
    fn classification()(
        label in prop::option::of(text()),
        confidence in prop::option::of(number()),
        logits in prop::option::of(array()),
        tags in prop::collection::vec(text(), 0..3),
        attributes in attributes(),
    ) -> Classification {
        label!(Classification { label, confidence, logits, tags, attributes })
    }
}

prop_compose! {
    fn detection()(
        label in prop::option::of(text()),
        bounding_box in [number(), number(), number(), number()],
        mask in prop::option::of(array()),
        mask_path in prop::option::of(text()),
        confidence in prop::option::of(number()),
        index in prop::option::of(any::<i64>()),
        tags in prop::collection::vec(text(), 0..3),
        attributes in attributes(),
    ) -> Detection {
        label!(Detection { label, bounding_box, mask, mask_path, confidence, index, tags, attributes })
    }
}

prop_compose! {
    fn polyline()(
        label in prop::option::of(text()),
        points in prop::collection::vec(points(), 0..3),
        confidence in prop::option::of(number()),
        index in prop::option::of(any::<i64>()),
        closed in any::<bool>(),
        filled in any::<bool>(),
        attributes in attributes(),
    ) -> Polyline {
        label!(Polyline { label, points, confidence, index, closed, filled, attributes })
    }
}

prop_compose! {
    fn keypoint()(
        label in prop::option::of(text()),
        points in points(),
        confidence in prop::option::of(prop::collection::vec(number(), 0..4)),
        index in prop::option::of(any::<i64>()),
        attributes in attributes(),
    ) -> Keypoint {
        label!(Keypoint { label, points, confidence, index, attributes })
    }
}

prop_compose! {
    fn temporal_detection()(
        label in prop::option::of(text()),
        support in [0..1u64 << 40, 0..1u64 << 40],
        confidence in prop::option::of(number()),
        attributes in attributes(),
    ) -> TemporalDetection {
        label!(TemporalDetection { label, support, confidence, attributes })
    }
}

prop_compose! {
    fn map_label()(
        array in prop::option::of(array()),
        path in prop::option::of(text()),
        range in prop::option::of([number(), number()]),
        tags in prop::collection::vec(text(), 0..3),
        is_heatmap in any::<bool>(),
    ) -> Label {
        if is_heatmap {
            let (map, map_path) = (array, path);
            label!(Heatmap { map, map_path, range, tags }).into()
        } else {
            let (mask, mask_path) = (array, path);
            label!(Segmentation { mask, mask_path, tags }).into()
        }
    }
}

prop_compose! {
    fn place()(
        point in prop::option::of([number(), number()]),
        line in prop::option::of(points()),
        polygon in prop::option::of(prop::collection::vec(points(), 0..3)),
    ) -> GeoLocation {
        label!(GeoLocation { point, line, polygon })
    }
}

fn label() -> impl Strategy<Value = Label> {
    let several = 0..3usize;
    prop_oneof![
        (prop::option::of(number()), attributes())
            .prop_map(|(value, attributes)| { label!(Regression { value, attributes }).into() }),
        classification().prop_map(Label::from),
        (
            prop::collection::vec(classification(), several.clone()),
            prop::option::of(array())
        )
            .prop_map(|(classifications, logits)| label!(Classifications {
                classifications,
                logits
            })
            .into()),
        detection().prop_map(Label::from),
        prop::collection::vec(detection(), several.clone()).prop_map(|all| Detections::new(all).into()),
        polyline().prop_map(Label::from),
        prop::collection::vec(polyline(), several.clone()).prop_map(|all| Polylines::new(all).into()),
        keypoint().prop_map(Label::from),
        prop::collection::vec(keypoint(), several.clone()).prop_map(|all| Keypoints::new(all).into()),
        map_label(),
        temporal_detection().prop_map(Label::from),
        prop::collection::vec(temporal_detection(), several)
            .prop_map(|all| TemporalDetections::new(all).into()),
        place().prop_map(Label::from),
        array().prop_map(|values| Vector::new(values).into()),
        text().prop_map(|value| PlainValue::new(value).into()),
    ]
}

proptest! {
    #[test]
    fn every_label_survives_json(label in label()) {
        let text = serde_json::to_string(&LabelJson(&label)).expect("serialisable");
        let value: Value = serde_json::from_str(&text).expect("valid JSON");
        prop_assert_eq!(from_json(value).expect("a label"), label);
    }

    #[test]
    fn both_ways_of_writing_agree(label in label()) {
        let text = serde_json::to_string(&LabelJson(&label)).expect("serialisable");
        let value: Value = serde_json::from_str(&text).expect("valid JSON");
        prop_assert_eq!(value, to_json(&label));
    }
}

//! Models of poses.

use super::*;
use modelzoo_plugin_api::{SampleFields, label::Keypoint};

fn find(model: &dyn Model, boxes: Value, options: &PredictOptions) -> Result<Vec<Keypoint>> {
    let pixels: Vec<u8> = (0..60 * 40 * 3).map(|value| (value * 7 % 251) as u8).collect();
    let image = Image::new(60, 40, &pixels).unwrap();
    let sample = SampleFields::from([("boxes".to_owned(), boxes)]);
    let samples = model.samples().unwrap();
    match samples.predict_samples(&[image], &[sample], options)?.remove(0)? {
        Output::Label(Label::Keypoints(found)) => Ok(found.keypoints),
        other => panic!("no keypoints: {other:?}"),
    }
}

#[test]
fn points_are_found_in_boxes_and_in_the_whole_picture() {
    let model = load(&golden("vitpose_simple"), json!({})).unwrap();
    let info = model.info();
    assert_eq!(info.keypoints, ["Nose", "L_Eye", "R_Eye", "L_Ear", "R_Ear"]);
    assert_eq!(info.skeleton, [[0, 1], [0, 2]]);
    assert_eq!(info.needed_fields, ["boxes", "prompt_field"]);
    let boxes = json!({"_cls": "Detections", "detections": [
        {"bounding_box": [0.0, 0.0, 1.0, 1.0], "label": "person", "index": 2},
        {"bounding_box": [0.2, 0.2, 0.3, 0.5], "label": "dog"},
        {"bounding_box": [0.2, 0.2, 0.0, 0.5], "label": "person"},
    ]});
    let all = find(model.as_ref(), boxes.clone(), &PredictOptions::default()).unwrap();
    // A box without an area has nobody in it.
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].label.as_deref(), all[0].index), (Some("person"), Some(2)));
    let mut options = PredictOptions::default();
    options.classes = Some(vec!["dog".to_owned()]);
    let dogs = find(model.as_ref(), boxes, &options).unwrap();
    assert_eq!(dogs.len(), 1);
    assert_eq!(dogs[0].confidence, all[1].confidence);
    let whole = find(model.as_ref(), Value::Null, &PredictOptions::default()).unwrap();
    assert_eq!(whole[0].confidence, all[0].confidence);
    assert_eq!(whole[0].label, None);
    let Output::Label(Label::Keypoints(found)) = predict(model.as_ref()) else {
        panic!("no keypoints");
    };
    assert_eq!(found.keypoints[0].confidence, whole[0].confidence);
    let outline = json!({"_cls": "Polyline", "points": [[[0.0, 0.0], [1.0, 1.0]]], "label": "person"});
    let found = find(model.as_ref(), outline, &PredictOptions::default()).unwrap();
    assert_eq!(found[0].confidence, all[0].confidence);
}

#[test]
fn malformed_settings_of_poses_are_one_clear_line() {
    for (key, value) in [
        ("model_type", json!("vit")),
        ("num_channels", json!(1)),
        ("mlp_ratio", json!("four")),
        ("part_features", json!(24)),
        ("out_indices", json!([0])),
        ("num_attention_heads", json!(5)),
        ("image_size", json!("large")),
    ] {
        let folder = changed("vitpose_experts", |config| config["backbone_config"][key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`backbone_config.{key}` in ")), "{text}");
    }
    let folder = changed("vitpose_simple", |config| config["edges"] = json!([[0, 9]]));
    assert!(refusal(folder.path()).1.contains("`edges` in "));
    let folder = changed("vitpose_simple", |config| {
        config["backbone_config"]["image_size"] = json!([64, 64]);
    });
    assert!(
        refusal(folder.path())
            .1
            .contains("takes pictures of 64 x 64 pixels only")
    );
    let error = load(&golden("vitpose_simple"), json!({"image_size": 64}))
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
}

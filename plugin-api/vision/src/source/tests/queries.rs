//! Models of masks by queries.

use super::*;

#[test]
fn queries_become_objects_or_classes_of_pixels() {
    let model = load(&golden("eomt_objects"), json!({"score_threshold": 0.0})).unwrap();
    assert_eq!(model.info().classes, ["cat", "house", "dog"]);
    let Output::Label(Label::Detections(objects)) = predict(model.as_ref()) else {
        panic!("no detections");
    };
    assert!(!objects.detections.is_empty() && objects.detections.len() <= 6);
    for object in &objects.detections {
        let mask = object.mask.as_ref().unwrap();
        let [_, _, width, height] = object.bounding_box;
        let shape = [height * 40.0, width * 60.0].map(|side| side.round() as usize);
        assert_eq!(mask.shape(), shape);
    }
    let none = load(&golden("eomt_objects"), json!({"score_threshold": 1.0})).unwrap();
    let Output::Label(Label::Detections(objects)) = predict(none.as_ref()) else {
        panic!("no detections");
    };
    assert!(objects.detections.is_empty());

    let model = load(&golden("eomt_pixels"), json!({})).unwrap();
    let Output::Label(Label::Segmentation(classes)) = predict(model.as_ref()) else {
        panic!("no segmentation");
    };
    assert_eq!(classes.mask.unwrap().shape(), [40, 60]);
}

#[test]
fn a_detector_s_objects_have_masks_in_their_boxes() {
    let model = load(&golden("rf_detr_masks"), json!({"score_threshold": 0.0})).unwrap();
    let Output::Label(Label::Detections(objects)) = predict(model.as_ref()) else {
        panic!("no detections");
    };
    // As many as there are queries at most: those without a pixel are none.
    assert!(objects.detections.len() <= 6);
    assert!(objects.detections.iter().all(|object| object.mask.is_some()));
    let folder = changed("rf_detr_masks", |config| {
        config["mask_downsample_ratio"] = json!(0)
    });
    assert!(refusal(folder.path()).1.contains("`mask_downsample_ratio` in "));
    let folder = changed("rf_detr_masks", |config| config["intermediate_size"] = json!(25));
    assert!(
        refusal(folder.path())
            .1
            .contains("but the network needs [25, 16]")
    );
}

#[test]
fn malformed_settings_of_queries_are_one_clear_line() {
    for (key, value) in [
        ("num_channels", json!(1)),
        ("mlp_ratio", json!(0)),
        ("num_blocks", json!(4)),
        ("num_upscale_blocks", json!(9)),
        ("num_attention_heads", json!(5)),
        ("image_size", json!("large")),
    ] {
        let folder = changed("eomt_objects", |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`{key}` in ")), "{text}");
    }
    let folder = changed("eomt_objects", |config| config["image_size"] = json!(72));
    assert!(
        refusal(folder.path())
            .1
            .contains("takes pictures of 72 x 72 pixels only")
    );
    let folder = changed("eomt_objects", |_| {});
    let path = folder.path().join("preprocessor_config.json");
    let processor: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (key, value) in [
        ("do_pad", json!(false)),
        ("do_resize", json!(false)),
        ("size", json!({"shortest_edge": 64, "longest_edge": 80})),
    ] {
        let mut processor = processor.clone();
        processor[key] = value;
        fs::write(&path, processor.to_string()).unwrap();
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`{key}` in ")), "{text}");
    }
}

//! Models that make masks of prompts.

use super::*;
use modelzoo_plugin_api::{SampleFields, label::Detection};

fn masks(model: &dyn Model, fields: &[(&str, Value)], options: &PredictOptions) -> Result<Vec<Detection>> {
    let pixels: Vec<u8> = (0..60 * 40 * 3).map(|value| (value * 7 % 251) as u8).collect();
    let image = Image::new(60, 40, &pixels).unwrap();
    let fields = fields.iter();
    let sample: SampleFields = fields
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let samples = model.samples().unwrap();
    match samples.predict_samples(&[image], &[sample], options)?.remove(0)? {
        Output::Label(Label::Detections(found)) => Ok(found.detections),
        other => panic!("no detections: {other:?}"),
    }
}

fn several_boxes(count: usize) -> Value {
    let one = |index: usize| {
        let start = index as f64 / 40.0;
        json!({"bounding_box": [start, start, 0.5, 0.4], "index": index})
    };
    json!({"_cls": "Detections", "detections": (0..count).map(one).collect::<Vec<_>>()})
}

#[test]
fn prompts_together_find_what_each_finds_alone() {
    for name in ["sam_windows", "sam2"] {
        let model = load(&golden(name), json!({})).unwrap();
        assert_eq!(model.info().needed_fields, ["boxes", "points", "prompt_field"]);
        let options = PredictOptions::default();
        // More than go through the network together, and of different numbers of tokens.
        let points = |count: usize| json!({"points": vec![[0.25, 0.5]; count], "label": count.to_string()});
        let points = json!({"_cls": "Keypoints", "keypoints": (0..11).map(|index| points(index % 3 + 1)).collect::<Vec<_>>()});
        let boxes = several_boxes(11);
        for (field, key, value) in [("boxes", "detections", &boxes), ("points", "keypoints", &points)] {
            let together = masks(model.as_ref(), &[(field, value.clone())], &options).unwrap();
            let mut alone = Vec::new();
            for one in value[key].as_array().unwrap() {
                let list = json!({"_cls": value["_cls"], key: [one]});
                alone.extend(masks(model.as_ref(), &[(field, list)], &options).unwrap());
            }
            assert!(!together.is_empty());
            assert_eq!(together, alone, "{name}: {field}");
        }
    }
}

#[test]
fn unsure_masks_are_left_out_and_masks_shrink_with_their_threshold() {
    let boxes = [("boxes", several_boxes(3))];
    let found = |settings: Value, threshold: Option<f64>| {
        let mut options = PredictOptions::default();
        options.confidence_threshold = threshold;
        masks(
            load(&golden("sam2"), settings).unwrap().as_ref(),
            &boxes,
            &options,
        )
        .unwrap()
    };
    let all = found(json!({}), None);
    let scores: Vec<f64> = all.iter().filter_map(|one| one.confidence).collect();
    let middle = scores.iter().copied().fold(f64::MIN, f64::max);
    let above = scores.iter().filter(|&&score| score >= middle).count();
    assert!(above < all.len());
    assert_eq!(found(json!({}), Some(middle)).len(), above);
    assert_eq!(found(json!({"score_threshold": 1.0}), None).len(), 0);
    let pixels = |found: &[Detection]| -> f64 {
        let masks = found.iter().filter_map(|one| one.mask.as_ref());
        masks.flat_map(|mask| mask.to_f64()).sum()
    };
    let fewer = found(json!({"mask_threshold": 0.3}), None);
    assert!(pixels(&fewer) < pixels(&all));
    assert!(found(json!({"mask_threshold": 1e9}), None).is_empty());
}

#[test]
fn nothing_that_points_is_an_error_that_says_what_to_give() {
    let model = load(&golden("sam_whole"), json!({})).unwrap();
    let image = Image::new(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    let options = PredictOptions::default();
    for error in [
        model.predict(&image, &options).unwrap_err(),
        masks(model.as_ref(), &[("boxes", Value::Null)], &options).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(
            error.to_string().contains("neither `boxes` nor `points`"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("keypoints"));
    }
}

#[test]
fn what_is_published_for_videos_is_one_for_pictures_as_well() {
    let folder = changed("sam2", |config| config["model_type"] = json!("sam2_video"));
    let boxes = [("boxes", several_boxes(1))];
    let options = PredictOptions::default();
    let of_videos = load(folder.path(), json!({})).unwrap();
    let of_pictures = load(&golden("sam2"), json!({})).unwrap();
    assert_eq!(
        masks(of_videos.as_ref(), &boxes, &options).unwrap(),
        masks(of_pictures.as_ref(), &boxes, &options).unwrap()
    );
}

#[test]
fn malformed_settings_of_segmenters_by_prompts_are_one_clear_line() {
    for (name, section, key, value) in [
        ("sam_windows", "vision_config", "num_channels", json!(1)),
        ("sam_windows", "vision_config", "image_size", json!([64, 32])),
        ("sam_windows", "vision_config", "patch_size", json!(7)),
        ("sam_windows", "vision_config", "num_attention_heads", json!(5)),
        ("sam_windows", "vision_config", "global_attn_indexes", json!([-1])),
        ("sam_windows", "vision_config", "hidden_act", json!("cosine")),
        ("sam_windows", "vision_config", "output_channels", json!(48)),
        ("sam_windows", "mask_decoder_config", "hidden_size", json!(30)),
        ("sam_windows", "mask_decoder_config", "iou_head_depth", json!(1)),
        (
            "sam_windows",
            "mask_decoder_config",
            "attention_downsample_rate",
            json!(3),
        ),
        ("sam2", "vision_config", "fpn_kernel_size", json!(3)),
        ("sam2", "vision_config", "num_feature_levels", json!(4)),
        ("sam2", "vision_config", "fpn_hidden_size", json!(24)),
        ("sam2", "mask_decoder_config", "num_attention_heads", json!(7)),
        (
            "sam2",
            "mask_decoder_config",
            "dynamic_multimask_stability_delta",
            json!("small"),
        ),
    ] {
        let folder = changed(name, |config| config[section][key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`{section}.{key}` in ")), "{text}");
    }
    for (key, value) in [
        ("image_size", json!([60, 60])),
        ("query_stride", json!([3, 3])),
        ("patch_stride", json!([2, 2])),
        ("blocks_per_stage", json!([1, 2])),
        ("embed_dim_per_stage", json!([16, 16, 32, 48])),
        ("window_size_per_stage", json!([8, 3, 6, 3])),
        ("num_query_pool_stages", json!(2)),
        ("global_attention_blocks", json!([3])),
    ] {
        let folder = changed("sam2", |config| {
            config["vision_config"]["backbone_config"][key] = value
        });
        let (_, text) = refusal(folder.path());
        assert!(
            text.contains(&format!("`vision_config.backbone_config.{key}` in ")),
            "{text}"
        );
    }
    // Weights of another size.
    let folder = changed("sam_windows", |config| {
        config["vision_config"]["window_size"] = json!(4)
    });
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, ErrorKind::Weights);
    assert!(text.contains("rel_pos_h"), "{text}");
    let error = load(&golden("sam_windows"), json!({"image_size": 64}))
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    let error = load(&golden("sam2"), json!({"image_size": 96})).err().unwrap();
    assert!(error.to_string().contains("64 x 64 pixels only"), "{error}");
}

#[test]
fn malformed_settings_of_padding_are_one_clear_line() {
    let folder = changed("sam_windows", |_| ());
    let path = folder.path().join("preprocessor_config.json");
    let processor: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (key, value) in [
        ("do_pad", json!(false)),
        ("do_resize", json!(false)),
        ("pad_size", json!({"height": 64, "width": 48})),
        ("pad_size", json!({"height": 48, "width": 48})),
    ] {
        let mut processor = processor.clone();
        processor[key] = value;
        fs::write(&path, processor.to_string()).unwrap();
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`{key}` in ")), "{text}");
    }
}

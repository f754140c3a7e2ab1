//! Models of text.

use super::*;
use modelzoo_plugin_api::SampleFields;

const FINDER: &str = "pp_ocr_mobile_detector";
const READER: &str = "pp_ocr_mobile_reader";

/// A copy of a golden model with a changed description of its preprocessing.
fn with_processor(name: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let folder = changed(name, |_| {});
    let path = folder.path().join("preprocessor_config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(&path, config.to_string()).unwrap();
    folder
}

fn read(model: &dyn Model, boxes: Value) -> Result<Output> {
    let pixels: Vec<u8> = (0..60 * 40 * 3).map(|value| (value * 7 % 251) as u8).collect();
    let sample = SampleFields::from([("boxes".to_owned(), boxes)]);
    let image = Image::new(60, 40, &pixels).unwrap();
    let samples = model.samples().unwrap();
    let mut outputs = samples.predict_samples(&[image], &[sample], &PredictOptions::default())?;
    outputs.remove(0)
}

#[test]
fn lines_of_text_are_outlines_within_the_picture() {
    for name in [
        FINDER,
        "pp_ocr_server_detector",
        "pp_ocr_6_small_detector",
        "pp_ocr_6_medium_detector",
    ] {
        let model = load(&golden(name), json!({"score_threshold": 0.0})).unwrap();
        assert_eq!(model.info().classes, ["text"]);
        let Output::Label(Label::Polylines(lines)) = predict(model.as_ref()) else {
            panic!("no polylines");
        };
        for line in &lines.polylines {
            assert_eq!(line.label.as_deref(), Some("text"));
            assert!(line.closed && line.points[0].len() == 4);
            let mut places = line.points[0].iter().flatten();
            assert!(places.all(|place| (0.0..=1.0).contains(place)), "{line:?}");
        }
    }
}

#[test]
fn lines_are_read_in_boxes_and_in_outlines_and_alone() {
    for name in [
        READER,
        "pp_ocr_server_reader",
        "pp_ocr_6_small_reader",
        "pp_ocr_6_tiny_reader",
    ] {
        let model = load(&golden(name), json!({})).unwrap();
        assert_eq!(model.info().needed_fields, ["boxes"]);
        let Output::Label(Label::Classification(text)) = predict(model.as_ref()) else {
            panic!("no text");
        };
        let boxes = json!({"_cls": "Detections", "detections": [
            {"bounding_box": [0.0, 0.0, 1.0, 1.0], "label": "text", "index": 4},
            {"bounding_box": [2.0, 0.0, 0.5, 0.5], "label": "text"},
        ]});
        let Output::Label(Label::Detections(read_in_boxes)) = read(model.as_ref(), boxes).unwrap() else {
            panic!("no detections");
        };
        let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let outlines = json!({"_cls": "Polylines", "polylines": [{"points": [corners]}]});
        let Output::Label(Label::Polylines(read_in_outlines)) = read(model.as_ref(), outlines).unwrap()
        else {
            panic!("no polylines");
        };
        // What lies beside the picture is left out; the other box has all of it.
        assert_eq!(read_in_boxes.detections.len(), 1);
        let detection = &read_in_boxes.detections[0];
        assert_eq!((&detection.label, detection.index), (&text.label, Some(4)));
        assert_eq!(read_in_outlines.polylines[0].label, text.label);
        let error = read(model.as_ref(), json!({"_cls": "Keypoints"})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn malformed_settings_of_models_of_text_are_one_clear_line() {
    for (key, value) in [
        ("scale", json!(0)),
        ("divisor", json!(0)),
        ("block_configs", json!([[[3, 16, 32, 1]]])),
        ("block_configs", json!([[[2, 16, 32, 1, false]]])),
        ("block_configs", json!([])),
        ("hidden_act", json!("mish")),
        ("model_type", json!("resnet")),
        ("out_features", json!(["stage2"])),
    ] {
        let folder = changed(FINDER, |config| config["backbone_config"][key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`backbone_config.{key}` in ")), "{text}");
    }
    let folder = changed("pp_ocr_6_small_detector", |config| {
        config["backbone_config"]["stem_type"] = json!("huge");
    });
    assert!(
        refusal(folder.path())
            .1
            .contains("`backbone_config.stem_type` in ")
    );
    for (name, key, value) in [
        ("pp_ocr_6_small_detector", "dilated_kernel_size", json!(4)),
        (FINDER, "layer_list_out_channels", json!([4, 6])),
        (FINDER, "interpolate_mode", json!("area")),
        (FINDER, "neck_out_channels", json!(2)),
        (FINDER, "kernel_list", json!([3])),
        ("pp_ocr_server_detector", "scale_factor_list", json!([1])),
        (
            "pp_ocr_server_detector",
            "intraclass_block_config",
            json!({"reduce_channel": [1]}),
        ),
        (READER, "num_attention_heads", json!(3)),
        (READER, "mlp_ratio", json!(-1)),
        (READER, "conv_kernel_size", json!([2, 2])),
    ] {
        let folder = changed(name, |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(
            text.contains(&format!("`{key}")) && text.contains("config.json"),
            "{text}"
        );
    }
    for (name, key, value) in [
        (FINDER, "limit_type", json!("median")),
        (FINDER, "limit_side_len", json!(0)),
        (FINDER, "do_resize", json!(false)),
        (READER, "character_list", json!("abc")),
        (READER, "rescale_factor", json!(0)),
    ] {
        let folder = with_processor(name, |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`{key}` in ")), "{text}");
    }
    let folder = with_processor(READER, |config| config["character_list"] = json!(["blank", "a"]));
    assert!(refusal(folder.path()).1.contains("has 2 characters"));
    let folder = with_processor(READER, |config| {
        config["size"] = json!({"height": 96, "width": 320})
    });
    let model = load(folder.path(), json!({})).unwrap();
    let error = read(model.as_ref(), Value::Null).unwrap_err();
    assert!(error.to_string().contains("one row of places"), "{error}");
    let error = load(&golden(FINDER), json!({"image_size": 100})).err().unwrap();
    assert!(error.to_string().contains("a multiple of 32"), "{error}");
}

//! Published models of masks: by queries, of everything, and of what stands out.

use crate::support::{User, copy_folder, hub::small_model, project};
use serde_json::{Value, json};
use std::fs;

#[test]
fn queries_become_objects_with_masks_or_a_class_for_each_pixel() {
    let user = User::new();
    let photo = project().join("examples/photos/coffee.jpg").display().to_string();
    for (model, class) in [
        ("eomt_objects", "Detections"),
        ("eomt_pixels", "Segmentation"),
        ("rf_detr_masks", "Detections"),
    ] {
        let model = small_model(model).display().to_string();
        let run = user
            .run(["apply", &model, &photo, "--set", "score_threshold=0"])
            .expect(0);
        let found = run.json_lines()[0]["predictions"].clone();
        assert_eq!(found["_cls"], class);
        if let Some(objects) = found["detections"].as_array() {
            assert!(objects.iter().all(|object| object["mask"].is_object()) && !objects.is_empty());
        }
    }
}

#[test]
fn everything_in_a_picture_gets_a_mask_without_a_field() {
    let user = User::new();
    let photo = project().join("examples/photos/coffee.jpg").display().to_string();
    let apply = |model: &str, more: &[&str]| {
        let model = small_model(model).display().to_string();
        let arguments = [
            "apply",
            model.as_str(),
            photo.as_str(),
            "--set",
            "points_per_side=4",
        ];
        user.run(arguments.into_iter().chain(more.iter().copied()))
    };
    for model in ["sam_windows", "sam2"] {
        let run = apply(model, &["--set", "score_threshold=-9"]).expect(0);
        let found = run.json_lines()[0]["predictions"]["detections"].clone();
        let scores: Vec<f64> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|object| object["confidence"].as_f64().unwrap())
            .collect();
        assert!(scores.is_sorted_by(|one, next| one >= next), "{scores:?}");
        let none = apply(model, &["--set", "score_threshold=9"]).expect(0);
        assert_eq!(none.json_lines()[0]["predictions"]["detections"], json!([]));
    }
    let run = apply("sam2", &["--set", "points_per_side=0"]).expect(2);
    assert!(run.error().contains("`points_per_side`"), "{}", run.stderr);
}

#[test]
fn what_stands_out_is_a_map_or_a_mask() {
    let user = User::new();
    let photo = project().join("examples/photos/coffee.jpg").display().to_string();
    for model in ["u2net", "is_net"] {
        let folder = small_model(model).display().to_string();
        let run = user.run(["apply", &folder, &photo]).expect(0);
        let map = run.json_lines()[0]["predictions"].clone();
        assert_eq!(
            (&map["_cls"], &map["range"]),
            (&json!("Heatmap"), &json!([0.0, 1.0]))
        );
        let run = user
            .run(["apply", &folder, &photo, "--set", "mask_threshold=0.5"])
            .expect(0);
        assert_eq!(run.json_lines()[0]["predictions"]["_cls"], "Segmentation");
        let run = user
            .run(["apply", &folder, &photo, "--set", "mask_threshold=2"])
            .expect(2);
        assert!(run.error().contains("`mask_threshold`"), "{}", run.stderr);
    }
    // Its repository has code of its own, which is told and not run.
    let folder = small_model("is_net").display().to_string();
    let run = user.run(["apply", &folder, &photo]).expect(0);
    assert!(run.stderr.contains("which is never run"), "{}", run.stderr);
}

/// Files of tensors alone: a manifest says whose class would make the network.
#[test]
fn a_manifest_may_name_a_class_of_other_authors() {
    let user = User::new();
    let photo = project().join("examples/photos/coffee.jpg").display().to_string();
    let changed = |model: &str, key: &str, value: Value| {
        let folder = user.path(&format!("{model}-{key}"));
        copy_folder(&small_model(model), &folder);
        let path = folder.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        manifest["models"][0]["default_deployment_config_dict"]["config"][key] = value;
        fs::write(path, manifest.to_string()).unwrap();
        user.run(["apply", folder.to_str().unwrap(), &photo])
    };
    let run = user
        .run(["apply", small_model("yolox").to_str().unwrap(), &photo])
        .expect(0);
    let found = run.json_lines()[0]["predictions"].clone();
    assert_eq!(found["_cls"], "Detections");
    let few = changed(
        "yolox",
        "entrypoint_args",
        json!({"num_classes": 3, "test_size": 96, "test_conf": 1}),
    );
    let few = few.expect(0).json_lines()[0]["predictions"]["detections"].clone();
    assert_eq!(few, json!([]));
    changed(
        "u2net",
        "output_processor_cls",
        json!("fiftyone.utils.torch.SemanticSegmenterOutputProcessor"),
    )
    .expect(0);
    for (model, key, value, part) in [
        ("u2net", "entrypoint_fcn", json!("model.U3NET"), "entrypoint_fcn"),
        (
            "u2net",
            "entrypoint_fcn",
            json!("models.yolox_s"),
            "there is no tensor",
        ),
        (
            "u2net",
            "output_processor_cls",
            json!("DetectorOutputProcessor"),
            "output_processor_cls",
        ),
        (
            "yolox",
            "entrypoint_fcn",
            json!("yolox.models.yolox_9"),
            "nearest that are: yolox_",
        ),
        ("yolox", "entrypoint_args", json!({"test_size": 100}), "test_size"),
        ("yolox", "entrypoint_args", json!({"nmsthre": -1}), "nmsthre"),
        ("yolox", "labels_string", json!("cat,dog"), "tell 3 classes apart"),
    ] {
        let run = changed(model, key, value);
        assert_ne!(run.code, 0, "{key}");
        assert!(run.error().contains(part), "{}", run.stderr);
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
    }
}

//! torchvision's detectors, as manifests describe them.

use super::*;

/// The model of a golden folder, whose manifest's settings are changed.
pub(super) fn described(name: &str, change: impl FnOnce(&mut Value)) -> Result<Box<dyn Model>> {
    let folder = golden(name);
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mut config = manifest["models"][0]["default_deployment_config_dict"]["config"].clone();
    change(&mut config);
    load(&folder.join("weights.pth"), json!({"deployment": config}))
}

fn detections(model: &dyn Model) -> Vec<(String, f64)> {
    let Output::Label(Label::Detections(labels)) = predict(model) else {
        panic!("no detections");
    };
    let named = labels
        .detections
        .into_iter()
        .map(|found| (found.label.unwrap(), found.confidence.unwrap()));
    named.collect()
}

#[test]
fn thresholds_and_classes_of_a_manifest_count() {
    let all = detections(described("torchvision_retinanet", |_| ()).unwrap().as_ref());
    assert_eq!(all.len(), 8);
    let chosen = all[4].clone();
    let sure = described("torchvision_retinanet", |config| {
        config["confidence_thresh"] = json!(chosen.1);
    });
    assert_eq!(detections(sure.unwrap().as_ref()), all[..5]);
    let wanted = described("torchvision_retinanet", |config| {
        config["filter_classes"] = json!([chosen.0]);
    });
    let wanted = detections(wanted.unwrap().as_ref());
    assert!(!wanted.is_empty() && wanted.iter().all(|(name, _)| *name == chosen.0));
    let few = described("torchvision_ssd300", |config| {
        config["entrypoint_args"]["detections_per_img"] = json!(2);
    });
    assert_eq!(detections(few.unwrap().as_ref()).len(), 2);
}

#[test]
fn malformed_arguments_are_one_clear_line() {
    let cases: [(&str, Value, &str); 8] = [
        (
            "min_size",
            json!(-1),
            "`default_deployment_config_dict.config.entrypoint_args.min_size` in",
        ),
        ("max_size", json!(1_000_000), "entrypoint_args.max_size` in"),
        ("min_size", json!([]), "entrypoint_args.min_size` in"),
        ("score_thresh", json!(2), "entrypoint_args.score_thresh` in"),
        ("nms_thresh", json!("much"), "entrypoint_args.nms_thresh` in"),
        ("topk_candidates", json!(0), "entrypoint_args.topk_candidates` in"),
        ("image_std", json!([1, 0, 1]), "entrypoint_args.image_std` in"),
        ("image_mean", json!([1]), "entrypoint_args.image_mean` in"),
    ];
    for (key, value, part) in cases {
        let error = described("torchvision_retinanet", |config| {
            config["entrypoint_args"][key] = value;
        });
        let text = error.err().expect("it was loaded").to_string();
        assert!(text.contains(part) && text.contains("manifest.json"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn weights_of_other_classes_or_another_network_are_refused() {
    let error = described("torchvision_ssdlite320", |config| {
        config["labels_string"] = json!("background,cat");
    });
    let error = error.err().expect("it was loaded");
    assert_eq!(error.kind(), ErrorKind::Weights);
    assert!(error.to_string().contains("6 boxes of 2 classes"), "{error}");
    let error = described("torchvision_retinanet", |config| {
        config["entrypoint_args"]
            .as_object_mut()
            .unwrap()
            .remove("thinned");
    });
    let error = error.err().expect("it was loaded");
    assert!(
        error
            .to_string()
            .contains("are not those of retinanet_resnet50_fpn"),
        "{error}"
    );
    let error = described("torchvision_retinanet", |config| {
        config["output_processor_cls"] = json!("fiftyone.utils.torch.ClassifierOutputProcessor");
    });
    let text = error.err().expect("it was loaded").to_string();
    assert!(text.contains("FiftyOne's DetectorOutputProcessor"), "{text}");
}

#[test]
fn classes_are_those_of_coco_where_a_manifest_names_none() {
    let error = described("torchvision_ssd300", |config| {
        config.as_object_mut().unwrap().remove("labels_string");
        config["labels_path"] = json!("{{eta-resources}}/ms-coco-labels.txt");
    });
    let text = error.err().expect("it was loaded").to_string();
    assert!(text.contains("4 boxes of 91 classes"), "{text}");
}

/// The labels of a detector with points, by name.
fn labels(model: &dyn Model) -> std::collections::BTreeMap<String, Label> {
    match predict(model) {
        Output::Labels(labels) => labels,
        other => panic!("{other:?}"),
    }
}

#[test]
fn objects_of_a_second_look_have_masks_or_points_where_the_network_finds_them() {
    let found = detections(
        described("torchvision_fasterrcnn_resnet50_fpn", |_| ())
            .unwrap()
            .as_ref(),
    );
    assert_eq!(found.len(), 6);
    let Output::Label(Label::Detections(objects)) = predict(
        described("torchvision_maskrcnn_resnet50_fpn", |_| ())
            .unwrap()
            .as_ref(),
    ) else {
        panic!("no detections");
    };
    for object in &objects.detections {
        let [_, _, width, height] = object.bounding_box;
        let shape = object.mask.as_ref().unwrap().shape();
        // Edges are rounded to whole pixels of 60 x 40.
        assert!((shape[0] as f64 - height * 40.0).abs() <= 1.0, "{shape:?}");
        assert!((shape[1] as f64 - width * 60.0).abs() <= 1.0, "{shape:?}");
    }
    let persons = described("torchvision_keypointrcnn_resnet50_fpn", |_| ()).unwrap();
    let labels = labels(persons.as_ref());
    let (Label::Detections(boxes), Label::Keypoints(points)) = (&labels["detections"], &labels["keypoints"])
    else {
        panic!("{labels:?}");
    };
    assert_eq!(boxes.detections.len(), points.keypoints.len());
    assert!(points.keypoints.iter().all(|one| one.points.len() == 2));
}

#[test]
fn a_picture_without_objects_has_none() {
    let nothing = |config: &mut Value| config["entrypoint_args"]["box_score_thresh"] = json!(1);
    for name in ["fasterrcnn_resnet50_fpn_v2", "maskrcnn_resnet50_fpn"] {
        let model = described(&format!("torchvision_{name}"), nothing).unwrap();
        assert_eq!(detections(model.as_ref()), []);
    }
    let model = described("torchvision_keypointrcnn_resnet50_fpn", nothing).unwrap();
    assert!(
        matches!(&labels(model.as_ref())["keypoints"], Label::Keypoints(none) if none.keypoints.is_empty())
    );
    // No region is proposed at all.
    let model = described("torchvision_fasterrcnn_resnet50_fpn", |config| {
        config["entrypoint_args"]["rpn_score_thresh"] = json!(1);
    });
    assert_eq!(detections(model.unwrap().as_ref()), []);
}

#[test]
fn malformed_arguments_of_a_second_look_are_one_clear_line() {
    let cases: [(&str, Value, &str); 6] = [
        (
            "box_score_thresh",
            json!(-1),
            "entrypoint_args.box_score_thresh` in",
        ),
        (
            "box_detections_per_img",
            json!(1e30),
            "entrypoint_args.box_detections_per_img` in",
        ),
        (
            "rpn_pre_nms_top_n_test",
            json!([1]),
            "entrypoint_args.rpn_pre_nms_top_n_test` in",
        ),
        (
            "bbox_reg_weights",
            json!([1, 1, 0, 1]),
            "entrypoint_args.bbox_reg_weights` in",
        ),
        (
            "bbox_reg_weights",
            json!([1]),
            "entrypoint_args.bbox_reg_weights` in",
        ),
        ("num_keypoints", json!(0), "entrypoint_args.num_keypoints` in"),
    ];
    for (key, value, part) in cases {
        let error = described("torchvision_keypointrcnn_resnet50_fpn", |config| {
            config["entrypoint_args"][key] = value;
        });
        let text = error.err().expect("it was loaded").to_string();
        assert!(text.contains(part) && !text.contains('\n'), "{text}");
    }
    let error = described("torchvision_maskrcnn_resnet50_fpn", |config| {
        config["labels_string"] = json!("background,cat");
    });
    let error = error.err().expect("it was loaded");
    assert_eq!(error.kind(), ErrorKind::Weights);
    assert!(error.to_string().contains("tell 4 classes apart"), "{error}");
}

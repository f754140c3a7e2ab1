//! Published models of masks by queries.

use crate::support::{User, hub::small_model, project};

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

//! Published models of poses: persons are found by one model, and their points by another.

use crate::support::{User, hub::small_model, project};
use serde_json::{Value, json};
use std::fs;

#[test]
fn points_are_found_in_the_boxes_of_a_field() {
    let user = User::new();
    let photo = project()
        .join("examples/photos/astronaut.jpg")
        .display()
        .to_string();
    let labels = user.path("people.jsonl");
    let people = json!({"_cls": "Detections", "detections": [
        {"_cls": "Detection", "label": "person", "bounding_box": [0.1, 0.05, 0.8, 0.9], "index": 7},
        {"_cls": "Detection", "label": "rocket", "bounding_box": [0.6, 0.0, 0.2, 0.5]},
    ]});
    fs::write(&labels, json!({"filepath": photo, "people": people}).to_string()).unwrap();
    let model = small_model("vitpose_simple").display().to_string();
    let labels = labels.display().to_string();
    let arguments = ["apply", &model, &labels, "--sample-field", "boxes=people"];
    let found = user.run(arguments).expect(0).json_lines()[0]["predictions"].clone();
    assert_eq!(found["_cls"], "Keypoints");
    let found = found["keypoints"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&found[0]["label"], &found[0]["index"]),
        (&json!("person"), &json!(7))
    );
    assert_eq!(found[0]["points"].as_array().unwrap().len(), 5);
    let persons = user
        .run([&arguments[..], &["--classes", "person"]].concat())
        .expect(0);
    let persons = persons.json_lines()[0]["predictions"]["keypoints"].clone();
    assert_eq!(persons, Value::from(vec![found[0].clone()]));
    // Without boxes, the picture is one person.
    let whole = user.run(["apply", &model, &photo]).expect(0);
    let whole = whole.json_lines()[0]["predictions"]["keypoints"].clone();
    assert_eq!(whole.as_array().unwrap().len(), 1);
}

//! Published models that make masks of prompts: boxes that another model found, or points.

use crate::support::{User, hub::small_model, project};
use serde_json::{Value, json};
use std::fs;

/// A picture, and a file that says what is in it.
struct Asked {
    user: User,
    photo: String,
}

impl Asked {
    fn new() -> Self {
        let photo = project().join("examples/photos/astronaut.jpg");
        Self {
            user: User::new(),
            photo: photo.display().to_string(),
        }
    }

    /// The arguments that ask a model about fields.
    fn arguments(&self, model: &str, fields: &Value, given: &[&str]) -> Vec<String> {
        let mut line = json!({"filepath": self.photo});
        for (name, value) in fields.as_object().unwrap() {
            line[name] = value.clone();
        }
        let labels = self.user.path("asked.jsonl");
        fs::write(&labels, line.to_string()).unwrap();
        let model = small_model(model).display().to_string();
        let mut arguments = vec!["apply".to_owned(), model, labels.display().to_string()];
        for given in given {
            arguments.extend(["--sample-field".to_owned(), (*given).to_owned()]);
        }
        arguments
    }

    /// What a model finds where fields point.
    fn found(&self, model: &str, fields: &Value, given: &[&str], more: &[&str]) -> Vec<Value> {
        let mut arguments = self.arguments(model, fields, given);
        arguments.extend(more.iter().map(|&word| word.to_owned()));
        let found = self.user.run(arguments).expect(0).json_lines()[0]["predictions"].clone();
        assert_eq!(found["_cls"], "Detections");
        found["detections"].as_array().unwrap().clone()
    }
}

fn people() -> Value {
    json!({"_cls": "Detections", "detections": [
        {"_cls": "Detection", "label": "person", "bounding_box": [0.1, 0.05, 0.8, 0.9], "index": 7},
        {"_cls": "Detection", "label": "rocket", "bounding_box": [0.6, 0.0, 0.2, 0.5]},
    ]})
}

fn clicks() -> Value {
    json!({"_cls": "Keypoints", "keypoints": [
        {"_cls": "Keypoint", "label": "face", "points": [[0.4, 0.2], [0.9, 0.9]], "sam_labels": [1, 0], "index": 3},
        {"_cls": "Keypoint", "points": [[0.5, 0.5], [{"$numberDouble": "NaN"}, {"$numberDouble": "NaN"}]]},
    ]})
}

#[test]
fn boxes_and_points_of_a_field_become_masks() {
    let asked = Asked::new();
    let fields = json!({"people": people(), "clicks": clicks()});
    for model in ["sam_windows", "sam_whole", "sam2"] {
        let of_boxes = asked.found(model, &fields, &["boxes=people"], &[]);
        assert_eq!(of_boxes.len(), 2);
        let either = asked.found(model, &fields, &["prompt_field=people"], &[]);
        assert_eq!(either.len(), 2);
        assert_eq!(either[0]["bounding_box"], of_boxes[0]["bounding_box"]);
        assert_eq!(
            (&of_boxes[0]["label"], &of_boxes[0]["index"]),
            (&json!("person"), &json!(7))
        );
        for detection in &of_boxes {
            assert!(detection["mask"].is_object(), "{detection}");
            assert!((0.0..=1.0).contains(&detection["confidence"].as_f64().unwrap()));
        }
        let persons = asked.found(model, &fields, &["boxes=people"], &["--classes", "person"]);
        assert_eq!(persons, of_boxes[..1]);
        let best = asked.found(
            model,
            &fields,
            &["boxes=people"],
            &["--set", "multimask_output=true"],
        );
        // The second version passes over a mask that is not stable, as those of random weights are not.
        assert_eq!(best == of_boxes, model == "sam2", "{model}");
        let of_points = asked.found(model, &fields, &["points=clicks"], &[]);
        assert_eq!(of_points.len(), 2);
        assert_eq!(
            (&of_points[0]["label"], &of_points[0]["index"]),
            (&json!("face"), &json!(3))
        );
        assert!(of_points[1].get("label").is_none_or(Value::is_null));
        let of_both = asked.found(model, &fields, &["boxes=people", "points=clicks"], &[]);
        assert_eq!(of_both[0]["label"], "person");
        assert_ne!(of_both[0]["mask"], of_boxes[0]["mask"]);
        // A picture in which nothing was found has no masks.
        let nothing = json!({"people": {"_cls": "Detections", "detections": []}});
        assert!(asked.found(model, &nothing, &["boxes=people"], &[]).is_empty());
    }
}

#[test]
fn what_points_at_nothing_is_told_in_a_line() {
    let asked = Asked::new();
    let fields =
        json!({"people": people(), "clicks": clicks(), "kind": {"_cls": "Classification", "label": "cat"}});
    let refused = |arguments: Vec<String>| -> String {
        let run = asked.user.run(arguments);
        assert_ne!(run.code, 0);
        run.stderr
    };
    let model = small_model("sam_windows").display().to_string();
    let without = refused(vec!["apply".to_owned(), model, asked.photo.clone()]);
    assert!(without.contains("neither `boxes` nor `points`"), "{without}");
    assert!(without.contains("--sample-field boxes=FIELD"), "{without}");
    for (given, part) in [
        (
            "boxes=clicks",
            "the field for `boxes` has labels of the type Keypoints",
        ),
        (
            "points=people",
            "the field for `points` has labels of the type Detections",
        ),
        (
            "points=kind",
            "the field for `points` has labels of the type Classification",
        ),
    ] {
        let told = refused(asked.arguments("sam_windows", &fields, &[given]));
        assert!(told.contains(part), "{told}");
    }
    let mut fewer = fields.clone();
    fewer["clicks"]["keypoints"].as_array_mut().unwrap().pop();
    let told = refused(asked.arguments("sam2", &fewer, &["boxes=people", "points=clicks"]));
    assert!(
        told.contains("`boxes` has 2 objects and that for `points` has 1"),
        "{told}"
    );
}

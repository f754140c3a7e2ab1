//! `modelzoo evaluate`: what a model says beside what is true.

use crate::support::{Run, User, sample};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn picture(path: &Path, (width, height): (u32, u32)) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::new(width, height).save(path).unwrap();
}

/// Evaluates a model that says this of every picture.
fn evaluate(user: &User, output: &Value, input: &Path, more: &[&str]) -> Run {
    let model = sample("given");
    let output = format!("output={output}");
    let arguments = [
        "evaluate",
        model.to_str().unwrap(),
        input.to_str().unwrap(),
        "--set",
        &output,
    ];
    user.run([&arguments, more].concat())
}

fn facts(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn pictures_in_folders_of_their_classes_have_an_accuracy() {
    let user = User::new();
    let photos = user.path("photos");
    for name in ["cat/a.png", "cat/b.png", "dog/a.png"] {
        picture(&photos.join(name), (4, 3));
    }
    fs::write(photos.join("dog/broken.png"), "no picture").unwrap();
    picture(&photos.join("nobody-knows.png"), (4, 3));
    let cat = json!({"label": {"_cls": "Classification", "label": "cat", "confidence": 0.9}});
    let run = evaluate(&user, &cat, &photos, &["--json"]).expect(8);
    let facts = facts(&run);
    assert_eq!(
        (&facts["compared"], &facts["failed"], &facts["without_truth"]),
        (&json!(4), &json!(1), &json!(1))
    );
    assert_eq!(
        facts["classification"],
        json!({"pictures": 4, "top1": 2, "top5": null})
    );
    assert_eq!(facts["detection"], Value::Null);
    assert!(
        run.stderr.contains("the model failed on 1 sample"),
        "{}",
        run.stderr
    );
    fs::remove_file(photos.join("dog/broken.png")).unwrap();
    let ranked = json!({"label": {"_cls": "Classifications", "classifications": [
        {"label": "cat", "confidence": 0.6}, {"label": "dog", "confidence": 0.4},
    ]}});
    let run = evaluate(&user, &ranked, &photos, &[]).expect(0);
    assert_eq!(
        run.stdout,
        "3 samples compared\n\naccuracy  share\ntop-1     0.6667\ntop-5     1.0000\n"
    );
}

#[test]
fn boxes_have_the_scores_of_coco() {
    let user = User::new();
    for name in ["a.png", "b.png"] {
        picture(&user.path("coco").join(name), (100, 50));
    }
    let truth = user.path("coco/truth.json");
    let annotation = |id: u64, image: u64, bbox: [f64; 4], area: f64| json!({"id": id, "image_id": image, "category_id": 1, "bbox": bbox, "area": area, "iscrowd": 0});
    let image = |id: u64, name: &str| json!({"id": id, "file_name": name, "width": 100, "height": 50});
    let dataset = json!({
        "images": [image(1, "a.png"), image(2, "b.png")],
        "annotations": [
            annotation(1, 1, [10.0, 10.0, 20.0, 20.0], 400.0),
            // It is told to cover more than its box: so it counts as medium.
            annotation(2, 2, [60.0, 20.0, 20.0, 20.0], 2000.0),
        ],
        "categories": [{"id": 1, "name": "cat"}],
    });
    fs::write(&truth, dataset.to_string()).unwrap();
    let found = json!({"label": {"_cls": "Detections", "detections": [
        {"label": "cat", "bounding_box": [0.1, 0.2, 0.2, 0.4], "confidence": 0.9},
    ]}});
    let run = evaluate(&user, &found, &truth, &["--json"]).expect(0);
    let scores = &facts(&run)["detection"];
    // Of two objects the first is found: 51 of 101 points of recall, and all of those of small objects.
    let near = |name: &str, expected: f64| {
        let actual = scores[name].as_f64().unwrap();
        assert!((actual - expected).abs() < 1e-9, "{name}: {actual}");
    };
    near("recall_100", 0.5);
    near("map", 51.0 / 101.0);
    near("map_small", 1.0);
    near("map_medium", 0.0);
    assert_eq!(scores["map_large"], Value::Null);
    assert_eq!((&scores["pictures"], &scores["objects"]), (&json!(2), &json!(2)));
    let run = evaluate(&user, &found, &truth, &[]).expect(0);
    assert!(run.stdout.contains("\ncat    2        "), "{}", run.stdout);
}

#[test]
fn without_a_truth_there_is_nothing_to_say() {
    let user = User::new();
    let photos = user.path("photos");
    picture(&photos.join("a.png"), (4, 3));
    let nothing = json!("nothing");
    let run = evaluate(&user, &nothing, &photos, &["--truth", "right"]).expect(2);
    let told = "error: no sample has a field `right` that says what is true";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}

//! `apply` and `embed` with the first-party sources, on real photographs, against what torchvision and onnxruntime
//! computed from the same weights.

use crate::support::{User, json_lines, plugin, project};
use serde_json::Value;
use std::{collections::BTreeMap, fs};

const PHOTOS: [&str; 4] = ["astronaut", "chelsea", "coffee", "rocket"];

fn golden(photo: &str) -> Value {
    let path = project().join(format!("tests/fixtures/golden/{photo}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The records by the name of their photograph, without extension.
fn by_photo(records: Vec<Value>) -> BTreeMap<String, Value> {
    let name = |record: &Value| {
        let path = record["filepath"].as_str().unwrap();
        std::path::Path::new(path)
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    records
        .into_iter()
        .map(|record| (name(&record), record))
        .collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// Intersection over union of two boxes `[x, y, width, height]`.
fn overlap(a: &[f64], b: &[f64]) -> f64 {
    let side = |axis: usize| (a[axis] + a[axis + 2]).min(b[axis] + b[axis + 2]) - a[axis].max(b[axis]);
    let intersection = side(0).max(0.0) * side(1).max(0.0);
    intersection / (a[2] * a[3] + b[2] * b[3] - intersection)
}

#[test]
fn detections_are_those_of_onnxruntime_and_are_drawn() {
    let user = User::new();
    let (output, annotated) = (user.path("predictions.jsonl"), user.path("annotated"));
    let run = user
        .run([
            "apply".as_ref(),
            plugin("nanodet").as_os_str(),
            project().join("examples/photos").as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--annotate".as_ref(),
            annotated.as_os_str(),
        ])
        .expect(0);
    assert_eq!(run.stdout, "", "results go to the file alone");
    let records = by_photo(json_lines(&fs::read_to_string(output).unwrap()));
    assert_eq!(records.keys().collect::<Vec<_>>(), PHOTOS);
    for (photo, record) in &records {
        let golden = golden(photo);
        assert_eq!(record["metadata"]["width"], golden["width"], "{photo}");
        assert_eq!(record["metadata"]["height"], golden["height"], "{photo}");
        assert_eq!(record["predictions"]["_cls"], "Detections", "{photo}");
        let found = record["predictions"]["detections"].as_array().unwrap();
        let expected = golden["nanodet_g"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{photo}: {found:#?}");
        for object in expected {
            let is_same = |other: &&Value| {
                let difference =
                    other["confidence"].as_f64().unwrap() - object["confidence"].as_f64().unwrap();
                other["label"] == object["label"]
                    && difference.abs() < 0.02
                    && overlap(
                        &numbers(&other["bounding_box"]),
                        &numbers(&object["bounding_box"]),
                    ) > 0.95
            };
            assert!(
                found.iter().any(|other| is_same(&other)),
                "{photo}: no {object:#} in {found:#?}"
            );
        }
        // A copy with a box on it is another picture than the original.
        let drawn = fs::read(annotated.join(format!("{photo}.jpg"))).unwrap();
        assert_ne!(
            drawn,
            fs::read(project().join(format!("examples/photos/{photo}.jpg"))).unwrap(),
            "{photo}"
        );
    }
}

#[test]
fn classes_are_those_of_torchvision_in_either_isolation() {
    let user = User::new();
    let run = |isolation: &str| {
        user.run([
            "apply".as_ref(),
            plugin("mobilenet_v2").as_os_str(),
            project().join("examples/photos").as_os_str(),
            "imagenet".as_ref(),
            "--store-logits".as_ref(),
            "--isolation".as_ref(),
            isolation.as_ref(),
        ])
        .expect(0)
    };
    let (worker, in_process) = (run("process"), run("none"));
    assert_eq!(worker.stdout, in_process.stdout);
    let records = by_photo(worker.json_lines());
    assert_eq!(records.keys().collect::<Vec<_>>(), PHOTOS);
    for (photo, record) in records {
        let top = &golden(&photo)["mobilenet_v2"]["top5"][0];
        let label = &record["imagenet"];
        assert_eq!(label["_cls"], "Classification", "{photo}");
        assert_eq!(label["label"], top["label"], "{photo}");
        let difference = label["confidence"].as_f64().unwrap() - top["confidence"].as_f64().unwrap();
        assert!(difference.abs() < 0.01, "{photo}: {label}");
        assert!(label["logits"]["$binary"]["base64"].is_string(), "{photo}");
    }
}

#[test]
fn embeddings_are_those_of_torchvision() {
    let user = User::new();
    let run = user
        .run([
            "embed".as_ref(),
            plugin("mobilenet_v2").as_os_str(),
            project().join("examples/photos").as_os_str(),
        ])
        .expect(0);
    let records = by_photo(run.json_lines());
    assert_eq!(records.keys().collect::<Vec<_>>(), PHOTOS);
    for (photo, record) in records {
        let embedding = numbers(&record["embeddings"]);
        assert_eq!(embedding.len(), 1280, "{photo}");
        let length = embedding.iter().map(|value| value * value).sum::<f64>().sqrt();
        let expected = golden(&photo)["mobilenet_v2"]["embedding_l2"].as_f64().unwrap();
        assert!(
            (length / expected - 1.0).abs() < 0.01,
            "{photo}: {length} instead of {expected}"
        );
    }
}

#[test]
fn one_broken_picture_loses_nothing_but_itself() {
    let user = User::new();
    let photos = user.path("photos");
    fs::create_dir(&photos).unwrap();
    let good = fs::read(project().join("examples/photos/coffee.jpg")).unwrap();
    fs::write(photos.join("a_good.jpg"), &good).unwrap();
    fs::write(photos.join("b_truncated.jpg"), &good[..good.len() / 2]).unwrap();
    fs::write(photos.join("c_empty.jpg"), b"").unwrap();
    fs::write(photos.join("d_text.jpg"), b"This is no picture.").unwrap();
    // A PNG whose header alone claims 30,000 x 30,000 pixels.
    let mut huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0".to_vec();
    huge.extend([0; 64]);
    fs::write(photos.join("e_huge.png"), huge).unwrap();
    fs::write(photos.join("f_good.jpg"), &good).unwrap();

    let run = user
        .run([
            "apply".as_ref(),
            plugin("mobilenet_v2").as_os_str(),
            photos.as_os_str(),
        ])
        .expect(8);
    let records = by_photo(run.json_lines());
    assert_eq!(records.len(), 6);
    for good in ["a_good", "f_good"] {
        assert_eq!(records[good]["predictions"]["label"], "espresso", "{good}");
    }
    for broken in ["b_truncated", "c_empty", "d_text", "e_huge"] {
        let error = records[broken]["error"].as_str().unwrap();
        assert!(!error.contains('\n') && error.contains(broken), "{error}");
        assert!(records[broken].get("predictions").is_none());
        assert!(run.stderr.contains(error), "the summary does not tell {error}");
    }
}

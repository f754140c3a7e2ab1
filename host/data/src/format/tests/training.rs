//! Folders and files for programs that train and label.

use super::*;
use crate::format::{FormatError, export::Media};
use serde_json::{Value, json};

#[test]
fn yolo_has_a_file_of_lines_for_each_picture() {
    let folder = tempfile::tempdir().unwrap();
    let records = [
        picture(folder.path(), "a.png", every_label()),
        picture(folder.path(), "empty.png", vec![]),
    ];
    let options = ExportOptions {
        classes: vec!["cat: \"big\"".to_owned(), "dog".to_owned()],
        ..ExportOptions::default()
    };
    let (path, _) = export(&folder, Format::Yolo, "yolo", &options, &records);
    let lines = std::fs::read_to_string(path.join("labels/a.txt")).unwrap();
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [
            "1 0.25 0.75 0.5 0.5",
            "2 0.3 0.35 0.09999999999999998 0.2",
            "3 0 0 0.5 0 0.5 1",
            "4 0.5 0.625 0.5 0.25 0.25 0.5 2 0 0 0 0.75 0.75 2",
        ]
    );
    assert_eq!(
        std::fs::read_to_string(path.join("labels/empty.txt")).unwrap(),
        ""
    );
    assert!(image::open(path.join("images/empty.png")).is_ok());
    assert_eq!(
        std::fs::read_to_string(path.join("data.yaml")).unwrap(),
        "train: images\nval: images\nkpt_shape: [3, 3]\nnames:\n  0: \"cat: \\\"big\\\"\"\n  1: \"dog\"\n  2: \"ring\"\n  3: \"road\"\n  4: \"person\"\n"
    );
}

#[test]
fn yolo_lines_end_in_confidences_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let record = picture(
        folder.path(),
        "a.png",
        vec![(
            "seen",
            Detections::new(vec![boxed("dog", [0.0, 0.5, 0.5, 0.5], 0.25)]).into(),
        )],
    );
    let options = ExportOptions {
        confidences: true,
        media: Media::Link,
        ..ExportOptions::default()
    };
    let (path, _) = export(&folder, Format::Yolo, "yolo", &options, &[record]);
    let lines = std::fs::read_to_string(path.join("labels/a.txt")).unwrap();
    assert_eq!(lines, "0 0.25 0.75 0.5 0.5 0.25\n");
}

#[test]
fn folders_are_not_written_over_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "").unwrap();
    for format in [Format::Yolo, Format::FiftyOne] {
        let error = create(format, folder.path(), &ExportOptions::default())
            .err()
            .unwrap();
        assert!(matches!(error, FormatError::Exists { .. }), "{error}");
    }
}

#[test]
fn label_studio_gets_tasks_with_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let record = picture(folder.path(), "a.png", every_label());
    let url = format!("/data/local-files/?d={}", record.filepath.trim_start_matches('/'));
    let options = ExportOptions {
        facts: [("boxes.model".to_owned(), "finder".to_owned())].into(),
        ..ExportOptions::default()
    };
    let (path, summary) = export(&folder, Format::LabelStudio, "tasks.json", &options, &[record]);
    let tasks: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(tasks[0]["data"]["image"], url);
    let predictions = tasks[0]["predictions"].as_array().unwrap();
    let fields: Vec<&str> = predictions
        .iter()
        .map(|one| one["model_version"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["finder", "class", "lines", "points"]);
    assert_eq!(predictions[0]["score"], 0.375);
    assert_eq!(
        predictions[0]["result"][0],
        json!({
            "id": "boxes-1", "type": "rectanglelabels", "from_name": "rectangle", "to_name": "image",
            "original_width": 40, "original_height": 20, "image_rotation": 0, "score": 0.25,
            "value": {"x": 0.0, "y": 50.0, "width": 50.0, "height": 50.0, "rotation": 0, "rectanglelabels": ["dog"]},
        })
    );
    assert_eq!(
        predictions[3]["result"].as_array().unwrap().len(),
        2,
        "one point is missing"
    );
    assert_eq!(summary.notes.len(), 6, "{:?}", summary.notes);
}

//! What any detector can do with the program's help: small objects in large pictures, and the same object through a video.

use crate::support::{Run, User, media};
use serde_json::{Value, json};

/// The model finds one object in the middle half of whatever it is shown.
fn objects(user: &User, options: &[&str]) -> Vec<Value> {
    let run = user.run_capability("apply", "test/boxes", &[&["a.png"], options].concat());
    let line = &run.expect(0).json_lines()[0];
    line["predictions"]["detections"].as_array().unwrap().clone()
}

#[test]
fn what_is_found_in_slices_is_put_together() {
    let user = User::new();
    media::grey(&user.path("a.png"), 64, 32, 100);
    let boxes = |options: &[&str]| -> Vec<Value> {
        objects(&user, options)
            .iter()
            .map(|object| object["bounding_box"].clone())
            .collect()
    };
    let whole = vec![json!([0.25, 0.25, 0.5, 0.5])];
    assert_eq!(boxes(&[]), whole);
    // The objects of both slices lie half in that of the picture.
    assert_eq!(
        boxes(&["--slice", "32", "--slice-overlap", "0"]),
        [json!([0.125, 0.25, 0.75, 0.5])]
    );
    assert_eq!(
        boxes(&[
            "--slice",
            "32",
            "--slice-overlap",
            "0",
            "--slice-merge",
            "suppress"
        ]),
        whole
    );
    assert_eq!(boxes(&["--slice", "64"]), whole);
    let object = &objects(&user, &["--slice", "32", "--slice-overlap", "0"])[0];
    assert!(object["mask"].is_object(), "masks are put together, too");
}

#[test]
fn slices_of_a_picture_have_its_place_in_every_output() {
    let user = User::new();
    media::grey(&user.path("a.png"), 64, 32, 100);
    media::video(&user.path("v.mkv"), 3, 1);
    user.run_capability(
        "apply",
        "test/boxes",
        &[
            "a.png",
            "--slice",
            "32",
            "--annotate",
            "drawn",
            "-o",
            "boxes.json",
            "--format",
            "coco",
        ],
    )
    .expect(0);
    assert!(user.path("drawn/a.png").is_file());
    let lines = user
        .run_capability(
            "apply",
            "test/boxes",
            &["v.mkv", "--slice", "32", "--slice-overlap", "0"],
        )
        .expect(0)
        .json_lines();
    let frames = lines[0]["frames"].as_object().unwrap();
    assert_eq!(frames.len(), 3);
    for frame in frames.values() {
        assert!(!frame["predictions"]["detections"].as_array().unwrap().is_empty());
    }
}

fn told(run: &Run, text: &str) {
    assert!(run.stderr.contains(text), "{}", run.stderr);
}

#[test]
fn what_cannot_be_put_together_is_told() {
    let user = User::new();
    media::grey(&user.path("a.png"), 64, 64, 100);
    let maps = user
        .run_capability("apply", "test/maps", &["a.png", "--slice", "32"])
        .expect(8);
    told(
        &maps,
        "the model finds no objects with boxes in slices of the picture, but gives Heatmap",
    );
    for (model, options, said) in [
        ("test/fields", ["--slice", "32"], "fields of whole pictures"),
        ("test/events", ["--slice", "32"], "takes whole videos"),
        ("test/boxes", ["--slice", "31"], "from 32 on"),
        ("test/boxes", ["--slice-overlap", "0.1"], "--slice"),
    ] {
        let run = user.run_capability("apply", model, &[&["a.png"][..], &options].concat());
        told(&run.expect(2), said);
    }
}

#[test]
fn an_object_has_one_number_through_a_video() {
    let user = User::new();
    media::video(&user.path("v.mkv"), 12, 1);
    let lines = user
        .run_capability("apply", "test/boxes", &["v.mkv", "--track"])
        .expect(0)
        .json_lines();
    let frames = lines[0]["frames"].as_object().unwrap();
    assert_eq!(frames.len(), 12);
    for (number, frame) in frames {
        assert_eq!(
            frame["predictions"]["detections"][0]["index"], 1,
            "frame {number}"
        );
    }
    let without = user
        .run_capability("apply", "test/boxes", &["v.mkv"])
        .expect(0)
        .json_lines();
    let object = &without[0]["frames"]["1"]["predictions"]["detections"][0];
    assert!(object.get("index").is_none());
}

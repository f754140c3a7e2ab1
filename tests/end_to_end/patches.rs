//! Embeddings of the objects in a field: FiftyOne's `compute_patch_embeddings`.

use crate::support::{Run, User, json_lines, media};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    record::SampleRecord,
};
use modelzoo_plugin_api::label::{Classification, Detection, Detections, Label, Polyline, Polylines};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// The model's embedding of a picture is its size, so it tells what was cut.
fn embed(user: &User, arguments: &[&str]) -> Run {
    user.run_capability("embed", "test/boxes", arguments)
}

/// A picture of 60 x 40 pixels with the box of the cases below, as a line of JSON.
fn one_box(user: &User) -> String {
    media::grey(&user.path("a.png"), 60, 40, 100);
    let path = user.path("boxes.jsonl");
    let record = json!({
        "filepath": user.path("a.png"),
        "things": {"_cls": "Detections", "detections": [
            {"_cls": "Detection", "label": "x", "bounding_box": [0.1, 0.1, 0.5, 0.5]},
        ]},
    });
    fs::write(&path, format!("{record}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Sizes that FiftyOne 1.22 cuts, as width and height.
#[test]
fn patches_are_cut_as_fiftyone_cuts_them() {
    let user = User::new();
    let input = one_box(&user);
    for (options, size) in [
        (&[][..], [30.0, 20.0]),
        (&["--alpha", "0.5"], [43.0, 29.0]),
        (&["--alpha", "-0.5"], [15.0, 10.0]),
        (&["--force-square"], [30.0, 30.0]),
    ] {
        let run = embed(
            &user,
            &[&[input.as_str(), "--patches", "things"], options].concat(),
        )
        .expect(0);
        let object = &run.json_lines()[0]["things"]["detections"][0];
        assert_eq!(object["embeddings"], json!(size), "{options:?}");
        assert_eq!(object["label"], "x");
    }
}

/// A dataset of samples with objects, without, without the field, and with a label that has no boxes.
fn dataset(user: &User) -> PathBuf {
    media::pictures(user.path("pictures"));
    let path = user.path("samples.db");
    let dataset = Dataset::create(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    let objects: [(&str, Option<Label>); 3] = [
        (
            "a",
            Some(
                Detections::new(vec![
                    Detection::new("left", [0.0, 0.0, 0.5, 1.0]),
                    Detection::new("all", [-0.5, -0.5, 2.0, 2.0]),
                ])
                .into(),
            ),
        ),
        ("b", Some(Detections::default().into())),
        ("c", None),
    ];
    for (name, label) in objects {
        let mut record = SampleRecord::image(format!("pictures/{name}.png"));
        record
            .labels
            .sample
            .extend(label.map(|label| ("things".to_owned(), label)));
        writer.add(record).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn labels(path: &PathBuf, field: &str) -> Vec<Option<Label>> {
    let dataset = Dataset::open(path).unwrap();
    let samples = dataset.samples(&Selection::all()).unwrap();
    samples
        .map(|sample| sample.unwrap().record.labels.sample.remove(field))
        .collect()
}

#[test]
fn the_objects_of_a_dataset_get_their_embeddings() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let arguments = [name, "sizes", "--patches", "things"];
    let first = embed(&user, &arguments).expect(0);
    assert_eq!(first.stdout, "");
    let Some(Label::Detections(objects)) = &labels(&path, "things")[0] else {
        panic!("detections")
    };
    let sizes: Vec<&Value> = objects
        .detections
        .iter()
        .map(|object| &object.attributes["sizes"])
        .collect();
    assert_eq!(sizes, [&json!([4.0, 6.0]), &json!([8.0, 6.0])]);
    assert_eq!(objects.detections[0].label.as_deref(), Some("left"));
    assert!(
        embed(&user, &arguments)
            .expect(0)
            .stderr
            .contains("0 of 0 samples")
    );
    let runs = Dataset::open(&path).unwrap().runs().unwrap();
    assert_eq!(runs[0].field, "things.sizes");

    // The field's labels go to a file with what was added.
    let lines = user.path("out.jsonl");
    let arguments = [
        name,
        "squares",
        "--patches",
        "things",
        "--force-square",
        "-o",
        lines.to_str().unwrap(),
    ];
    embed(&user, &arguments).expect(0);
    let lines = json_lines(&fs::read_to_string(lines).unwrap());
    let object = &lines[0]["things"]["detections"][0];
    assert_eq!(
        (&object["sizes"], &object["squares"]),
        (&json!([4.0, 6.0]), &json!([6.0, 6.0]))
    );
}

#[test]
fn samples_without_objects_are_handled_as_the_user_likes() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let arguments = |how: &'static str, attribute: &'static str| {
        [name, attribute, "--patches", "things", "--handle-missing", how]
    };
    embed(&user, &arguments("skip", "skipped")).expect(0);
    assert_eq!(labels(&path, "skipped"), [None, None, None]);

    embed(&user, &arguments("image", "whole")).expect(0);
    let wholes = labels(&path, "whole");
    assert!(wholes[0].is_none());
    let Some(Label::Vector(whole)) = &wholes[1] else {
        panic!("an embedding")
    };
    assert_eq!(whole.values.to_f32(), [8.0, 6.0]);

    let run = embed(&user, &arguments("error", "strict")).expect(8);
    assert!(
        run.stderr
            .contains("b.png: there are no patches in field `things`"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("1 of 3 samples, 2 failed"), "{}", run.stderr);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let missing = embed(&user, &[name, "--patches", "nothing"]).expect(3);
    assert!(
        missing.error().contains("there is no field `nothing`"),
        "{}",
        missing.stderr
    );
    embed(&user, &[name, "--alpha", "0.5"]).expect(2);
    embed(&user, &[name, "--patches", "things", "--alpha", "-1.5"]).expect(2);

    let dataset = Dataset::open(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    let mut record = SampleRecord::image("pictures/d.png");
    record
        .labels
        .sample
        .insert("class".to_owned(), Classification::new("x").into());
    record.labels.sample.insert(
        "lines".to_owned(),
        Polylines::new(vec![Polyline::new("l", vec![vec![[0.0, 0.0], [0.5, 0.5]]])]).into(),
    );
    writer.add(record).unwrap();
    writer.finish().unwrap();
    let run = embed(&user, &[name, "--patches", "class"]).expect(8);
    assert!(
        run.stderr
            .contains("field `class` holds no detections or polylines"),
        "{}",
        run.stderr
    );
    embed(&user, &[name, "--patches", "lines"]).expect(0);
    let Some(Label::Polylines(lines)) = labels(&path, "lines").pop().unwrap() else {
        panic!("polylines")
    };
    assert_eq!(lines.polylines[0].attributes["embeddings"], json!([4.0, 3.0]));
}

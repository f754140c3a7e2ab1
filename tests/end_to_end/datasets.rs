//! Datasets as the input of `apply` and `embed`: fields that are filled, resumed, replaced and exported.

use crate::support::{self, User, media};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    record::SampleRecord,
};
use modelzoo_plugin_api::label::Label;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A dataset in a folder of its own, with paths relative to it: four pictures.
fn dataset(user: &User) -> PathBuf {
    media::pictures(user.path("set/pictures"));
    let path = user.path("set/samples.any-ending");
    let dataset = Dataset::create(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    for name in ["a", "b", "c", "d"] {
        writer
            .add(SampleRecord::image(format!("pictures/{name}.png")))
            .unwrap();
    }
    writer.finish().unwrap();
    path
}

/// The classes of the objects in a field, by the sample's path.
fn classes(path: &Path, field: &str) -> Vec<(String, String)> {
    let dataset = Dataset::open(path).unwrap();
    let samples = dataset.samples(&Selection::all().with_fields([field])).unwrap();
    let class = |label: Option<&Label>| match label {
        Some(Label::Detections(all)) => all.detections[0].label.clone().unwrap(),
        other => format!("{other:?}"),
    };
    samples
        .map(|sample| {
            let record = sample.unwrap().record;
            (record.filepath, class(record.labels.sample.get(field)))
        })
        .collect()
}

#[test]
fn a_field_is_filled_once_and_says_where_it_comes_from() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let first = user
        .run_capability("apply", "test/boxes", &[name, "things", "-t", "0.01"])
        .expect(0);
    assert_eq!(first.stdout, "", "results go to the dataset alone");
    assert!(first.stderr.contains("4 of 4 samples"), "{}", first.stderr);
    let found = classes(&path, "things");
    assert_eq!(found[0], ("pictures/a.png".to_owned(), "bright".to_owned()));
    assert_eq!(found[2], ("pictures/c.png".to_owned(), "dark".to_owned()));

    let info = Dataset::open(&path).unwrap().info().unwrap();
    assert_eq!(info.fields[0].description.classes, ["dark", "bright"]);
    let made = &info.runs[0];
    assert!(made.finished_at.is_some() && !made.active);
    assert_eq!((made.done, made.failed), (4, 0));
    assert!(
        made.provenance.source.ends_with("tests/plugins/capabilities"),
        "{made:?}"
    );
    assert_eq!(made.provenance.model, "test/boxes");
    assert_eq!(made.provenance.artifact_sha256.as_ref().unwrap().len(), 64);
    assert_eq!(made.provenance.options["confidence_thresh"], 0.01);

    let again = user
        .run_capability("apply", "test/boxes", &[name, "things", "-t", "0.01"])
        .expect(0);
    assert!(again.stderr.contains("0 of 0 samples"), "{}", again.stderr);
}

#[test]
fn values_of_other_origin_are_replaced_only_when_asked() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    user.run_capability("apply", "test/boxes", &[name, "things"])
        .expect(0);
    let other = ["--set-call", "class=cat"];
    let refused = user
        .run_capability("apply", "test/boxes", &[&[name, "things"], &other[..]].concat())
        .expect(1);
    assert!(
        refused.error().contains("field `things` already has values")
            && refused.error().contains("\"class\":\"cat\""),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("hint: `--overwrite` replaces them"),
        "{}",
        refused.stderr
    );
    assert_eq!(classes(&path, "things")[0].1, "bright");

    let arguments = [&[name, "things", "--overwrite"], &other[..]].concat();
    user.run_capability("apply", "test/boxes", &arguments).expect(0);
    assert!(classes(&path, "things").iter().all(|(_, class)| class == "cat"));
}

#[test]
fn samples_that_are_added_or_were_broken_are_done_by_the_next_run() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let broken = user.path("set/pictures/b.png");
    let good = fs::read(&broken).unwrap();
    fs::write(&broken, "no picture").unwrap();
    let failures = user.path("failures.jsonl");
    let arguments = [name, "things", "--failures", failures.to_str().unwrap()];
    let first = user.run_capability("apply", "test/boxes", &arguments).expect(8);
    assert!(
        first.stderr.contains("in the dataset: 3 done, 1 failed"),
        "{}",
        first.stderr
    );
    let told = support::json_lines(&fs::read_to_string(&failures).unwrap());
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["filepath"], &told[0]["stage"]),
        (&"pictures/b.png".into(), &"decode".into())
    );

    fs::write(&broken, good).unwrap();
    media::grey(&user.path("set/pictures/e.png"), 4, 4, 255);
    let dataset = Dataset::open(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    writer.add(SampleRecord::image("pictures/e.png")).unwrap();
    writer.finish().unwrap();
    let second = user.run_capability("apply", "test/boxes", &arguments).expect(0);
    assert!(second.stderr.contains("2 of 2 samples"), "{}", second.stderr);
    assert_eq!(classes(&path, "things").len(), 5);
    assert_eq!(fs::read_to_string(&failures).unwrap(), "");
}

#[test]
fn a_dataset_is_filled_and_exported_in_one_go() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let matrix = user.path("embeddings.npy");
    user.run_capability(
        "embed",
        "test/boxes",
        &[name, "sizes", "-o", matrix.to_str().unwrap()],
    )
    .expect(0);
    assert!(fs::read(&matrix).unwrap().starts_with(b"\x93NUMPY"));
    let lines = user.path("things.jsonl");
    user.run_capability(
        "apply",
        "test/boxes",
        &[name, "things", "-o", lines.to_str().unwrap()],
    )
    .expect(0);
    let records = support::json_lines(&fs::read_to_string(&lines).unwrap());
    assert_eq!(records.len(), 4);
    assert!(records[0].get("things").is_some() && records[0].get("sizes").is_none());
}

#[test]
fn a_new_dataset_can_be_the_output() {
    let user = User::new();
    let folder = media::pictures(user.path("photos"));
    let path = user.path("new.sqlite");
    let arguments = [folder.to_str().unwrap(), "things", "-o", path.to_str().unwrap()];
    user.run_capability("apply", "test/boxes", &arguments).expect(0);
    let found = classes(&path, "things");
    assert_eq!(found.len(), 4);
    assert!(Path::new(&found[0].0).is_absolute());

    let again = user.run_capability("apply", "test/boxes", &arguments).expect(1);
    assert!(
        again.error().contains("already a file of this name"),
        "{}",
        again.stderr
    );
    assert!(
        again.stderr.contains("hint: name the dataset as the input"),
        "{}",
        again.stderr
    );
}

#[test]
fn what_a_dataset_cannot_do_is_said_before_the_model_is_loaded() {
    let user = User::new();
    let path = dataset(&user);
    let name = path.to_str().unwrap();
    let folder = user.path("set/pictures");
    let several = user
        .run_capability("apply", "test/boxes", &[name, folder.to_str().unwrap()])
        .expect(2);
    assert!(
        several.error().contains("cannot be one of several inputs"),
        "{}",
        several.stderr
    );
    let reserved = user
        .run_capability("apply", "test/boxes", &[name, "metadata"])
        .expect(2);
    assert!(
        reserved.error().contains("every sample uses for itself"),
        "{}",
        reserved.stderr
    );
}

/// What an earlier run has written is an input as good as any: its labels are kept.
#[test]
fn a_file_of_labels_is_an_input_and_keeps_what_it_has() {
    let user = User::new();
    let folder = media::pictures(user.path("photos"));
    let first = user.path("first.jsonl");
    let arguments = [folder.to_str().unwrap(), "things", "-o", first.to_str().unwrap()];
    user.run_capability("apply", "test/boxes", &arguments).expect(0);
    let second = user
        .run_capability("embed", "test/boxes", &[first.to_str().unwrap(), "sizes"])
        .expect(0);
    let records: Vec<Value> = second.json_lines();
    assert_eq!(records.len(), 4);
    assert_eq!(records[0]["things"]["detections"][0]["label"], "bright");
    assert_eq!(records[0]["sizes"], serde_json::json!([8.0, 6.0]));
}

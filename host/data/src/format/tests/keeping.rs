//! Formats that keep everything, and the way from one dataset to another.

use super::*;
use crate::{
    dataset::{Dataset, Existing, FieldDescription, Provenance, Selection},
    format::{
        FormatError,
        export::{Media, export_dataset},
        import::{
            ImportOptions, ImportReport, detect, import_dataset, import_fiftyone, import_json_lines,
            import_media,
        },
    },
};

fn read_fiftyone(folder: &Path) -> Vec<SampleRecord> {
    let mut records = Vec::new();
    import_fiftyone(folder, &mut ImportReport::strict(), &mut |record, _, _| {
        records.push(record);
        Ok(())
    })
    .unwrap();
    records
}

#[test]
fn json_lines_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let failed = SampleRecord {
        error: Some("the file is empty".to_owned()),
        ..SampleRecord::image("b.jpg")
    };
    let records = [picture(folder.path(), "a.png", every_label()), film(), failed];
    let (path, summary) = export(
        &folder,
        Format::JsonLines,
        "all.jsonl",
        &ExportOptions::default(),
        &records,
    );
    assert_eq!(summary.samples, 3);
    let mut read = Vec::new();
    import_json_lines(&path, &mut ImportReport::strict(), &mut |record, _, _| {
        read.push(record);
        Ok(())
    })
    .unwrap();
    assert_same(&read, &records);
}

#[test]
fn fiftyone_datasets_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let options = ExportOptions {
        media: Media::Reference,
        ..ExportOptions::default()
    };
    for (name, record) in [
        ("images", picture(folder.path(), "a.png", every_label())),
        ("videos", film()),
    ] {
        let (path, _) = export(
            &folder,
            Format::FiftyOne,
            name,
            &options,
            std::slice::from_ref(&record),
        );
        assert_same(&read_fiftyone(&path), &[record]);
    }
}

#[test]
fn missing_points_are_bare_words_for_fiftyone() {
    let folder = tempfile::tempdir().unwrap();
    let options = ExportOptions {
        media: Media::Reference,
        ..ExportOptions::default()
    };
    for (name, record, file) in [
        (
            "images",
            picture(folder.path(), "a.png", every_label()),
            "samples.json",
        ),
        ("videos", film(), "frames/film.mp4.json"),
    ] {
        let (path, _) = export(&folder, Format::FiftyOne, name, &options, &[record]);
        let text = std::fs::read_to_string(path.join(file)).unwrap();
        assert!(text.contains("[[0.25,0.5],[NaN,NaN],[0.75,0.75]]"), "{text}");
        assert!(!text.contains("$numberDouble"), "{text}");
    }
}

#[test]
fn fiftyone_datasets_hold_the_media() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let records = [
        picture(folder.path(), "a.png", vec![]),
        picture(&folder.path().join("sub"), "a.png", vec![]),
    ];
    for media in [Media::Copy, Media::Link] {
        let options = ExportOptions {
            media,
            classes: vec!["cat".to_owned()],
            ..ExportOptions::default()
        };
        let (path, _) = export(
            &folder,
            Format::FiftyOne,
            &format!("{media:?}"),
            &options,
            &records,
        );
        let read = read_fiftyone(&path);
        let names: Vec<_> = read.iter().map(|record| Path::new(&record.filepath)).collect();
        assert_eq!(names, [path.join("data/a.png"), path.join("data/a-2.png")]);
        assert!(names.iter().all(|name| image::open(name).is_ok()));
        let metadata = std::fs::read_to_string(path.join("metadata.json")).unwrap();
        // With a version, FiftyOne would take it for its own newer form.
        assert!(metadata.contains("default_classes") && !metadata.contains("version"));
    }
}

#[test]
fn a_fiftyone_dataset_does_not_mix_media() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed");
    let options = ExportOptions {
        media: Media::Reference,
        ..ExportOptions::default()
    };
    let mut writer = create(Format::FiftyOne, &path, &options).unwrap();
    writer.write(&picture(folder.path(), "a.png", vec![])).unwrap();
    assert!(matches!(
        writer.write(&film()),
        Err(FormatError::Unsuitable { .. })
    ));
    drop(writer);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "only the picture"
    );
}

#[test]
fn what_fiftyone_exports_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("metadata.json"),
        r#"{"version": "1.22.1", "name": "a", "info": {"by": "me"}, "default_classes": ["cat"]}"#,
    )
    .unwrap();
    std::fs::write(
        folder.path().join("samples.json"),
        r#"{"samples": [{"_id": {"$oid": "6a"}, "filepath": "data/a.mp4", "_media_type": "video", "tags": ["x"],
            "metadata": null, "created_at": {"$date": "2026-01-01T00:00:00Z"}, "_rand": 0.5}]}"#,
    )
    .unwrap();
    std::fs::write(
        folder.path().join("frames.json"),
        r#"{"frames": [{"_id": {"$oid": "7b"}, "_sample_id": {"$oid": "6a"}, "frame_number": 3,
            "seen": {"_id": {"$oid": "8c"}, "_cls": "Classification", "tags": [], "label": "cat"}}]}"#,
    )
    .unwrap();
    let mut records = Vec::new();
    let info = import_fiftyone(folder.path(), &mut ImportReport::strict(), &mut |record, _, _| {
        records.push(record);
        Ok(())
    })
    .unwrap();
    assert_eq!(info.samples, 1);
    assert_eq!(info.info["default_classes"], serde_json::json!(["cat"]));
    let expected = SampleRecord {
        tags: vec!["x".to_owned()],
        labels: Fields {
            frames: [(
                3,
                sample(vec![("seen", Classification::new("cat").into())]).sample,
            )]
            .into(),
            ..Fields::default()
        },
        ..SampleRecord::video(folder.path().join("data/a.mp4").to_str().unwrap())
    };
    assert_same(&records, &[expected]);
}

#[test]
fn a_dataset_exports_what_is_selected_with_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = Dataset::create(folder.path().join("photos.db")).unwrap();
    let mut writer = dataset.writer().unwrap();
    for name in ["b.png", "a.png"] {
        writer
            .add(picture(
                folder.path(),
                name,
                vec![("note", PlainValue::new("dark").into())],
            ))
            .unwrap();
    }
    writer.finish().unwrap();
    let provenance = Provenance {
        source: "https://github.com/user/repo".to_owned(),
        model: "finder".to_owned(),
        commit: Some("0123".to_owned()),
        ..Provenance::default()
    };
    let mut run = dataset.begin_run("seen", &provenance, Existing::Resume).unwrap();
    run.describe(
        "seen",
        FieldDescription {
            classes: vec!["cat".to_owned(), "dog".to_owned()],
            ..FieldDescription::default()
        },
    );
    let samples = run.pending(&Selection::without_labels()).unwrap();
    let batch: Vec<_> = samples
        .map(|found| {
            let label = Detections::new(vec![boxed("dog", [0.0, 0.0, 0.5, 0.5], 0.5)]);
            (found.unwrap().id, Ok(sample(vec![("seen", label.into())])))
        })
        .collect();
    run.commit_batch(&batch).unwrap();
    run.finish().unwrap();

    let path = folder.path().join("out.json");
    let selection = Selection::all().with_fields(["seen"]);
    let summary = export_dataset(
        &dataset,
        &selection,
        Format::Coco,
        &path,
        &ExportOptions::default(),
    )
    .unwrap();
    assert_eq!((summary.samples, summary.notes), (2, vec![]));
    let coco: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(coco["annotations"][0]["category_id"], 2);
    assert_eq!(coco["categories"][1]["name"], "dog");
    assert_eq!(coco["info"]["facts"]["seen.commit"], "0123");
    assert!(
        coco["images"][0]["file_name"]
            .as_str()
            .unwrap()
            .ends_with("b.png")
    );
}

#[test]
fn a_folder_becomes_samples_with_absolute_paths() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "b.png", vec![]);
    picture(folder.path(), "a.png", vec![]);
    std::fs::write(folder.path().join("film.mp4"), "").unwrap();
    std::fs::write(folder.path().join("notes.md"), "").unwrap();
    let mut paths = Vec::new();
    import_media(
        &[folder.path()],
        &mut ImportReport::strict(),
        &mut |record, _, _| {
            paths.push((record.filepath, record.media_type));
            Ok(())
        },
    )
    .unwrap();
    let names: Vec<&str> = paths
        .iter()
        .map(|(path, _)| path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["a.png", "b.png", "film.mp4"]);
    assert!(paths.iter().all(|(path, _)| Path::new(path).is_absolute()));
    assert_eq!(paths[2].1, modelzoo_plugin_api::MediaType::Video);
}

#[test]
fn what_is_exported_makes_an_equal_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Dataset::create(folder.path().join("first.db")).unwrap();
    let objects = vec![(
        "ground_truth",
        Detections::new(vec![boxed("dog", [0.25, 0.5, 0.5, 0.5], 0.25)]).into(),
    )];
    let mut writer = first.writer().unwrap();
    writer.add(picture(folder.path(), "a.png", objects)).unwrap();
    writer.finish().unwrap();
    let read = |dataset: &Dataset| -> Vec<SampleRecord> {
        let samples = dataset.samples(&Selection::all()).unwrap();
        samples.map(|sample| sample.unwrap().record).collect()
    };
    let options = ExportOptions {
        media: Media::Reference,
        ..ExportOptions::default()
    };
    for (format, name) in [
        (Format::JsonLines, "a.jsonl"),
        (Format::FiftyOne, "folder"),
        (Format::Coco, "a.json"),
    ] {
        let path = folder.path().join(name);
        export_dataset(&first, &Selection::all(), format, &path, &options).unwrap();
        assert_eq!(detect(&path), Some(format));
        let mut second = Dataset::create(folder.path().join(format!("{format}.db"))).unwrap();
        let summary = import_dataset(&mut second, Some(format), &path, &ImportOptions::default()).unwrap();
        assert_eq!((summary.added, summary.merged), (1, 0));
        assert_same(&read(&second), &read(&first));
        if format == Format::Coco {
            let field = second.fields().unwrap().swap_remove(0);
            assert_eq!(field.description.classes, ["dog"]);
        }
    }
    let error = import_dataset(
        &mut first,
        Some(Format::Csv),
        folder.path(),
        &ImportOptions::default(),
    );
    assert!(matches!(error, Err(FormatError::Unsuitable { .. })));
    // Of a folder the dataset in it; `folder` is one of FiftyOne, which is deeper.
    assert_eq!(detect(folder.path()), Some(Format::Coco));
    let mut third = Dataset::create(folder.path().join("third.db")).unwrap();
    let options = ImportOptions::default();
    let summary = import_dataset(&mut third, Some(Format::Coco), folder.path(), &options).unwrap();
    assert_eq!((summary.added, summary.notes), (1, Vec::new()));
    assert_same(&read(&third), &read(&first));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(detect(empty.path()), None);
    assert_eq!(detect(Path::new("photos/*.jpg")), None);
    assert_eq!(detect(Path::new("labels.CSV")), Some(Format::Csv));
}

#[test]
fn an_import_adds_tags_and_facts_about_files() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "a.png", vec![]);
    std::fs::write(folder.path().join("b.png"), "broken").unwrap();
    let list = folder.path().join("a.jsonl");
    std::fs::write(
        &list,
        "{\"filepath\": \"a.png\", \"tags\": [\"own\"]}\n{\"filepath\": \"b.png\"}",
    )
    .unwrap();
    let mut dataset = Dataset::create(folder.path().join("a.db")).unwrap();
    let options = ImportOptions {
        tags: vec!["new".to_owned()],
        metadata: true,
        ..ImportOptions::default()
    };
    import_dataset(&mut dataset, Some(Format::JsonLines), &list, &options).unwrap();
    let samples = dataset.samples(&Selection::all()).unwrap();
    let records: Vec<SampleRecord> = samples.map(|sample| sample.unwrap().record).collect();
    assert_eq!(Path::new(&records[0].filepath), folder.path().join("a.png"));
    assert_eq!(records[0].tags, ["own", "new"]);
    assert_eq!(records[0].metadata.as_ref().unwrap().size(), (40, 20));
    assert_eq!(records[1].metadata, None);
}

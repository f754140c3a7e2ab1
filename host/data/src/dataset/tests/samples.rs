//! Samples, tags and labels go in and come out.

use super::{classification, ids, labels, pictures, place, records};
use crate::{
    dataset::{Dataset, Reason, Selection},
    label::Fields,
    record::{ImageMetadata, Metadata, SampleRecord},
};
use modelzoo_plugin_api::{
    Array, MediaType,
    label::{
        Classifications, Detection, Detections, GeoLocation, Heatmap, Keypoint, Keypoints, Label, PlainValue,
        Polyline, Polylines, Regression, Segmentation, TemporalDetection, TemporalDetections, Vector,
    },
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[test]
fn samples_come_out_in_the_order_in_which_they_went_in() {
    let (_folder, dataset) = pictures(2000);
    let paths: Vec<String> = records(&dataset)
        .into_iter()
        .map(|record| record.filepath)
        .collect();
    let expected: Vec<String> = (0..2000).map(|number| format!("{number}.jpg")).collect();
    assert_eq!(paths, expected);
    assert_eq!(dataset.len().unwrap(), 2000);
}

#[test]
fn a_path_that_is_there_gets_the_new_tags_labels_and_metadata() {
    let (_folder, dataset) = pictures(2);
    let mut writer = dataset.writer().unwrap();
    writer
        .add(SampleRecord {
            tags: vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
            labels: labels("truth", classification("cat")),
            metadata: Some(Metadata::Image(ImageMetadata {
                width: 4,
                height: 3,
                ..ImageMetadata::default()
            })),
            ..SampleRecord::image("1.jpg")
        })
        .unwrap();
    writer.add(SampleRecord::image("2.jpg")).unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!((summary.added, summary.merged), (1, 1));

    let record = records(&dataset).swap_remove(1);
    assert_eq!(record.tags, ["b", "a"]);
    assert_eq!(record.labels.sample["truth"], classification("cat"));
    assert_eq!(record.metadata.unwrap().size(), (4, 3));
}

#[test]
fn selections_choose_samples_and_fields() {
    let (_folder, mut dataset) = pictures(4);
    let mut writer = dataset.writer().unwrap();
    writer
        .add(SampleRecord {
            labels: Fields {
                sample: [
                    ("one".to_owned(), classification("cat")),
                    ("two".to_owned(), classification("dog")),
                ]
                .into(),
                ..Fields::default()
            },
            ..SampleRecord::video("film.mp4")
        })
        .unwrap();
    writer.finish().unwrap();
    let all = ids(&dataset);
    dataset.add_tag(&all[1..3], "odd").unwrap();
    dataset.remove_tag(&all[2..3], "odd").unwrap();
    assert_eq!(dataset.tag_counts().unwrap(), [("odd".to_owned(), 1)]);

    let read = |selection: Selection| -> Vec<SampleRecord> {
        let samples = dataset.samples(&selection).unwrap();
        samples.map(|sample| sample.unwrap().record).collect()
    };
    let tagged = read(Selection::all().with_tags(["odd", "absent"]));
    assert_eq!((tagged.len(), tagged[0].filepath.as_str()), (1, "1.jpg"));
    let videos = read(
        Selection::all()
            .with_media_type(MediaType::Video)
            .with_fields(["two"]),
    );
    assert_eq!(videos[0].labels.sample.keys().collect::<Vec<_>>(), ["two"]);
    let bare = read(Selection::without_labels().with_media_type(MediaType::Video));
    assert!(bare[0].labels.is_empty());

    let error = dataset
        .samples(&Selection::all().with_fields(["three"]))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("no field `three`; there are one, two"),
        "{error}"
    );
}

#[test]
fn selections_count_and_pass_over_samples() {
    let (_folder, mut dataset) = pictures(1500);
    let all = ids(&dataset);
    dataset.add_tag(&all[..1200], "early").unwrap();
    for (skip, limit, expected) in [
        (0, 700, 0..700),
        (1000, 700, 1000..1200),
        (1300, 1, 0..0),
        (5, 0, 0..0),
    ] {
        let selection = Selection::without_labels()
            .with_tags(["early"])
            .skip(skip)
            .limit(limit);
        let found: Vec<_> = dataset
            .samples(&selection)
            .unwrap()
            .map(|sample| sample.unwrap().id)
            .collect();
        assert_eq!(found, all[expected], "{selection:?}");
        assert_eq!(dataset.count(&selection).unwrap(), found.len() as u64);
    }
}

#[test]
fn a_reader_sees_the_dataset_as_it_was_when_it_began() {
    let (_folder, dataset) = pictures(3);
    let mut samples = dataset.samples(&Selection::all()).unwrap();
    samples.next().unwrap().unwrap();
    let mut writer = dataset.writer().unwrap();
    writer.add(SampleRecord::image("late.jpg")).unwrap();
    writer.finish().unwrap();
    assert_eq!(samples.count(), 2);
    assert_eq!(dataset.len().unwrap(), 4);
}

#[test]
fn a_field_holds_labels_of_one_type_under_a_proper_name() {
    let (_folder, dataset) = pictures(0);
    let add = |field: &str, label: Label| {
        let mut writer = dataset.writer().unwrap();
        writer.add(SampleRecord {
            labels: labels(field, label),
            ..SampleRecord::image("0.jpg")
        })?;
        writer.finish()
    };
    add("truth", classification("cat")).unwrap();
    let error = add("truth", Detections::default().into()).unwrap_err();
    assert!(matches!(error.reason, Reason::OtherType { .. }), "{error}");
    for name in ["", "filepath", "a.b", "_cls"] {
        let error = add(name, classification("cat")).unwrap_err();
        assert!(matches!(error.reason, Reason::InvalidFieldName(_)), "{error}");
    }
    assert!(matches!(
        add("new", Label::Unknown).unwrap_err().reason,
        Reason::UnknownType { .. }
    ));
}

#[test]
fn the_overview_counts_everything() {
    let (_folder, dataset) = pictures(2);
    let mut writer = dataset.writer().unwrap();
    writer
        .add(SampleRecord {
            labels: Fields {
                frames: (1..=5)
                    .map(|frame| (frame, labels("seen", classification("cat")).sample))
                    .collect(),
                ..labels("embedding", Vector::new(Array::vector(vec![0.5f32, 1.0, 2.0])))
            },
            tags: vec!["night".to_owned()],
            ..SampleRecord::video("film.mp4")
        })
        .unwrap();
    writer.finish().unwrap();
    let info = dataset.info().unwrap();
    assert_eq!((info.images, info.videos), (2, 1));
    let fields: Vec<_> = info
        .fields
        .iter()
        .map(|field| {
            (
                field.name.as_str(),
                field.of_frames,
                field.label_type.as_str(),
                field.values,
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("embedding", false, "Vector", 1),
            ("seen", true, "Classification", 5)
        ]
    );
    assert_eq!(info.fields[0].dimensions, Some(3));
    assert_eq!(info.tags, [("night".to_owned(), 1)].into());
}

#[test]
fn facts_about_the_dataset_are_kept() {
    let (_folder, mut dataset) = pictures(0);
    let mut facts = dataset.facts().unwrap();
    assert!(facts.is_empty());
    facts.insert("default_classes".to_owned(), ["cat", "dog"].as_slice().into());
    dataset.set_facts(&facts).unwrap();
    let dataset = Dataset::open(dataset.path()).unwrap();
    assert_eq!(dataset.facts().unwrap(), facts);
}

/// One label of every type, with whatever numbers.
fn every_label(number: f64, text: &str, count: usize) -> Vec<Label> {
    let mask = Array::new([2, 3], vec![0u8, 1, 1, 0, 0, 1]).unwrap();
    let detection = Detection::new(text, [number, 0.25, 0.5, 0.125])
        .with_confidence(0.75)
        .with_index(count as i64)
        .with_mask(mask.clone());
    let polyline = Polyline::new(text, vec![vec![[number, 0.5]; count]]).into_polygon();
    let keypoint = Keypoint::new(vec![[number, 0.5]; count]).with_confidence(vec![0.5; count]);
    let event = TemporalDetection::new(text, 1, count as u64 + 1);
    vec![
        Regression::new(number).into(),
        classification(text),
        Classifications::new(vec![])
            .with_logits(Array::vector(vec![number as f32; count]))
            .into(),
        detection.clone().into(),
        Detections::new(vec![detection; count]).into(),
        polyline.clone().into(),
        Polylines::new(vec![polyline; count]).into(),
        keypoint.clone().into(),
        Keypoints::new(vec![keypoint; count]).into(),
        Segmentation::new(Array::new([1, 2], vec![7u16, 300]).unwrap()).into(),
        Heatmap::new(mask).with_range(0.0, number).into(),
        event.clone().into(),
        TemporalDetections::new(vec![event; count]).into(),
        GeoLocation::point(number, 45.0).into(),
        Vector::new(Array::vector(vec![number as f32; count])).into(),
        Vector::new(Array::new([2, count], vec![number as f32; 2 * count]).unwrap()).into(),
        PlainValue::new(text).into(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_label_comes_out_as_it_went_in(
        number in -1e6f64..1e6,
        text in "\\PC{0,12}",
        count in 0usize..4,
        frames in proptest::collection::btree_set(1u64..1000, 0..4),
    ) {
        let (_folder, path) = place();
        let dataset = Dataset::create(path).unwrap();
        let sample: BTreeMap<String, Label> = every_label(number, &text, count)
            .into_iter()
            .enumerate()
            .map(|(index, label)| (format!("field_{index}"), label))
            .collect();
        let record = SampleRecord {
            labels: Fields {
                frames: frames.into_iter().map(|frame| (frame, sample.clone())).collect(),
                sample,
            },
            ..SampleRecord::video("film.mp4")
        };
        let mut writer = dataset.writer().unwrap();
        writer.add(record.clone()).unwrap();
        writer.finish().unwrap();
        prop_assert_eq!(records(&dataset), [record]);
    }
}

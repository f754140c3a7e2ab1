//! What is exported says what the samples say, and comes back the same where the format keeps it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod coco;
mod keeping;
mod names;
pub(super) mod parquet_rows;
mod tables;
mod training;

use super::{
    Format,
    export::{ExportOptions, Summary, create},
};
use crate::{
    label::Fields,
    record::{ImageMetadata, Metadata, SampleRecord, VideoMetadata},
};
use modelzoo_plugin_api::{
    Array,
    label::{
        Classification, Detection, Detections, Heatmap, Keypoint, Keypoints, Label, PlainValue, Polyline,
        Polylines, Regression, Segmentation, TemporalDetection, TemporalDetections, Vector,
    },
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A picture of 40 x 20 pixels with labels, whose file is there.
fn picture(folder: &Path, name: &str, labels: Vec<(&str, Label)>) -> SampleRecord {
    let path = folder.join(name);
    image::RgbImage::new(40, 20).save(&path).unwrap();
    SampleRecord {
        metadata: Some(Metadata::Image(ImageMetadata {
            width: 40,
            height: 20,
            ..ImageMetadata::default()
        })),
        labels: sample(labels),
        ..SampleRecord::image(path.to_str().unwrap())
    }
}

fn sample(labels: Vec<(&str, Label)>) -> Fields {
    Fields {
        sample: labels
            .into_iter()
            .map(|(name, label)| (name.to_owned(), label))
            .collect(),
        ..Fields::default()
    }
}

fn boxed(class: &str, bounding_box: [f64; 4], confidence: f64) -> Detection {
    Detection::new(class, bounding_box).with_confidence(confidence)
}

/// An object in the middle whose pixels are a ring of 4 x 4.
fn ring() -> Detection {
    let pixels = vec![1u8, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1];
    boxed("ring", [0.25, 0.25, 0.1, 0.2], 0.5).with_mask(Array::new([4, 4], pixels).unwrap())
}

fn pose() -> Keypoint {
    Keypoint::new(vec![[0.25, 0.5], [f64::NAN, f64::NAN], [0.75, 0.75]])
        .with_label("person")
        .with_confidence(vec![0.5, f64::NAN, 1.0])
}

/// Every type of label.
fn every_label() -> Vec<(&'static str, Label)> {
    let mask = Array::new([2, 2], vec![0u8, 1, 2, 3]).unwrap();
    vec![
        (
            "class",
            Classification::new("cat")
                .with_confidence(0.75)
                .with_logits(Array::vector(vec![0.5f32, -1.0]))
                .into(),
        ),
        ("blank", Classification::blank().into()),
        (
            "boxes",
            Detections::new(vec![
                boxed("dog", [0.0, 0.5, 0.5, 0.5], 0.25).with_index(3),
                ring(),
            ])
            .into(),
        ),
        (
            "events",
            TemporalDetections::new(vec![TemporalDetection::new("jump", 2, 5)]).into(),
        ),
        ("heat", Heatmap::new(mask.clone()).with_range(0.0, 3.0).into()),
        (
            "lines",
            Polylines::new(vec![
                Polyline::new("road", vec![vec![[0.0, 0.0], [0.5, 0.0], [0.5, 1.0]]]).into_polygon(),
            ])
            .into(),
        ),
        ("note", PlainValue::new("dark").into()),
        ("points", Keypoints::new(vec![pose()]).into()),
        ("score", Regression::new(2.5).into()),
        ("segments", Segmentation::new(mask).into()),
        ("vector", Vector::new(Array::vector(vec![0.5f32, 0.1])).into()),
    ]
}

fn film() -> SampleRecord {
    SampleRecord {
        metadata: Some(Metadata::Video(VideoMetadata {
            frame_width: 40,
            frame_height: 20,
            total_frame_count: Some(9),
            ..VideoMetadata::default()
        })),
        labels: Fields {
            frames: [
                (1, sample(every_label()).sample),
                (7, sample(every_label()).sample),
            ]
            .into(),
            ..sample(every_label())
        },
        tags: vec!["night".to_owned()],
        ..SampleRecord::video("/nowhere/film.mp4")
    }
}

/// Exports to a file or folder `name` in `folder`.
fn export(
    folder: &TempDir,
    format: Format,
    name: &str,
    options: &ExportOptions,
    records: &[SampleRecord],
) -> (PathBuf, Summary) {
    let path = folder.path().join(name);
    let mut writer = create(format, &path, options).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    assert!(!path.exists(), "nothing is there before the end");
    (path, writer.finish().unwrap())
}

/// Keypoints that are missing are not equal to themselves; their text is.
fn assert_same(left: &[SampleRecord], right: &[SampleRecord]) {
    assert_eq!(format!("{left:#?}"), format!("{right:#?}"));
}

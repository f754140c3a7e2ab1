mod files;
mod runs;
mod samples;

use super::{Dataset, Provenance, SampleId, Selection};
use crate::{label::Fields, record::SampleRecord};
use modelzoo_plugin_api::label::{Classification, Label};
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder that lasts as long as the test, and where the dataset goes.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos.db");
    (folder, path)
}

/// A dataset of `count` pictures, `0.jpg` and so on.
fn pictures(count: usize) -> (TempDir, Dataset) {
    let (folder, path) = place();
    let dataset = Dataset::create(path).unwrap();
    let mut writer = dataset.writer().unwrap();
    for number in 0..count {
        writer.add(SampleRecord::image(format!("{number}.jpg"))).unwrap();
    }
    assert_eq!(writer.finish().unwrap().added, count as u64);
    (folder, dataset)
}

fn provenance(model: &str) -> Provenance {
    Provenance {
        source: "https://github.com/user/repo".to_owned(),
        commit: Some("0123abc".to_owned()),
        model: model.to_owned(),
        ..Provenance::default()
    }
}

fn classification(class: &str) -> Label {
    Classification::new(class).with_confidence(0.5).into()
}

fn labels(field: &str, label: impl Into<Label>) -> Fields {
    Fields {
        sample: [(field.to_owned(), label.into())].into(),
        ..Fields::default()
    }
}

/// A picture with a classification in `field`.
fn labelled(filepath: &str, field: &str, class: &str) -> SampleRecord {
    SampleRecord {
        labels: labels(field, classification(class)),
        ..SampleRecord::image(filepath)
    }
}

fn records(dataset: &Dataset) -> Vec<SampleRecord> {
    dataset
        .samples(&Selection::all())
        .unwrap()
        .map(|sample| sample.unwrap().record)
        .collect()
}

fn ids(dataset: &Dataset) -> Vec<SampleId> {
    dataset
        .samples(&Selection::without_labels())
        .unwrap()
        .map(|sample| sample.unwrap().id)
        .collect()
}

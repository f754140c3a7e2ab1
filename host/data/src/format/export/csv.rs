//! CSV: a line for each label, beginning with the columns of supervision's `CSVSink`. Boxes are in pixels where the
//! picture's size is known, otherwise relative to it.

use super::{ExportOptions, FormatError, RecordWriter, SampleRecord, Summary, classes::Classes};
use crate::{
    format::{notes::Notes, shape::bounds},
    label::LabelJson,
    output::{OutputError, OutputFile},
};
use modelzoo_plugin_api::label::{Detection, Keypoint, Label, Polyline, TemporalDetection};
use std::{io, path::Path};

const HEADER: [&str; 13] = [
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "class_id",
    "confidence",
    "tracker_id",
    "filepath",
    "frame",
    "field",
    "label",
    "value",
    "warning",
];

pub(super) struct CsvWriter {
    lines: csv::Writer<OutputFile>,
    path: std::path::PathBuf,
    classes: Classes,
    notes: Notes,
    samples: u64,
}

/// What a line says of a label.
#[derive(Default)]
struct Line<'a> {
    /// Relative to the picture.
    bounding_box: Option<[f64; 4]>,
    label: Option<&'a str>,
    confidence: Option<f64>,
    index: Option<i64>,
    value: Option<String>,
}

impl CsvWriter {
    pub fn create(path: &Path, options: &ExportOptions) -> Result<Self, FormatError> {
        let mut lines = csv::Writer::from_writer(OutputFile::create(path)?);
        lines
            .write_record(HEADER)
            .map_err(|error| OutputError::new(path, error))?;
        Ok(Self {
            lines,
            path: path.to_owned(),
            classes: Classes::new(&options.classes),
            notes: Notes::default(),
            samples: 0,
        })
    }

    fn write_label(
        &mut self,
        record: &SampleRecord,
        frame: Option<u64>,
        field: &str,
        label: &Label,
    ) -> Result<(), csv::Error> {
        let (width, height) = record
            .metadata
            .as_ref()
            .map_or((1, 1), |metadata| metadata.size());
        for line in lines_of(label, &mut self.notes) {
            let [x_min, y_min, x_max, y_max] = match line.bounding_box {
                Some([x, y, w, h]) => {
                    let (width, height) = (f64::from(width), f64::from(height));
                    [x * width, y * height, (x + w) * width, (y + h) * height].map(|edge| edge.to_string())
                }
                None => [const { String::new() }; 4],
            };
            let class = line.label.map(|class| self.classes.index(class));
            self.lines.write_record([
                x_min,
                y_min,
                x_max,
                y_max,
                text(class),
                text(line.confidence),
                text(line.index),
                record.filepath.clone(),
                text(frame),
                field.to_owned(),
                text(line.label),
                line.value.unwrap_or_default(),
                record.warnings.join("; "),
            ])?;
        }
        Ok(())
    }
}

impl RecordWriter for CsvWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        let failure = |path: &Path, error: csv::Error| {
            FormatError::from(OutputError::new(path, io::Error::from(error)))
        };
        for (field, label) in &record.labels.sample {
            self.write_label(record, None, field, label)
                .map_err(|error| failure(&self.path, error))?;
        }
        for (&frame, fields) in &record.labels.frames {
            for (field, label) in fields {
                self.write_label(record, Some(frame), field, label)
                    .map_err(|error| failure(&self.path, error))?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Summary, FormatError> {
        let file = self
            .lines
            .into_inner()
            .map_err(|error| OutputError::new(&self.path, io::Error::other(error.to_string())))?;
        file.commit()?;
        Ok(Summary {
            samples: self.samples,
            notes: self.notes.into_lines(),
            ..Summary::default()
        })
    }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn lines_of<'a>(label: &'a Label, notes: &mut Notes) -> Vec<Line<'a>> {
    match label {
        Label::Classification(one) => vec![Line {
            label: one.label.as_deref(),
            confidence: one.confidence,
            ..Line::default()
        }],
        Label::Classifications(all) => {
            let lines = all.classifications.iter().map(|one| Line {
                label: one.label.as_deref(),
                confidence: one.confidence,
                ..Line::default()
            });
            lines.collect()
        }
        Label::Detection(one) => vec![detection(one)],
        Label::Detections(all) => all.detections.iter().map(detection).collect(),
        Label::Polyline(one) => vec![polyline(one)],
        Label::Polylines(all) => all.polylines.iter().map(polyline).collect(),
        Label::Keypoint(one) => vec![keypoint(one)],
        Label::Keypoints(all) => all.keypoints.iter().map(keypoint).collect(),
        Label::TemporalDetection(one) => vec![event(one)],
        Label::TemporalDetections(all) => all.detections.iter().map(event).collect(),
        Label::Regression(one) => vec![Line {
            confidence: one.confidence,
            value: one.value.map(|value| value.to_string()),
            ..Line::default()
        }],
        Label::Value(_) | Label::GeoLocation(_) => vec![Line {
            value: json(label),
            ..Line::default()
        }],
        other => {
            let name = crate::record::label_type(other).unwrap_or("labels of their type");
            notes.add(format!("labels left out: CSV has no {name}"));
            Vec::new()
        }
    }
}

fn detection(one: &Detection) -> Line<'_> {
    Line {
        bounding_box: Some(one.bounding_box),
        label: one.label.as_deref(),
        confidence: one.confidence,
        index: one.index,
        value: None,
    }
}

fn polyline(one: &Polyline) -> Line<'_> {
    Line {
        bounding_box: bounds(one.points.iter().flatten()),
        label: one.label.as_deref(),
        confidence: one.confidence,
        index: one.index,
        value: serde_json::to_string(&one.points).ok(),
    }
}

fn keypoint(one: &Keypoint) -> Line<'_> {
    Line {
        bounding_box: bounds(&one.points),
        label: one.label.as_deref(),
        confidence: None,
        index: one.index,
        value: serde_json::to_string(&one.points).ok(),
    }
}

fn event(one: &TemporalDetection) -> Line<'_> {
    Line {
        label: one.label.as_deref(),
        confidence: one.confidence,
        value: serde_json::to_string(&one.support).ok(),
        ..Line::default()
    }
}

fn json(label: &Label) -> Option<String> {
    match label {
        Label::Value(plain) => match &plain.value {
            serde_json::Value::String(text) => Some(text.clone()),
            value => Some(value.to_string()),
        },
        label => serde_json::to_string(&LabelJson(label)).ok(),
    }
}

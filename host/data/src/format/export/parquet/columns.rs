//! The columns of labels:
//!
//! | label | column |
//! |---|---|
//! | Regression | struct of `value`, `confidence` |
//! | Classification(s) | (list of) struct of `label`, `confidence`, `logits` |
//! | Detection(s) | (list of) struct of `label`, `confidence`, `index`, `bounding_box` (four numbers), `mask` (COCO's run lengths: struct of `size`, `counts`), `mask_path` |
//! | Polyline(s) | (list of) struct of `label`, `confidence`, `index`, `closed`, `filled`, `points` |
//! | Keypoint(s) | (list of) struct of `label`, `index`, `points`, `confidence` (a list) |
//! | TemporalDetection(s) | (list of) struct of `label`, `confidence`, `support` |
//! | Vector | list of single precision, of fixed size where all have one length |
//! | others | FiftyOne's JSON as text |
//!
//! `frames` is a list of structs of `frame_number` and a column for each field of frames.

use super::schema::{DataType, Field};
use crate::{
    dataset::FieldInfo,
    format::shape::{Mask, RunLengths},
    label::{Fields, LabelJson},
    record::{SampleRecord, label_type},
};
use modelzoo_plugin_api::{
    Array,
    label::{Classification, Detection, Keypoint, Label, Polyline, TemporalDetection},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A column of labels.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    of_frames: bool,
    label_type: String,
    dimensions: Option<usize>,
}

/// The columns of known fields.
pub(super) fn of_fields(fields: &[FieldInfo]) -> Vec<Column> {
    let column = |field: &FieldInfo| Column {
        name: field.name.clone(),
        of_frames: field.of_frames,
        label_type: field.label_type.clone(),
        dimensions: field.dimensions,
    };
    fields.iter().map(column).collect()
}

/// The columns that samples turn out to need.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By name, and whether they are of frames: the type of the first label, and the length of vectors if it is one.
    columns: BTreeMap<(String, bool), (&'static str, Option<usize>)>,
}

impl Found {
    pub fn see(&mut self, record: &SampleRecord) {
        record
            .labels
            .sample
            .iter()
            .for_each(|(name, label)| self.see_label(name, false, label));
        for (name, label) in record.labels.frames.values().flatten() {
            self.see_label(name, true, label);
        }
    }

    fn see_label(&mut self, name: &str, of_frames: bool, label: &Label) {
        let Some(label_type) = label_type(label) else {
            return;
        };
        let length = match label {
            Label::Vector(vector) => Some(vector.values.to_f32().len()),
            _ => None,
        };
        let column = self
            .columns
            .entry((name.to_owned(), of_frames))
            .or_insert((label_type, length));
        if column.1 != length {
            column.1 = None;
        }
    }

    pub fn into_columns(self) -> Vec<Column> {
        let columns = self.columns.into_iter();
        columns
            .map(|((name, of_frames), (label_type, dimensions))| Column {
                name,
                of_frames,
                label_type: label_type.to_owned(),
                dimensions,
            })
            .collect()
    }
}

/// The columns of a file: those of every sample, then one for each field, then those of frames.
pub(super) fn schema(columns: &[Column]) -> Vec<Field> {
    let mut fields = vec![
        Field::required("filepath", DataType::Text),
        Field::required("media_type", DataType::Text),
        Field::nullable("width", DataType::Int64),
        Field::nullable("height", DataType::Int64),
        Field::nullable("tags", DataType::list(DataType::Text)),
        Field::nullable("error", DataType::Text),
        Field::nullable("warnings", DataType::list(DataType::Text)),
    ];
    let (of_frames, of_samples): (Vec<&Column>, Vec<&Column>) =
        columns.iter().partition(|column| column.of_frames);
    fields.extend(of_samples.into_iter().map(Column::field));
    if !of_frames.is_empty() {
        let mut frame = vec![Field::nullable("frame_number", DataType::Int64)];
        frame.extend(of_frames.into_iter().map(Column::field));
        fields.push(Field::nullable("frames", DataType::list(DataType::Struct(frame))));
    }
    fields
}

impl Column {
    fn field(&self) -> Field {
        let one = DataType::Struct;
        let numbers = || DataType::list(DataType::Float64);
        let label = || Field::nullable("label", DataType::Text);
        let confidence = || Field::nullable("confidence", DataType::Float64);
        let index = || Field::nullable("index", DataType::Int64);
        let mask = || {
            one(vec![
                Field::nullable("size", DataType::list(DataType::Int64)),
                Field::nullable("counts", DataType::Text),
            ])
        };
        let (name, is_list) = match self.label_type.strip_suffix('s') {
            Some(name) => (name, true),
            None => (self.label_type.as_str(), false),
        };
        let item = match name {
            "Regression" => one(vec![Field::nullable("value", DataType::Float64), confidence()]),
            "Classification" => one(vec![
                label(),
                confidence(),
                Field::nullable("logits", DataType::list(DataType::Float32)),
            ]),
            "Detection" => one(vec![
                label(),
                confidence(),
                index(),
                Field::nullable("bounding_box", DataType::fixed_size_list(DataType::Float64, 4)),
                Field::nullable("mask", mask()),
                Field::nullable("mask_path", DataType::Text),
            ]),
            "Polyline" => one(vec![
                label(),
                confidence(),
                index(),
                Field::nullable("closed", DataType::Boolean),
                Field::nullable("filled", DataType::Boolean),
                Field::nullable("points", DataType::list(DataType::list(numbers()))),
            ]),
            "Keypoint" => one(vec![
                label(),
                index(),
                Field::nullable("points", DataType::list(numbers())),
                Field::nullable("confidence", numbers()),
            ]),
            "TemporalDetection" => one(vec![
                label(),
                confidence(),
                Field::nullable("support", DataType::list(DataType::Int64)),
            ]),
            "Vector" => match self.dimensions.map(i32::try_from) {
                Some(Ok(length)) if length > 0 => DataType::fixed_size_list(DataType::Float32, length),
                _ => DataType::list(DataType::Float32),
            },
            _ => DataType::Text,
        };
        let is_list = is_list && matches!(item, DataType::Struct(_));
        Field::nullable(&self.name, if is_list { DataType::list(item) } else { item })
    }
}

/// A sample as a row of the columns.
pub(super) fn row(record: &SampleRecord, columns: &[Column]) -> Value {
    let size = record.metadata.as_ref().map(|metadata| metadata.size());
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    put("filepath", json!(record.filepath));
    put("media_type", json!(record.media_type));
    put("width", json!(size.map(|(width, _)| width)));
    put("height", json!(size.map(|(_, height)| height)));
    put("tags", json!(record.tags));
    put("error", json!(record.error));
    put("warnings", json!(record.warnings));
    for column in columns.iter().filter(|column| !column.of_frames) {
        if let Some(label) = record.labels.sample.get(&column.name) {
            put(&column.name, column.value(label));
        }
    }
    if columns.iter().any(|column| column.of_frames) {
        put("frames", frames(&record.labels, columns));
    }
    Value::Object(row)
}

fn frames(labels: &Fields, columns: &[Column]) -> Value {
    let frame = |(number, labels): (&u64, &BTreeMap<String, Label>)| {
        let mut frame = Map::from_iter([("frame_number".to_owned(), json!(number))]);
        for column in columns.iter().filter(|column| column.of_frames) {
            if let Some(label) = labels.get(&column.name) {
                frame.insert(column.name.clone(), column.value(label));
            }
        }
        Value::Object(frame)
    };
    labels.frames.iter().map(frame).collect()
}

impl Column {
    /// A label as the column has it; null when it is of another type.
    fn value(&self, label: &Label) -> Value {
        if label_type(label) != Some(&self.label_type) {
            return Value::Null;
        }
        match label {
            Label::Regression(one) => json!({"value": one.value, "confidence": one.confidence}),
            Label::Classification(one) => classification(one),
            Label::Classifications(all) => all.classifications.iter().map(classification).collect(),
            Label::Detection(one) => detection(one),
            Label::Detections(all) => all.detections.iter().map(detection).collect(),
            Label::Polyline(one) => polyline(one),
            Label::Polylines(all) => all.polylines.iter().map(polyline).collect(),
            Label::Keypoint(one) => keypoint(one),
            Label::Keypoints(all) => all.keypoints.iter().map(keypoint).collect(),
            Label::TemporalDetection(one) => event(one),
            Label::TemporalDetections(all) => all.detections.iter().map(event).collect(),
            Label::Vector(vector) => json!(vector.values.to_f32()),
            other => serde_json::to_string(&LabelJson(other)).map_or(Value::Null, Value::String),
        }
    }
}

fn classification(one: &Classification) -> Value {
    json!({
        "label": one.label,
        "confidence": one.confidence,
        "logits": one.logits.as_ref().map(Array::to_f32),
    })
}

fn detection(one: &Detection) -> Value {
    let mask = one.mask.as_ref().and_then(Mask::from_array).map(|mask| {
        let lengths = RunLengths::encode(&mask);
        json!({"size": [lengths.height, lengths.width], "counts": lengths.to_text()})
    });
    json!({
        "label": one.label,
        "confidence": one.confidence,
        "index": one.index,
        "bounding_box": one.bounding_box,
        "mask": mask,
        "mask_path": one.mask_path,
    })
}

fn polyline(one: &Polyline) -> Value {
    json!({
        "label": one.label,
        "confidence": one.confidence,
        "index": one.index,
        "closed": one.closed,
        "filled": one.filled,
        "points": one.points,
    })
}

fn keypoint(one: &Keypoint) -> Value {
    json!({
        "label": one.label,
        "index": one.index,
        "points": one.points,
        "confidence": one.confidence,
    })
}

fn event(one: &TemporalDetection) -> Value {
    json!({"label": one.label, "confidence": one.confidence, "support": one.support})
}

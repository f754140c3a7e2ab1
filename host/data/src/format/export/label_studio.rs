//! Label Studio's tasks with predictions (<https://labelstud.io/guide/predictions>), for a labelling configuration like
//!
//! ```xml
//! <View>
//!   <Image name="image" value="$image"/>
//!   <RectangleLabels name="rectangle" toName="image">...</RectangleLabels>
//!   <PolygonLabels name="polygon" toName="image">...</PolygonLabels>
//!   <KeyPointLabels name="keypoint" toName="image">...</KeyPointLabels>
//!   <Choices name="choice" toName="image" choice="multiple">...</Choices>
//! </View>
//! ```
//!
//! Pictures are named as Label Studio's storage of local files names them.

use super::{ExportOptions, FormatError, Losses, RecordWriter, SampleRecord, Summary, size::picture_size};
use crate::{
    format::notes::Notes,
    output::{OutputError, OutputFile},
};
use modelzoo_base::file::absolute;
use modelzoo_plugin_api::{
    MediaType,
    label::{Classification, Detection, Keypoint, Label, Polyline},
};
use serde_json::{Value, json};
use std::{
    io::{self, Write as _},
    path::Path,
};

pub(super) struct LabelStudioWriter {
    file: OutputFile,
    options: ExportOptions,
    notes: Notes,
    losses: Losses,
    tasks: u64,
    samples: u64,
}

impl LabelStudioWriter {
    pub fn create(path: &Path, options: &ExportOptions) -> Result<Self, FormatError> {
        let mut file = OutputFile::create(path)?;
        file.write_all(b"[")
            .map_err(|source| OutputError::new(path, source))?;
        Ok(Self {
            file,
            options: options.clone(),
            notes: Notes::default(),
            losses: Losses::default(),
            tasks: 0,
            samples: 0,
        })
    }

    fn prediction(&mut self, field: &str, label: &Label, size: (u32, u32)) -> Option<Value> {
        let results = Results::of(field, label, size, &mut self.notes);
        let confidences = || results.iter().filter_map(|result| result["score"].as_f64());
        let score = confidences().sum::<f64>() / confidences().count().max(1) as f64;
        let model = self.options.facts.get(&format!("{field}.model"));
        (!results.is_empty()).then(|| {
            json!({
                "model_version": model.map_or(field, String::as_str),
                "score": score,
                "result": results,
            })
        })
    }

    fn write_task(&mut self, task: &Value) -> io::Result<()> {
        self.file
            .write_all(if self.tasks == 0 { b"\n" } else { b",\n" })?;
        self.tasks += 1;
        Ok(serde_json::to_writer(&mut self.file, task)?)
    }
}

impl RecordWriter for LabelStudioWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        if record.media_type != MediaType::Image {
            self.notes
                .add("videos left out: only pictures are written for Label Studio");
            return Ok(());
        }
        let size = match picture_size(record) {
            Ok(size) => size,
            Err(problem) => {
                // What failed before has been told.
                if record.error.is_none() {
                    self.losses.add(problem.to_string());
                }
                return Ok(());
            }
        };
        let file = record.path();
        let path = absolute(&file);
        let path = path.to_string_lossy();
        let predictions: Vec<Value> = record
            .labels
            .sample
            .iter()
            .filter_map(|(field, label)| self.prediction(field, label, size))
            .collect();
        let mut task = json!({
            "data": {"image": format!("/data/local-files/?d={}", path.trim_start_matches('/'))},
            "predictions": predictions,
        });
        if !record.warnings.is_empty() {
            task["data"]["warning"] = record.warnings.join("; ").into();
        }
        self.write_task(&task)
            .map_err(|source| OutputError::new(self.file.path(), source).into())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        self.file
            .write_all(b"\n]\n")
            .map_err(|source| OutputError::new(self.file.path(), source))?;
        self.file.commit()?;
        Ok(Summary {
            samples: self.samples,
            notes: self.notes.into_lines(),
            losses: self.losses,
        })
    }
}

/// The results of one label.
struct Results<'a> {
    field: &'a str,
    size: (u32, u32),
    results: Vec<Value>,
}

impl<'a> Results<'a> {
    fn of(field: &'a str, label: &Label, size: (u32, u32), notes: &mut Notes) -> Vec<Value> {
        let mut results = Self {
            field,
            size,
            results: Vec::new(),
        };
        match label {
            Label::Classification(one) => results.classification(one),
            Label::Classifications(all) => {
                all.classifications
                    .iter()
                    .for_each(|one| results.classification(one));
            }
            Label::Detection(one) => results.detection(one),
            Label::Detections(all) => all.detections.iter().for_each(|one| results.detection(one)),
            Label::Polyline(one) => results.polyline(one),
            Label::Polylines(all) => all.polylines.iter().for_each(|one| results.polyline(one)),
            Label::Keypoint(one) => results.keypoint(one),
            Label::Keypoints(all) => all.keypoints.iter().for_each(|one| results.keypoint(one)),
            other => {
                let name = crate::record::label_type(other).unwrap_or("labels of their type");
                notes.add(format!(
                    "labels of field `{field}` left out: no {name} are written for Label Studio"
                ));
            }
        }
        results.results
    }

    /// Adds a result; coordinates are percentages of the picture.
    fn push(
        &mut self,
        (control, kind): (&str, &str),
        class: Option<&str>,
        score: Option<f64>,
        mut value: Value,
    ) {
        value[kind] = json!([class.unwrap_or(self.field)]);
        let mut result = json!({
            "id": format!("{}-{}", self.field, self.results.len() + 1),
            "type": kind,
            "from_name": control,
            "to_name": "image",
            "original_width": self.size.0,
            "original_height": self.size.1,
            "image_rotation": 0,
            "value": value,
        });
        if let Some(score) = score {
            result["score"] = json!(score);
        }
        self.results.push(result);
    }

    fn classification(&mut self, one: &Classification) {
        // A blank one says that there is nothing to say.
        if let Some(class) = &one.label {
            self.push(("choice", "choices"), Some(class), one.confidence, json!({}));
        }
    }

    fn detection(&mut self, one: &Detection) {
        let [x, y, width, height] = one.bounding_box.map(|edge| edge * 100.0);
        let value = json!({"x": x, "y": y, "width": width, "height": height, "rotation": 0});
        self.push(
            ("rectangle", "rectanglelabels"),
            one.label.as_deref(),
            one.confidence,
            value,
        );
    }

    fn polyline(&mut self, one: &Polyline) {
        for line in one.points.iter().filter(|line| line.len() >= 3) {
            let points: Vec<[f64; 2]> = line
                .iter()
                .map(|point| point.map(|value| value * 100.0))
                .collect();
            let value = json!({"points": points, "closed": one.closed});
            self.push(
                ("polygon", "polygonlabels"),
                one.label.as_deref(),
                one.confidence,
                value,
            );
        }
    }

    fn keypoint(&mut self, one: &Keypoint) {
        for (index, [x, y]) in one.points.iter().enumerate() {
            if !x.is_finite() || !y.is_finite() {
                continue;
            }
            let confidence = one.confidence.as_ref().and_then(|all| all.get(index).copied());
            // The point's diameter on screen, which the format asks for.
            let value = json!({"x": x * 100.0, "y": y * 100.0, "width": 0.5});
            self.push(
                ("keypoint", "keypointlabels"),
                one.label.as_deref(),
                confidence,
                value,
            );
        }
    }
}

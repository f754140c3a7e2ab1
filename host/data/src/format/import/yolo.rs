//! YOLO's label folders: a text file for each picture, in `labels` where the picture is in `images`, or beside it. Names of
//! classes stand in a `.yaml` file, in `classes.txt` or in `obj.names`.

use super::{FormatError, ImportReport, Place, Sink, objects::Objects};
use crate::{
    format::visibility,
    input::{Inputs, MediaKind, open_text},
    record::{SampleRecord, path_to_text},
};
use modelzoo_plugin_api::label::{Detection, Keypoint, Polyline};
use serde::Deserialize;
use serde_yaml_ng::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What a YOLO dataset says beside its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YoloInfo {
    /// How many samples there are.
    pub samples: u64,
    /// The classes, by number.
    pub classes: Vec<String>,
}

/// Whether a folder is one, going by what is in it.
pub(super) fn is_at(folder: &Path) -> bool {
    if Description::find(folder).is_some() {
        return true;
    }
    let has_both = |folder: &Path| folder.join("images").is_dir() && has_labels(&folder.join("labels"));
    let splits = ["train", "val", "valid", "test"];
    has_both(folder) || splits.iter().any(|split| has_both(&folder.join(split)))
}

/// Whether a folder, or one in it, has a text file that begins with numbers.
fn has_labels(folder: &Path) -> bool {
    let files = walkdir::WalkDir::new(folder).max_depth(3).into_iter().flatten();
    files
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "txt"))
        .take(8)
        .any(|entry| is_label_file(entry.path()))
}

fn is_label_file(path: &Path) -> bool {
    use std::io::BufRead as _;
    let mut line = String::new();
    let read = open_text(path).and_then(|mut text| text.read_line(&mut line));
    let words = || line.split_whitespace();
    read.is_ok() && words().count() >= 5 && words().all(|word| word.parse::<f64>().is_ok())
}

/// Reads the pictures in a folder with their labels, which go to the field `field` and to those of the same name with
/// `_polylines` or `_keypoints` behind it.
///
/// # Errors
/// When there are no pictures in it. Labels that cannot be read are reported.
pub fn import_yolo(
    folder: &Path,
    field: &str,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<YoloInfo, FormatError> {
    let description = match Description::find(folder) {
        Some(path) => Description::read(&path)?,
        None => {
            report.say(format!(
                "{}: no file with the names of the classes: their numbers stand for them",
                folder.display()
            ));
            Description::default()
        }
    };
    let mut info = YoloInfo {
        samples: 0,
        classes: description.names.values().cloned().collect(),
    };
    for file in Inputs::resolve(&[folder], &[MediaKind::Image])?.iter() {
        let path = match file {
            Ok(file) => file.path,
            Err(error) => {
                report.lose(error.into())?;
                continue;
            }
        };
        let path = std::path::absolute(&path).map_err(|source| FormatError::read(&path, source))?;
        let mut objects = Objects::default();
        let labels = label_file(&path);
        if let Some(labels) = &labels {
            description.read_labels(labels, &mut objects, report)?;
        }
        let record = SampleRecord {
            labels: objects.into_fields(field),
            ..SampleRecord::image(path_to_text(&path))
        };
        sink(
            record,
            &Place::new(labels.as_deref().unwrap_or(&path), ""),
            report,
        )?;
        info.samples += 1;
    }
    Ok(info)
}

/// Where the labels of a picture are, if it has any.
fn label_file(picture: &Path) -> Option<PathBuf> {
    let beside = picture.with_extension("txt");
    let parts: Vec<_> = picture.components().collect();
    let in_labels = parts
        .iter()
        .rposition(|part| part.as_os_str() == "images")
        .map(|index| {
            let mut path: PathBuf = parts[..index].iter().collect();
            path.push("labels");
            path.extend(&parts[index + 1..]);
            path.with_extension("txt")
        });
    in_labels.into_iter().chain([beside]).find(|path| path.is_file())
}

/// What the labels are about.
#[derive(Debug, Default)]
struct Description {
    names: BTreeMap<usize, String>,
    /// How many keypoints each object has, and how many numbers each of them.
    keypoints: Option<(usize, usize)>,
}

#[derive(Deserialize)]
struct Yaml {
    names: Value,
    /// Points of an object, and numbers of a point.
    #[serde(default)]
    kpt_shape: Option<(usize, usize)>,
}

impl Description {
    /// The file in a folder that names the classes.
    fn find(folder: &Path) -> Option<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        let is_named = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default();
            ["classes.txt", "obj.names"].iter().any(|known| name == *known)
        };
        let is_yaml = |path: &&PathBuf| {
            let ending = path.extension().unwrap_or_default();
            (ending == "yaml" || ending == "yml") && Self::read(path).is_ok()
        };
        let yaml = files.iter().find(is_yaml);
        yaml.or_else(|| files.iter().find(is_named)).cloned()
    }

    fn read(path: &Path) -> Result<Self, FormatError> {
        let failure = |source| FormatError::read(path, source);
        let text = std::io::read_to_string(open_text(path).map_err(failure)?).map_err(failure)?;
        let is_yaml = path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml");
        if !is_yaml {
            let lines = text.lines().map(|line| line.trim().to_owned());
            return Ok(Self {
                names: lines.enumerate().filter(|(_, name)| !name.is_empty()).collect(),
                keypoints: None,
            });
        }
        let yaml: Yaml =
            serde_yaml_ng::from_str(&text).map_err(|error| FormatError::content(path, "", error))?;
        let names = match &yaml.names {
            Value::Sequence(names) => names.iter().map(name_of).enumerate().collect(),
            Value::Mapping(names) => names
                .iter()
                .filter_map(|(number, name)| Some((name_of(number).parse().ok()?, name_of(name))))
                .collect(),
            _ => {
                return Err(FormatError::content(
                    path,
                    "",
                    "`names` is neither a list nor an object",
                ));
            }
        };
        Ok(Self {
            names,
            keypoints: yaml.kpt_shape,
        })
    }

    fn read_labels(
        &self,
        file: &Path,
        objects: &mut Objects,
        report: &mut ImportReport,
    ) -> Result<(), FormatError> {
        let text = open_text(file).and_then(std::io::read_to_string);
        let text = match text {
            Ok(text) => text,
            Err(source) => return report.lose(FormatError::read(file, source)),
        };
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            if let Err(problem) = self.read_line(line, objects) {
                report.lose(Place::new(file, format!(":{}", index + 1)).error(problem))?;
            }
        }
        Ok(())
    }

    fn read_line(&self, line: &str, objects: &mut Objects) -> Result<(), &'static str> {
        let mut words = line.split_whitespace();
        let class = words.next().and_then(|word| word.parse::<f64>().ok());
        let class = class
            .filter(|class| class.fract() == 0.0 && (0.0..1e9).contains(class))
            .ok_or("the class is no number")? as usize;
        let name = self
            .names
            .get(&class)
            .cloned()
            .unwrap_or_else(|| class.to_string());
        let numbers: Option<Vec<f64>> = words
            .map(|word| word.parse().ok().filter(|number: &f64| number.is_finite()))
            .collect();
        let numbers = numbers.ok_or("not all of it is numbers")?;
        let boxed = |numbers: &[f64]| {
            let [x, y, width, height] = [numbers[0], numbers[1], numbers[2], numbers[3]];
            [x - width / 2.0, y - height / 2.0, width, height]
        };
        match (numbers.len(), self.keypoints) {
            (length @ 5.., Some((count, dimensions)))
                if (2..=3).contains(&dimensions) && count.checked_mul(dimensions) == Some(length - 4) =>
            {
                let points = numbers[4..].chunks_exact(dimensions);
                let visible: Vec<u8> = points
                    .clone()
                    .map(|point| point.get(2).map_or(2, |&visible| visible as u8))
                    .collect();
                let place = |(point, &visible): (&[f64], &u8)| match visible {
                    0 => [f64::NAN; 2],
                    _ => [point[0], point[1]],
                };
                let points = points.zip(&visible).map(place).collect();
                let mut keypoint = Keypoint::new(points).with_label(name.as_str());
                visibility::put(&mut keypoint, &visible);
                objects.keypoints.push(keypoint);
                objects.detections.push(Detection::new(name, boxed(&numbers)));
            }
            (4, _) => objects.detections.push(Detection::new(name, boxed(&numbers))),
            (5, _) => {
                let detection = Detection::new(name, boxed(&numbers)).with_confidence(numbers[4]);
                objects.detections.push(detection);
            }
            (length @ 6.., _) if length % 2 == 0 => {
                let outline = numbers
                    .chunks_exact(2)
                    .map(|point| [point[0], point[1]])
                    .collect();
                objects
                    .polylines
                    .push(Polyline::new(name, vec![outline]).into_polygon());
            }
            _ => return Err("neither a box nor an outline"),
        }
        Ok(())
    }
}

/// A name, which may be written as a number.
fn name_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_outlines_and_broken_lines_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "data.yaml",
            "path: .\ntrain: images\nnames:\n  0: cat\n  1: \"dog: small\"\n",
        );
        write("images/a.jpg", "");
        write("images/b.jpg", "");
        write(
            "labels/a.txt",
            "1 0.5 0.5 0.5 0.25\n0 0.5 0.5 0.5 0.25 0.75\n\n0 0 0 0.5 0 0.5 0.5\n2 0.5 0.5 1 1\nx 1 1 1 1\n0 1 1\n",
        );
        assert!(is_at(folder.path()));
        let mut report = ImportReport::lenient();
        let mut records = Vec::new();
        let info = import_yolo(folder.path(), "truth", &mut report, &mut |record, _, _| {
            records.push(record);
            Ok(())
        })
        .unwrap();
        assert_eq!(
            (info.samples, info.classes),
            (2, vec!["cat".to_owned(), "dog: small".to_owned()])
        );
        let labels = serde_json::to_value(&records[0]).unwrap();
        let detections = &labels["truth"]["detections"];
        assert_eq!(detections[0]["label"], "dog: small");
        assert_eq!(
            detections[0]["bounding_box"],
            serde_json::json!([0.25, 0.375, 0.5, 0.25])
        );
        assert_eq!(detections[1]["confidence"], 0.75);
        assert_eq!(detections[2]["label"], "2");
        assert_eq!(labels["truth_polylines"]["polylines"][0]["closed"], true);
        let losses = report.finish().0;
        assert_eq!(losses.count(), 2, "{losses:?}");
        assert!(losses.named()[0].ends_with("labels/a.txt:6: the class is no number"));
    }
}

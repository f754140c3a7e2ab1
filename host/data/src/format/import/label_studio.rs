//! Label Studio's tasks as it exports them in JSON (<https://labelstud.io/guide/export>): the shapes of annotations, or of
//! predictions where nobody has annotated.

use super::{
    FormatError, ImportReport, Place, Sink,
    objects::Objects,
    place::{beside, folder_of},
};
use crate::{format::non_finite::open_json, record::SampleRecord};
use modelzoo_plugin_api::label::{Classification, Detection, Keypoint, Polyline};
use serde_json::Value;
use std::path::Path;

/// Reads the samples of a file of tasks. Boxes go to the field `field`, and other shapes to those of the same name with
/// `_polylines`, `_keypoints` or `_classes` behind it. Returns how many samples there are.
///
/// # Errors
/// When the file is no list of tasks. Tasks and shapes that cannot be read are reported.
pub fn import_label_studio(
    file: &Path,
    images: Option<&Path>,
    field: &str,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<u64, FormatError> {
    let tasks: Vec<Value> =
        serde_json::from_reader(open_json(file)?).map_err(|error| FormatError::json(file, error))?;
    let folder = images.map_or_else(|| folder_of(file), Path::to_owned);
    let mut count = 0;
    for (index, task) in tasks.iter().enumerate() {
        let place = Place::new(file, format!(": task {}", index + 1));
        let Some(picture) = picture_of(task) else {
            report.lose(place.error("it names no picture under `data`"))?;
            continue;
        };
        let mut objects = Objects::default();
        for result in results(task) {
            if let Err(problem) = read_result(result, &mut objects) {
                report.lose(place.error(problem))?;
            }
        }
        let record = SampleRecord {
            labels: objects.into_fields(field),
            ..SampleRecord::image(beside(&folder, &local_name(picture, &folder))?)
        };
        sink(record, &place, report)?;
        count += 1;
    }
    Ok(count)
}

/// Whether a list of JSON is one of tasks, going by its beginning.
pub(super) fn is_start(start: &str) -> bool {
    let rest = start.trim_start().strip_prefix('[').map(str::trim_start);
    rest.is_some_and(|rest| {
        let keys = ["\"data\"", "\"annotations\"", "\"predictions\""];
        rest.starts_with('{') && keys.iter().any(|key| rest.contains(key))
    })
}

/// The first text under `data`, by preference `image`.
fn picture_of(task: &Value) -> Option<&str> {
    let data = task.get("data")?.as_object()?;
    let image = data.get("image").and_then(Value::as_str);
    image.or_else(|| data.values().find_map(Value::as_str))
}

/// What Label Studio's server calls a file, as a path. Files that were uploaded have a random prefix.
fn local_name(url: &str, folder: &Path) -> String {
    if let Some((_, path)) = url.split_once("/data/local-files/?d=") {
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let absolute = format!("/{path}");
        return if Path::new(&absolute).exists() {
            absolute
        } else {
            path.into_owned()
        };
    }
    let is_remote = url.contains("://") || url.starts_with("/data/upload/");
    if !is_remote || url.starts_with("file://") {
        return url.to_owned();
    }
    let name = url.split(['?', '#']).next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let without_prefix = name.split_once('-').map(|(_, rest)| rest);
    match without_prefix {
        Some(rest) if !folder.join(name).exists() && folder.join(rest).exists() => rest.to_owned(),
        _ => name.to_owned(),
    }
}

/// The shapes of the annotations that were not cancelled, or else of the predictions.
fn results(task: &Value) -> Vec<&Value> {
    let of = |key: &str| -> Vec<&Value> {
        let lists = task.get(key).and_then(Value::as_array).into_iter().flatten();
        lists
            .filter(|one| one.get("was_cancelled").and_then(Value::as_bool) != Some(true))
            .filter_map(|one| one.get("result")?.as_array())
            .flatten()
            .collect()
    };
    let annotated = of("annotations");
    if annotated.is_empty() {
        of("predictions")
    } else {
        annotated
    }
}

fn read_result(result: &Value, objects: &mut Objects) -> Result<(), String> {
    let kind = result.get("type").and_then(Value::as_str).unwrap_or_default();
    let broken = || format!("a result of type `{kind}` is broken");
    let value = result.get("value").ok_or_else(broken)?;
    // In hundredths of the picture.
    let number = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_f64)
            .map(|number| number / 100.0)
            .ok_or_else(broken)
    };
    let labels = value.get(kind).and_then(Value::as_array);
    let label = labels.and_then(|labels| labels.first()?.as_str()).unwrap_or(kind);
    let score = result.get("score").and_then(Value::as_f64);
    match kind {
        "rectanglelabels" | "rectangle" => {
            let bounding_box = [number("x")?, number("y")?, number("width")?, number("height")?];
            let turned = value.get("rotation").and_then(Value::as_f64).unwrap_or(0.0);
            if turned != 0.0 {
                return Err(format!("a box `{label}` that is turned is left out"));
            }
            let mut detection = Detection::new(label, bounding_box);
            detection.confidence = score;
            objects.detections.push(detection);
        }
        "polygonlabels" | "polygon" => {
            let points = value.get("points").and_then(Value::as_array).ok_or_else(broken)?;
            let point =
                |point: &Value| Some([point.get(0)?.as_f64()? / 100.0, point.get(1)?.as_f64()? / 100.0]);
            let outline: Option<Vec<[f64; 2]>> = points.iter().map(point).collect();
            let mut polyline = Polyline::new(label, vec![outline.ok_or_else(broken)?]).into_polygon();
            polyline.confidence = score;
            objects.polylines.push(polyline);
        }
        "keypointlabels" | "keypoint" => {
            let point = [number("x")?, number("y")?];
            objects
                .keypoints
                .push(Keypoint::new(vec![point]).with_label(label));
        }
        "choices" => {
            for choice in labels.into_iter().flatten().filter_map(Value::as_str) {
                let mut classification = Classification::new(choice);
                classification.confidence = score;
                objects.classes.push(classification);
            }
        }
        _ => {
            return Err(format!(
                "a result of type `{kind}` is left out: this type is not read"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::testing::collect, *};
    use serde_json::json;

    #[test]
    fn tasks_are_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.jpg"), "").unwrap();
        let file = folder.path().join("export.json");
        let box_of = |rotation: f64| json!({"type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 50, "height": 25.0, "rotation": rotation, "rectanglelabels": ["dog"]}});
        let tasks = json!([
            {"data": {"image": "/data/upload/1/1f2e3d4c-a.jpg"}, "annotations": [{"result": [
                box_of(0.0), box_of(45.0),
                {"type": "choices", "value": {"choices": ["day", "street"]}},
                {"type": "polygonlabels", "value": {"points": [[0, 0], [50, 0], [50, 50]], "polygonlabels": ["cat"]}},
            ]}]},
            {"id": 7},
        ]);
        std::fs::write(&file, tasks.to_string()).unwrap();
        assert!(is_start(&tasks.to_string()));
        let (records, lost) = collect(|report, sink| import_label_studio(&file, None, "truth", report, sink));
        assert_eq!((records.len(), lost), (1, 2));
        assert!(Path::new(records[0]["filepath"].as_str().unwrap()).exists());
        assert_eq!(
            records[0]["truth"]["detections"][0]["bounding_box"],
            json!([0.1, 0.2, 0.5, 0.25])
        );
        assert_eq!(
            records[0]["truth_classes"]["classifications"][1]["label"],
            "street"
        );
        assert_eq!(
            records[0]["truth_polylines"]["polylines"][0]["points"][0][1],
            json!([0.5, 0.0])
        );
    }
}

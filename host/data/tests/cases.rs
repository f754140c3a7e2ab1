//! Files from the wild: each is taken as `expected.json` in its folder says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use modelzoo_data::{
    dataset::{Dataset, Selection},
    format::{
        Format, FormatError, Losses,
        export::{ExportOptions, export_dataset},
        import::{ImportOptions, ImportSummary, detect, import_dataset},
    },
    input::{Inputs, MediaKind},
    media::{Decoder, RgbImage},
    video::{Sampling, Video},
};
use modelzoo_plugin_api::label::{Detection, Label};
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/cases");

#[test]
fn playlists_are_no_videos() {
    check_folder("02-playlists");
}

#[test]
fn a_label_file_gives_nobody_elses_files_away() {
    check_folder("03-label-files-name-any-file");
}

#[test]
fn damage_is_told() {
    check_folder("05-damage-not-in-results");
}

#[test]
fn the_first_entry_costs_itself_alone() {
    check_folder("06-first-entry-decides");
}

#[test]
fn labels_are_not_dropped_in_silence() {
    check_folder("07-coco-labels-dropped-in-silence");
}

#[test]
fn parts_of_an_outline_are_united() {
    check_folder("08-coco-overlapping-parts");
}

#[test]
fn images_of_one_file_are_one_sample() {
    check_folder("09-one-file-twice");
}

#[test]
fn one_odd_value_costs_itself_alone() {
    check_folder("10-coco-all-or-nothing");
}

#[test]
fn a_cover_is_no_video() {
    check_folder("11-cover-taken-for-the-video");
}

#[test]
fn byte_order_marks_are_passed_over() {
    check_folder("14-bom");
}

#[test]
fn labels_of_folders_are_read() {
    check_folder("16-passed-over-in-silence");
}

#[test]
fn run_lengths_have_a_limit() {
    check_folder("17-rle-bomb");
}

#[test]
fn missing_pictures_are_told_with_the_reason() {
    check_folder("18-missing-pictures");
}

#[test]
fn keypoints_keep_what_is_known_of_them() {
    check_folder("19-coco-keypoints");
}

#[test]
fn the_facts_of_videos_are_right() {
    check_folder("25-video-facts");
}

#[test]
fn messages_say_what_is_wrong() {
    check_folder("26-messages");
}

/// Checks every file that the folder's `expected.json` names.
fn check_folder(name: &str) {
    let folder = Path::new(CASES).join(name);
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert!(!expected.is_empty());
    for (file, cases) in expected {
        let path = folder.join(&file);
        let cases = match cases {
            Value::Array(cases) => cases,
            one => vec![one],
        };
        for case in cases {
            let (way, values) = case.as_object().unwrap().iter().next().unwrap();
            match way.as_str() {
                "import" => check_import(&path, values),
                "export" => check_export(&path, values),
                "video" => check_video(&path, values),
                "picture" => check_picture(&path, values),
                "list" => check_list(&path, values),
                other => panic!("{file}: there is no way {other} to take a file"),
            }
        }
    }
}

/// A dataset of what is at `path`, in a folder that goes with it.
fn import(path: &Path, folder: &Path) -> Result<(Dataset, ImportSummary), FormatError> {
    let mut dataset = Dataset::create(folder.join("case.sqlite")).unwrap();
    let summary = import_dataset(&mut dataset, detect(path), path, &ImportOptions::default())?;
    Ok((dataset, summary))
}

fn check_import(path: &Path, values: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let name = path.display();
    let imported = import(path, folder.path());
    if let Some(part) = values["error"].as_str() {
        let error = imported.expect_err("nothing can be imported").to_string();
        assert!(error.contains(part), "{name}: {error}");
        return;
    }
    let (dataset, summary) = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
    let samples: Vec<_> = dataset
        .samples(&Selection::all())
        .unwrap()
        .map(|sample| sample.unwrap().record)
        .collect();
    let labels = || samples.iter().flat_map(|sample| sample.labels.sample.values());
    let detections: Vec<&Detection> = labels()
        .flat_map(|label| match label {
            Label::Detections(all) => all.detections.as_slice(),
            _ => &[],
        })
        .collect();
    let classifications: usize = labels()
        .map(|label| match label {
            Label::Classifications(all) => all.classifications.len(),
            _ => 0,
        })
        .sum();
    let boxes: Vec<[f64; 4]> = detections.iter().map(|one| one.bounding_box).collect();
    let areas: Vec<u64> = detections
        .iter()
        .filter_map(|one| Some(one.mask.as_ref()?.to_f64().iter().sum::<f64>() as u64))
        .collect();
    let classes: Vec<&str> = detections.iter().filter_map(|one| one.label.as_deref()).collect();
    let confidences: Vec<f64> = detections.iter().filter_map(|one| one.confidence).collect();
    for (key, value) in values.as_object().unwrap() {
        let found = match key.as_str() {
            "samples" => json!(samples.len()),
            "detections" => json!(detections.len()),
            "classifications" => json!(classifications),
            "boxes" => {
                let close = |a: &[f64; 4], b: &Value| {
                    a.iter()
                        .enumerate()
                        .all(|(side, a)| (a - b[side].as_f64().unwrap()).abs() < 1e-9)
                };
                let expected = value.as_array().unwrap();
                let is_same = boxes.len() == expected.len()
                    && boxes
                        .iter()
                        .zip(expected)
                        .all(|(found, expected)| close(found, expected));
                assert!(is_same, "{name}: {boxes:?}");
                continue;
            }
            "mask_areas" => json!(areas),
            "labels" => json!(classes),
            "confidences" => json!(confidences),
            "left_out" => json!(summary.losses.count()),
            "lost" => {
                check_losses(path, &summary.losses, value);
                continue;
            }
            "told" => {
                check_parts(path, &summary.notes.join("\n"), value);
                continue;
            }
            other => panic!("{name}: there is no value {other}"),
        };
        assert_eq!(&found, value, "{name}: {key}: {summary:?}");
    }
}

/// As many losses as are expected, in their order.
fn check_losses(path: &Path, losses: &Losses, parts: &Value) {
    let parts = parts.as_array().unwrap();
    let is_same = losses.named().len() == parts.len()
        && losses
            .named()
            .iter()
            .zip(parts)
            .all(|(line, part)| line.contains(part.as_str().unwrap()));
    assert!(is_same, "{}: {losses:?}", path.display());
}

fn check_parts(path: &Path, text: &str, parts: &Value) {
    for part in parts.as_array().unwrap() {
        assert!(
            text.contains(part.as_str().unwrap()),
            "{}: {text}",
            path.display()
        );
    }
}

fn check_export(path: &Path, values: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, _) = import(path, folder.path()).unwrap();
    let format: Format = values["format"].as_str().unwrap().parse().unwrap();
    let mut selection = Selection::all();
    if let Some(fields) = values["fields"].as_array() {
        selection = selection.with_fields(fields.iter().map(|field| field.as_str().unwrap()));
    }
    let out = folder.path().join("out");
    let summary = export_dataset(&dataset, &selection, format, &out, &ExportOptions::default()).unwrap();
    let files = |key: &str| -> Vec<PathBuf> {
        let names = values[key].as_array().into_iter().flatten();
        names.map(|name| out.join(name.as_str().unwrap())).collect()
    };
    for file in files("there") {
        assert!(file.exists(), "{}: {}", path.display(), file.display());
    }
    for file in files("not_there") {
        assert!(!file.exists(), "{}: {}", path.display(), file.display());
    }
    if let Some(lost) = values.get("lost") {
        let named = summary.losses.named().join("\n");
        assert_eq!(summary.losses.is_empty(), lost.as_array().unwrap().is_empty());
        check_parts(path, &named, lost);
    }
    if let Some(values) = values["values"].as_object() {
        let written: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
        for (pointer, expected) in values {
            let found = written.pointer(pointer).unwrap_or(&Value::Null);
            assert!(is_same(found, expected), "{}: {pointer}: {found}", path.display());
        }
    }
}

/// Whether two values are the same, `1` and `1.0` included.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        _ => a == b,
    }
}

fn check_video(path: &Path, values: &Value) {
    let name = path.display();
    let video = Video::open(path);
    if let Some(part) = values["error"].as_str() {
        let error = video.expect_err("this is no video").to_string();
        assert!(error.contains(part), "{name}: {error}");
        return;
    }
    let video = video.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut frames = video.frames(&Sampling::default()).unwrap();
    let ending = frames.ending();
    let first = frames.next().unwrap().unwrap().image;
    let count = 1 + frames.map(Result::unwrap).count();
    assert_eq!(ending.frame_count(), Some(count as u64), "{name}");
    let facts = video.metadata();
    for (key, value) in values.as_object().unwrap() {
        let found = match key.as_str() {
            "frames" => json!(count),
            "frame_width" => json!(facts.frame_width),
            "frame_height" => json!(facts.frame_height),
            "total_frame_count" => json!(facts.total_frame_count),
            "first" => json!(mean_color(&first)),
            "warning" => match (ending.warning(), value.as_str()) {
                (Some(warning), Some(part)) if warning.contains(part) => continue,
                (warning, _) => json!(warning),
            },
            other => panic!("{name}: there is no value {other}"),
        };
        assert_eq!(&found, value, "{name}: {key}");
    }
}

fn check_picture(path: &Path, values: &Value) {
    let decoded = Decoder::default().decode_path(path).unwrap();
    let image = decoded.image;
    let (right, bottom) = (image.width() - 1, image.height() - 1);
    let found = json!({
        "width": image.width(),
        "height": image.height(),
        "given": mean_color(&image),
        "corners": {
            "top_left": image.pixel(0, 0),
            "top_right": image.pixel(right, 0),
            "bottom_left": image.pixel(0, bottom),
            "bottom_right": image.pixel(right, bottom),
        },
        "is_damaged": decoded.warning.is_some(),
    });
    assert_eq!(&found, values, "{}", path.display());
}

/// The mean of red, green and blue, cut to whole numbers.
fn mean_color(image: &RgbImage) -> String {
    let mut sums = [0u64; 3];
    for pixel in image.data().chunks_exact(3) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(value);
        }
    }
    let pixels = u64::from(image.width()) * u64::from(image.height());
    let [red, green, blue] = sums.map(|sum| sum / pixels);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn check_list(path: &Path, values: &Value) {
    let inputs = Inputs::resolve(&[path], &MediaKind::ALL).unwrap();
    let names: Vec<Option<String>> = inputs
        .iter()
        .map(|file| Some(file.ok()?.relative_path.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(&json!(names), values, "{}", path.display());
}

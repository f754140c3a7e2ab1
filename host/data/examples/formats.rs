//! Writes one set of samples in every format, for the programs under `tests/importers` to read with other libraries.
//!
//!     cargo run -p modelzoo-data --example formats -- OUT VIDEO
//!
//! What the labels are is written down there a second time: these and those must agree.

use modelzoo_data::{
    dataset::{Dataset, Existing, FieldDescription, Provenance, Selection},
    format::{
        Format,
        export::{ExportOptions, Masks, Media, export_dataset},
    },
    label::Fields,
    media::Decoder,
    record::{Metadata, SampleRecord},
    video::Video,
};
use modelzoo_plugin_api::{
    Array,
    label::{
        Classification, Classifications, Detection, Detections, GeoLocation, Heatmap, Keypoint, Keypoints,
        Label, PlainValue, Polyline, Polylines, Regression, Segmentation, TemporalDetection,
        TemporalDetections, Vector,
    },
};
use std::{
    error::Error,
    path::{Path, PathBuf},
};

const PICTURES: usize = 3;

/// The fields that are written where a format has objects only.
const OBJECTS: [&str; 3] = ["detections", "polylines", "keypoints"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [out, video] = arguments.as_slice() else {
        return Err("usage: formats OUT VIDEO".into());
    };
    std::fs::create_dir_all(out.join("pictures"))?;
    let pictures = fill(out)?;
    let options = ExportOptions::default();
    let write = |name: &str, format, fields: &[&str], options: &ExportOptions| {
        let selection = match fields {
            [] => Selection::all(),
            fields => Selection::all().with_fields(fields.iter().copied()),
        };
        export_dataset(&pictures, &selection, format, out.join(name), options)
    };
    write("all.jsonl", Format::JsonLines, &[], &options)?;
    write("all.parquet", Format::Parquet, &[], &options)?;
    write("all.csv", Format::Csv, &[], &options)?;
    write("vectors.npy", Format::Npy, &["vector"], &options)?;
    write("coco.json", Format::Coco, &OBJECTS, &options)?;
    let run_lengths = ExportOptions {
        masks: Masks::RunLengths,
        ..options.clone()
    };
    write(
        "coco_run_lengths.json",
        Format::Coco,
        &["detections"],
        &run_lengths,
    )?;
    write(
        "coco_results.json",
        Format::CocoResults,
        &["detections"],
        &options,
    )?;
    write(
        "coco_keypoint_results.json",
        Format::CocoResults,
        &["keypoints"],
        &options,
    )?;
    write("yolo_boxes", Format::Yolo, &["detections"], &options)?;
    write("yolo_outlines", Format::Yolo, &["polylines"], &options)?;
    write("yolo_points", Format::Yolo, &["keypoints"], &options)?;
    write("label_studio.json", Format::LabelStudio, &[], &options)?;
    write("fiftyone_images", Format::FiftyOne, &[], &options)?;

    let videos = Dataset::create(out.join("videos.db"))?;
    let mut writer = videos.writer()?;
    writer.add(film(video)?)?;
    writer.finish()?;
    let by_reference = ExportOptions {
        media: Media::Reference,
        ..options
    };
    let folder = out.join("fiftyone_videos");
    export_dataset(
        &videos,
        &Selection::all(),
        Format::FiftyOne,
        folder,
        &by_reference,
    )?;
    Ok(())
}

/// Makes the dataset of pictures.
fn fill(out: &Path) -> Result<Dataset, Box<dyn Error>> {
    let mut dataset = Dataset::create(out.join("pictures.db"))?;
    let mut writer = dataset.writer()?;
    for index in 0..PICTURES {
        let path = std::path::absolute(out.join(format!("pictures/{index}.png")))?;
        let shade = |x, y| image::Rgb([x as u8 * 4, y as u8 * 4, index as u8 * 80]);
        image::RgbImage::from_fn(64, 48, shade).save(&path)?;
        writer.add(SampleRecord {
            metadata: Some(Metadata::from(Decoder::default().read_metadata(&path)?)),
            tags: vec!["made".to_owned(), format!("number {index}")],
            ..SampleRecord::image(path.to_str().ok_or("the folder's name is not Unicode")?)
        })?;
    }
    writer.finish()?;
    let provenance = Provenance {
        source: "https://github.com/user/repo".to_owned(),
        commit: Some("0123456789abcdef".to_owned()),
        model: "everything@1".to_owned(),
        ..Provenance::default()
    };
    let mut run = dataset.begin_run("everything", &provenance, Existing::Resume)?;
    let batch = run
        .pending(&Selection::without_labels())?
        .enumerate()
        .map(|(index, sample)| Ok((sample?.id, Ok(labels(index)))))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    run.commit_batch(&batch)?;
    let classes = ["cat", "dog", "person", "road"].map(str::to_owned).to_vec();
    for field in OBJECTS {
        run.describe(
            field,
            FieldDescription {
                classes: classes.clone(),
                keypoints: ["nose", "eye", "ear"].map(str::to_owned).to_vec(),
                skeleton: vec![[0, 1], [0, 2]],
                ..FieldDescription::default()
            },
        );
    }
    run.finish()?;
    Ok(dataset)
}

/// A label of every type for picture `index`.
fn labels(index: usize) -> Fields {
    let step = index as f64 / 8.0;
    let rows = |columns: usize, count: usize| {
        move |value: usize| (value / columns + value % columns + index) % count
    };
    let array = |height: usize, width: usize, values: Vec<u8>| {
        Array::new([height, width], values).unwrap_or_else(|_| unreachable!("the sizes are given here"))
    };
    let mask = array(
        12,
        16,
        (0..12 * 16)
            .map(rows(16, 2))
            .map(|value| u8::from(value > 0))
            .collect(),
    );
    let mut dog = Detection::new("dog", [0.25, 0.25, 0.25, 0.25])
        .with_confidence(0.5 + step)
        .with_index(7)
        .with_mask(mask);
    dog.tags = vec!["seen".to_owned()];
    dog.attributes.insert("mood".to_owned(), "calm".into());
    let cat = Detection::new("cat", [0.5, 0.5, 0.25 + step, 0.5]).with_confidence(0.25);
    let road = Polyline::new(
        "road",
        vec![vec![[0.125, 0.125], [0.5, 0.125], [0.5, 0.5 + step]]],
    )
    .into_polygon()
    .with_confidence(0.75);
    let person = Keypoint::new(vec![[0.25, 0.25], [f64::NAN, f64::NAN], [0.5, 0.5 + step]])
        .with_label("person")
        .with_confidence(vec![0.5, 0.0, 0.75]);
    let heat: Vec<f32> = (0..6).map(|value| value as f32 / 4.0 + index as f32).collect();
    let heat = Array::new([2, 3], heat).unwrap_or_else(|_| unreachable!("the sizes are given here"));
    let sample: Vec<(&str, Label)> = vec![
        (
            "classification",
            Classification::new("cat")
                .with_confidence(0.5 + step)
                .with_logits(Array::vector(vec![index as f32, -1.5, 0.1]))
                .into(),
        ),
        ("blank", Classification::blank().into()),
        (
            "classifications",
            Classifications::new(vec![
                Classification::new("cat").with_confidence(0.5),
                Classification::new("dog").with_confidence(0.25),
            ])
            .into(),
        ),
        ("detection", cat.clone().into()),
        ("detections", Detections::new(vec![dog, cat]).into()),
        ("polyline", road.clone().into()),
        ("polylines", Polylines::new(vec![road]).into()),
        ("keypoint", person.clone().into()),
        ("keypoints", Keypoints::new(vec![person]).into()),
        (
            "regression",
            Regression::new(2.5 + step).with_confidence(0.5).into(),
        ),
        (
            "segmentation",
            Segmentation::new(array(
                4,
                5,
                (0..20).map(rows(5, 3)).map(|value| value as u8).collect(),
            ))
            .into(),
        ),
        ("heatmap", Heatmap::new(heat).with_range(0.0, 8.0).into()),
        ("location", GeoLocation::point(13.375, 52.5 + step).into()),
        (
            "vector",
            Vector::new(Array::vector(vec![index as f32, 0.1, -2.5, 1e-8])).into(),
        ),
        ("text", PlainValue::new("dark").into()),
        ("count", PlainValue::new(index as i64 + 3).into()),
        (
            "words",
            PlainValue::new(vec!["a".to_owned(), "b".to_owned()]).into(),
        ),
    ];
    Fields {
        sample: sample
            .into_iter()
            .map(|(name, label)| (name.to_owned(), label))
            .collect(),
        ..Fields::default()
    }
}

/// A video with labels on the whole and on some frames.
fn film(video: &Path) -> Result<SampleRecord, Box<dyn Error>> {
    let path = std::path::absolute(video)?;
    let events = TemporalDetections::new(vec![
        TemporalDetection::new("ride", 10, 200).with_confidence(0.5),
        TemporalDetection::new("stop", 201, 250),
    ]);
    let frame = |number: u64| {
        let x = number as f64 / 512.0;
        let boxes = Detections::new(vec![
            Detection::new("bike", [x, 0.25, 0.25, 0.5]).with_confidence(0.5),
        ]);
        (number, [("seen".to_owned(), boxes.into())].into())
    };
    Ok(SampleRecord {
        metadata: Some(Metadata::Video(Video::open(&path)?.metadata().clone())),
        labels: Fields {
            sample: [("events".to_owned(), events.into())].into(),
            frames: [frame(1), frame(2), frame(250)].into(),
        },
        ..SampleRecord::video(path.to_str().ok_or("the video's name is not Unicode")?)
    })
}

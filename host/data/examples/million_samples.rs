//! Measures a dataset of many samples: making it, filling a field batch by batch, listing and exporting it.
//!
//!     cargo run --release -p modelzoo-data --example million_samples [COUNT]

use modelzoo_data::{
    dataset::{Dataset, Existing, Item, Provenance, Selection},
    format::{
        Format,
        export::{ExportOptions, export_dataset},
    },
    label::Fields,
    record::{ImageMetadata, Metadata, SampleRecord},
};
use modelzoo_plugin_api::label::{Classification, Detection, Detections, Label};
use std::{error::Error, time::Instant};

const BATCH: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    let mut dataset = Dataset::create(folder.path().join("many.db"))?;
    println!("{count} samples");

    measure("create", count, || {
        let mut writer = dataset.writer()?;
        for number in 0..count {
            writer.add(SampleRecord {
                metadata: Some(Metadata::Image(ImageMetadata {
                    size_bytes: Some(123_456),
                    width: 640,
                    height: 480,
                    ..ImageMetadata::default()
                })),
                ..SampleRecord::image(format!("/data/photos/{:04}/{number:08}.jpg", number / 1000))
            })?;
        }
        Ok(writer.finish().map(drop)?)
    })?;

    measure("apply", count, || {
        let mut run = dataset.begin_run("seen", &Provenance::default(), Existing::Resume)?;
        let mut batch: Vec<Item> = Vec::with_capacity(BATCH);
        for sample in run.pending(&Selection::without_labels())? {
            batch.push((sample?.id, Ok(labels())));
            if batch.len() == BATCH {
                run.commit_batch(&batch)?;
                batch.clear();
            }
        }
        run.commit_batch(&batch)?;
        Ok(run.finish().map(drop)?)
    })?;

    measure("info", count, || Ok(dataset.info().map(drop)?))?;
    measure("list", count, || {
        for sample in dataset.samples(&Selection::all())? {
            sample?;
        }
        Ok(())
    })?;
    for format in [Format::JsonLines, Format::Parquet, Format::Coco, Format::Csv] {
        measure(&format!("export {format}"), count, || {
            let path = folder.path().join(format!("out.{format}"));
            export_dataset(
                &dataset,
                &Selection::all(),
                format,
                &path,
                &ExportOptions::default(),
            )?;
            println!("  {} MB", path.metadata()?.len() / 1_000_000);
            Ok(())
        })?;
    }
    println!(
        "dataset file: {} MB",
        dataset.path().metadata()?.len() / 1_000_000
    );
    Ok(())
}

fn labels() -> Fields {
    let labels: [(&str, Label); 2] = [
        (
            "seen",
            Classification::new("malamute").with_confidence(0.76).into(),
        ),
        (
            "seen_boxes",
            Detections::new(vec![
                Detection::new("dog", [0.125, 0.25, 0.5, 0.5]).with_confidence(0.47),
            ])
            .into(),
        ),
    ];
    Fields {
        sample: labels.map(|(name, label)| (name.to_owned(), label)).into(),
        ..Fields::default()
    }
}

fn measure(
    step: &str,
    count: u64,
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    work()?;
    let seconds = start.elapsed().as_secs_f64();
    let rate = count as f64 / seconds;
    println!(
        "{step}: {seconds:.1} s, {rate:.0} samples/s, most memory so far {}",
        most_memory()
    );
    Ok(())
}

/// The most memory that this process has held, where the system tells.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |size| size.trim().to_owned())
}

//! A process that fills a dataset is killed at 100 random moments. What is in the dataset in the end is what one that
//! was left alone has written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use modelzoo_data::{
    dataset::{Dataset, Existing, Provenance, Selection},
    format::{
        Format,
        export::{ExportOptions, export_dataset},
    },
    label::Fields,
    record::SampleRecord,
};
use modelzoo_plugin_api::{
    Array,
    label::{Classification, Label, Vector},
};
use modelzoo_test_support::alone::{expect_one_passed, start_test};
use std::{
    collections::hash_map::RandomState, error::Error, hash::BuildHasher, path::Path, process::Stdio,
    time::Duration,
};

const SAMPLES: usize = 3000;
const BATCH: usize = 8;
const KILLS: usize = 100;

/// Longer than the whole work takes, so that the end is hit too.
const LATEST_KILL: Duration = Duration::from_millis(400);

/// Tells the process that is killed which dataset it fills.
const DATASET: &str = "TEST_DATASET";

#[test]
#[ignore = "a program of its own"]
fn the_process_that_fills() {
    let path = std::env::var_os(DATASET).expect("another test says what to fill");
    fill(Path::new(&path)).unwrap();
}

/// Adds samples and fills two fields, from wherever an earlier process was.
fn fill(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut dataset = Dataset::open(path).or_else(|_| Dataset::create(path))?;
    let mut writer = dataset.writer()?;
    for number in 0..SAMPLES {
        writer.add(SampleRecord::image(format!("{number}.jpg")))?;
    }
    writer.finish()?;
    let mut run = dataset.begin_run("seen", &Provenance::default(), Existing::Resume)?;
    let mut samples = run.pending(&Selection::without_labels())?;
    loop {
        let samples = samples.by_ref().take(BATCH).collect::<Result<Vec<_>, _>>()?;
        if samples.is_empty() {
            break;
        }
        let batch: Vec<_> = samples
            .into_iter()
            .map(|sample| (sample.id, labels(&sample.record.filepath)))
            .collect();
        run.commit_batch(&batch)?;
    }
    run.finish()?;
    Ok(())
}

fn labels(filepath: &str) -> Result<Fields, String> {
    if filepath.ends_with("7.jpg") {
        return Err("unlucky".to_owned());
    }
    let labels: [(&str, Label); 2] = [
        ("seen_class", Classification::new(filepath).into()),
        (
            "seen_vector",
            Vector::new(Array::vector(vec![filepath.len() as f32; 64])).into(),
        ),
    ];
    Ok(Fields {
        sample: labels.map(|(name, label)| (name.to_owned(), label)).into(),
        ..Fields::default()
    })
}

#[test]
fn what_a_killed_writer_leaves_is_completed() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let undisturbed = folder.path().join("undisturbed.db");
    fill(&undisturbed)?;
    let expected = exported(&undisturbed)?;
    assert_eq!(expected.lines().count(), SAMPLES);

    let (mut kills, mut datasets, mut seed) = (0, 0, 0u64);
    while kills < KILLS {
        datasets += 1;
        let path = folder.path().join(format!("{datasets}.db"));
        loop {
            seed += 1;
            let moment = LATEST_KILL.mul_f64((RandomState::new().hash_one(seed) % 1000) as f64 / 1000.0);
            if killed_after(moment, &path)? {
                kills += 1;
            } else {
                break;
            }
        }
        let found = exported(&path)?;
        assert!(
            found == expected,
            "dataset {datasets} differs after {kills} kills"
        );
        let run = Dataset::open(&path)?.runs()?.swap_remove(0);
        assert_eq!(
            (run.done, run.failed),
            (SAMPLES as u64 * 9 / 10, SAMPLES as u64 / 10)
        );
    }
    println!("{kills} kills, {datasets} datasets, all as they should be");
    Ok(())
}

/// Starts the process and kills it after some time; `false` if it had ended before.
fn killed_after(moment: Duration, path: &Path) -> Result<bool, Box<dyn Error>> {
    let mut child = start_test("the_process_that_fills")
        .env(DATASET, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    std::thread::sleep(moment);
    child.kill()?;
    let output = child.wait_with_output()?;
    if output.status.code().is_none() {
        return Ok(true);
    }
    assert!(output.status.success(), "the writer failed: {}", output.status);
    expect_one_passed(&String::from_utf8_lossy(&output.stdout));
    Ok(false)
}

fn exported(path: &Path) -> Result<String, Box<dyn Error>> {
    let out = path.with_extension("jsonl");
    export_dataset(
        &Dataset::open(path)?,
        &Selection::all(),
        Format::JsonLines,
        &out,
        &ExportOptions::default(),
    )?;
    Ok(std::fs::read_to_string(out)?)
}

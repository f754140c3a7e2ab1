//! The budget of memory: what is taken comes back however a run ends, and nothing waits for ever.

use super::*;
use crate::pipeline::budget::Budget;
use proptest::prelude::*;
use std::sync::Arc;

/// A run's budget, and how its model and its sink end.
#[derive(Clone, Copy, Debug)]
struct Conditions {
    bytes: u64,
    batch_size: usize,
    workers: usize,
    /// The value of pictures that the model fails on.
    dislikes: Option<u8>,
    is_broken: bool,
    /// How many items the sink takes before it fails.
    sink_takes: Option<usize>,
}

const UNDISTURBED: Conditions = Conditions {
    bytes: 1 << 30,
    batch_size: 4,
    workers: 2,
    dislikes: None,
    is_broken: false,
    sink_takes: None,
};

/// What a run gave, and which batches the model saw.
#[derive(Debug, PartialEq)]
struct Told {
    values: Vec<Option<f64>>,
    batches: Vec<String>,
    is_whole: bool,
}

/// Runs under these conditions, and makes sure that all that was taken came back.
fn run_under(conditions: Conditions, samples: &[Sample]) -> Told {
    let model = FirstByte {
        dislikes: conditions.dislikes,
        is_broken: conditions.is_broken,
        ..FirstByte::default()
    };
    let mut options = apply_in_batches_of(conditions.batch_size);
    options.run.workers = NonZeroUsize::new(conditions.workers);
    let task = Task::Apply(options);
    let mut plan = Plan::new(&model, &task);
    plan.budget = Budget::of_bytes(conditions.bytes);
    let mut items = Vec::new();
    let result = run(&plan, samples.iter().cloned().map(Ok), |item| {
        if Some(items.len()) == conditions.sink_takes {
            return Err("disk full".into());
        }
        items.push(item);
        Ok(())
    });
    assert_eq!(plan.budget.used(), 0, "all comes back");
    Told {
        values: values(&items),
        batches: model.calls(),
        is_whole: result.is_ok(),
    }
}

/// A picture as a file or as content that came with its name, or no picture.
fn sample_of(folder: &Path, index: usize, width: u32, kind: u8) -> Sample {
    let mut sample = grey_of_width(folder, &format!("{index}.bmp"), index as u8, width);
    match kind {
        0 => sample.content = Content::Bytes(Arc::from(fs::read(&sample.path).unwrap())),
        1 => fs::write(&sample.path, "no picture").unwrap(),
        // Its header is good, and the pixels are missing.
        2 => fs::write(&sample.path, &fs::read(&sample.path).unwrap()[..54]).unwrap(),
        3 => fs::remove_file(&sample.path).unwrap(),
        _ => {}
    }
    sample
}

#[test]
fn batches_of_large_pictures_are_smaller_and_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<Sample> = (0..9)
        .map(|index| {
            // Every third one is as large as ten of the others.
            let width = if index % 3 == 2 { 1000 } else { 100 };
            sample_of(folder.path(), index, width, 9)
        })
        .collect();
    let small = Conditions {
        bytes: 16_000,
        batch_size: 9,
        ..UNDISTURBED
    };
    let expected = run_under(UNDISTURBED, &samples);
    for workers in [1, 2, 7] {
        let told = run_under(Conditions { workers, ..small }, &samples);
        assert_eq!(told.values, expected.values);
        // A batch is complete with what fills its quarter of twelve thousand bytes.
        assert_eq!(told.batches, ["predict 3"; 3]);
    }
    assert_eq!(expected.batches, ["predict 4", "predict 4", "predict 1"]);
}

#[test]
fn pictures_larger_than_the_budget_are_done_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<Sample> = (0..5)
        .map(|index| sample_of(folder.path(), index, 3000, 9))
        .collect();
    let tiny = Conditions {
        bytes: 100,
        ..UNDISTURBED
    };
    let told = run_under(tiny, &samples);
    assert_eq!(told.values, run_under(UNDISTURBED, &samples).values);
    assert_eq!(told.batches, ["predict 1"; 5]);
}

#[test]
fn the_option_counts_before_what_is_usual() {
    let (model, memory) = (FirstByte::default(), |text: &str| text.parse().unwrap());
    let mut options = ApplyOptions::default();
    let pictures = |options: &ApplyOptions| {
        let task = Task::Apply(options.clone());
        let plan = Plan::new(&model, &task).with_default_memory(Some(memory("80MB")));
        // A frame of one byte, as many times as it can be there.
        plan.budget.for_frames(1, usize::MAX)
    };
    assert_eq!(pictures(&options), 30_000_000);
    options.run.memory = Some(memory("160MB"));
    assert_eq!(pictures(&options), 60_000_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_the_sizes_all_is_done_and_all_comes_back(
        pictures in prop::collection::vec((1u32..400, 0u8..12), 1..40),
        bytes in 8u64..8000,
        batch_size in 1usize..10,
        workers in 1usize..5,
        dislikes in prop::option::weighted(0.3, 0u8..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let samples: Vec<Sample> = pictures
            .iter()
            .enumerate()
            .map(|(index, &(width, kind))| sample_of(folder.path(), index, width, kind))
            .collect();
        let usual = Conditions { batch_size, dislikes, ..UNDISTURBED };
        let scarce = Conditions { bytes, workers, ..usual };
        let told = run_under(scarce, &samples);
        prop_assert!(told.is_whole);
        prop_assert_eq!(&told.values, &run_under(usual, &samples).values);
        prop_assert_eq!(&told, &run_under(Conditions { workers: 6 - workers, ..scarce }, &samples));

        let half = samples.len() / 2;
        let told = run_under(Conditions { sink_takes: Some(half), ..scarce }, &samples);
        prop_assert!(!told.is_whole && told.values.len() == half);
        run_under(Conditions { is_broken: true, ..scarce }, &samples);
    }
}

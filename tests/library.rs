//! The library as a program sees it that runs models by itself: this one, which is also its own worker.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use modelzoo::{
    ApplyOptions, EmbedOptions, Existing, HandleMissing, Input, LoadSettings, Model, PatchOptions,
    ProgressCallback, RunOptions, Summary, Task, apply_model, compute_embeddings, compute_patch_embeddings,
    label::{Detection, Detections, Label},
};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    record::SampleRecord,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

/// Set in the second process, to its folder: a home of its own.
const HOME: &str = "LIBRARY_TEST_HOME";

fn main() {
    modelzoo::run_worker_if_asked();
    if let Some(home) = std::env::var_os(HOME) {
        return test(Path::new(&home));
    }
    let home = tempfile::tempdir().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .env(HOME, home.path())
        .env(
            "MODELZOO_STORE",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("store"),
        )
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env_remove("MODELZOO_CONFIG")
        .current_dir(home.path())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

fn test(home: &Path) {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugins/capabilities");
    let source = format!("{}#test/boxes", plugin.canonicalize().unwrap().display());
    let model = modelzoo::load_model(&source, LoadSettings::default()).unwrap();
    assert_eq!(model.info().classes, ["dark", "bright"]);
    let folder = pictures(home);
    files_are_handed_on(&model, &folder);
    a_dataset_is_filled_and_goes_on(&model, home);
    patches_are_embedded(&model, home);
}

fn pictures(home: &Path) -> PathBuf {
    let folder = home.join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, value) in [("a", 250), ("b", 10)] {
        let picture = image::RgbImage::from_pixel(8, 6, image::Rgb([value; 3]));
        picture.save(folder.join(format!("{name}.png"))).unwrap();
    }
    std::fs::write(folder.join("c.png"), "no picture").unwrap();
    folder
}

/// The classes that a label names.
fn classes(label: Option<&Label>) -> Vec<String> {
    match label {
        Some(Label::Detections(all)) => all
            .detections
            .iter()
            .filter_map(|one| one.label.clone())
            .collect(),
        _ => Vec::new(),
    }
}

fn files_are_handed_on(model: &Model, folder: &Path) {
    let told: Arc<Mutex<Vec<Summary>>> = Arc::default();
    let options = ApplyOptions {
        label_field: "things".to_owned(),
        classes: Some(vec!["bright".to_owned()]),
        run: RunOptions {
            progress: Some(ProgressCallback::new({
                let told = Arc::clone(&told);
                move |so_far| told.lock().unwrap().push(so_far)
            })),
            ..RunOptions::default()
        },
        ..ApplyOptions::default()
    };
    let mut seen = Vec::new();
    let outcome = apply_model(model, folder, &options, |item| {
        seen.push((classes(item.fields.sample.get("things")), item.error()));
    })
    .unwrap();
    assert_eq!((outcome.summary.done, outcome.summary.failed), (2, 1));
    let told = told.lock().unwrap().last().copied();
    assert_eq!(told, Some(outcome.summary), "progress ends with the summary");
    assert_eq!(
        (&seen[0].0, &seen[1].0),
        (&vec!["bright".to_owned()], &Vec::new())
    );
    assert!(seen[2].1.as_ref().unwrap().contains("c.png"));

    let mut lengths = Vec::new();
    let options = EmbedOptions::default();
    compute_embeddings(model, folder, &options, |item| {
        lengths.extend(item.fields.sample.into_iter().map(|(field, label)| match label {
            Label::Vector(vector) => (field, vector.values.to_f32()),
            other => panic!("{other:?}"),
        }));
    })
    .unwrap();
    assert_eq!(
        lengths,
        [(); 2].map(|()| ("embeddings".to_owned(), vec![8.0, 6.0]))
    );

    let strict = ApplyOptions {
        run: RunOptions {
            skip_failures: false,
            ..RunOptions::default()
        },
        ..ApplyOptions::default()
    };
    let error = apply_model(model, folder, &strict, drop).unwrap_err();
    assert!(error.to_string().contains("c.png"), "{error}");
}

fn a_dataset_is_filled_and_goes_on(model: &Model, home: &Path) {
    let path = home.join("samples.db");
    let dataset = Dataset::create(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    for name in ["a", "b"] {
        writer
            .add(SampleRecord::image(format!("pictures/{name}.png")))
            .unwrap();
    }
    writer.finish().unwrap();
    let options = ApplyOptions::default();
    let apply = || apply_model(model, &path, &options, drop).unwrap();
    let outcome = apply();
    assert_eq!((outcome.summary.done, outcome.summary.failed), (2, 0));
    assert_eq!(outcome.dataset.unwrap().done, 2);
    assert_eq!(apply().summary, Summary::default());

    let renamed = Task::Apply(ApplyOptions {
        call_settings: [("class".to_owned(), "cat".into())].into_iter().collect(),
        ..options.clone()
    });
    let mut input = Input::resolve(&[&path]).unwrap();
    let error = model
        .run(&renamed, &mut input, Existing::Resume, drop)
        .unwrap_err();
    assert!(error.to_string().contains("already has values"), "{error}");
    model.run(&renamed, &mut input, Existing::Replace, drop).unwrap();
    let samples = dataset.samples(&Selection::all()).unwrap();
    for sample in samples {
        assert_eq!(
            classes(sample.unwrap().record.labels.sample.get("predictions")),
            ["cat"]
        );
    }
}

fn patches_are_embedded(model: &Model, home: &Path) {
    let path = home.join("objects.db");
    let dataset = Dataset::create(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    let mut record = SampleRecord::image("pictures/a.png");
    let objects = Detections::new(vec![Detection::new("x", [0.0, 0.0, 0.5, 0.5])]);
    record.labels.sample.insert("things".to_owned(), objects.into());
    writer.add(record).unwrap();
    writer.add(SampleRecord::image("pictures/b.png")).unwrap();
    writer.finish().unwrap();
    let mut options = PatchOptions::new("things");
    options.geometry.force_square = true;
    options.handle_missing = HandleMissing::Error;
    let mut embeddings = Vec::new();
    let outcome = compute_patch_embeddings(model, &path, &options, |item| {
        if let Some(Label::Detections(all)) = item.fields.sample.get("things") {
            embeddings.push(all.detections[0].attributes["embeddings"].to_string());
        }
    })
    .unwrap();
    assert_eq!(embeddings, ["[4.0,4.0]"]);
    assert_eq!((outcome.summary.done, outcome.summary.failed), (1, 1));
}

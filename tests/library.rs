//! The library as a program sees it that runs models by itself: this one, which is also its own worker.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use modelzoo::{
    ApplyOptions, EmbedOptions, Existing, HandleMissing, Input, LoadSettings, Model, PatchOptions,
    ProgressCallback, RunOptions, Summary, Task, apply_model, compute_embeddings, compute_patch_embeddings,
    dataset::{Dataset, Selection},
    diagnosis::in_one_line,
    label::{Detection, Detections, Label},
    record::SampleRecord,
};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
};

#[path = "../examples/own_zoo.rs"]
mod own_zoo;

/// Set in the second process, to its folder: a home of its own.
const HOME: &str = "LIBRARY_TEST_HOME";

/// Set in the third process, which is an embedder's program.
const OWN_ZOO: &str = "LIBRARY_TEST_OWN_ZOO";

fn main() {
    modelzoo::run_worker_if_asked();
    if std::env::var_os(OWN_ZOO).is_some() {
        if let Err(error) = own_zoo::main() {
            eprintln!("{error:#}");
            std::process::exit(1);
        }
        return;
    }
    if let Some(home) = std::env::var_os(HOME) {
        return test(Path::new(&home));
    }
    let home = tempfile::tempdir().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .env(HOME, home.path())
        .env("MODELZOO_STORE", shared_store())
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env_remove("MODELZOO_CONFIG")
        .current_dir(home.path())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    a_program_has_a_store_and_a_consent_of_its_own(home.path());
    the_library_brings_no_terminal();
}

/// The store that all tests share, so that a plugin is compiled once.
fn shared_store() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("store")
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// What a command that has to succeed prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", errors(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn a_program_has_a_store_and_a_consent_of_its_own(home: &Path) {
    let repository = home.join("repository");
    std::fs::create_dir_all(repository.join("src")).unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "manifest.json", "src/lib.rs"] {
        let sample = project().join("tests/plugins/brightness").join(file);
        std::fs::copy(sample, repository.join(file)).unwrap();
    }
    let git = |arguments: &[&str]| {
        let author = ["-c", "user.name=Author", "-c", "user.email=author@example.com"];
        printed(
            Command::new("git")
                .args(author)
                .args(arguments)
                .current_dir(&repository)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_SYSTEM", "/dev/null"),
        )
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "-m", "A source"]);
    let commit = git(&["rev-parse", "HEAD"]);

    // What the user allows and has configured does not count: the configuration does not even parse.
    let config = home.join("broken.toml");
    std::fs::write(&config, "[[").unwrap();
    let store = home.join("own-store");
    std::fs::create_dir(&store).unwrap();
    std::os::unix::fs::symlink(shared_store().join("build"), store.join("build")).unwrap();
    let run = |commit: &str| {
        Command::new(std::env::current_exe().unwrap())
            .arg(format!("file://{}/.git#test/brightness", repository.display()))
            .args([commit, "pictures/a.png"])
            .env(OWN_ZOO, "")
            .env("MODELZOO_CONFIG", &config)
            .env("MODELZOO_STORE", home.join("no-store"))
            .current_dir(home)
            .output()
            .unwrap()
    };
    let refused = run("another commit");
    assert!(!refused.status.success());
    assert!(
        errors(&refused).contains("is not trusted"),
        "{}",
        errors(&refused)
    );
    let ran = run(commit.trim());
    assert!(ran.status.success(), "{}", errors(&ran));
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(printed.contains("bright"), "{printed}");
    assert!(store.join("models").is_dir() && !home.join("no-store").exists());
}

/// A program that depends on the library gets no command line, no progress bars and no log printer with it.
fn the_library_brings_no_terminal() {
    let tree = printed(
        Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--package", "modelzoo", "--edges", "normal"])
            .args(["--prefix", "none", "--format", "{p}"])
            .current_dir(project()),
    );
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"modelzoo-sources"), "{tree}");
    for unwanted in ["clap", "indicatif", "tracing-subscriber"] {
        assert!(!names.contains(&unwanted), "{unwanted} is there");
    }
}

fn test(home: &Path) {
    let plugin = project().join("tests/plugins/capabilities");
    let source = format!("{}#test/boxes", plugin.display());
    let model = modelzoo::load_model(&source, LoadSettings::default()).unwrap();
    assert_eq!(model.info().classes, ["dark", "bright"]);
    let folder = pictures(home);
    files_are_handed_on(&model, &folder);
    a_dataset_is_filled_and_goes_on(&model, home);
    patches_are_embedded(&model, home);
    a_published_model_runs_in_a_worker_of_this_program();
}

fn a_published_model_runs_in_a_worker_of_this_program() {
    let folder = project().join("plugin-api/vision/tests/goldens/vit_classifier");
    let model = modelzoo::load_model(folder.to_str().unwrap(), LoadSettings::default()).unwrap();
    assert_eq!(model.info().classes.len(), 5);
    let pixels = vec![100; 20 * 10 * 3];
    let image = modelzoo::Image::new(20, 10, &pixels).unwrap();
    let output = model.predict(&image, &Default::default()).unwrap();
    assert!(format!("{output:?}").contains("LABEL_"), "{output:?}");
    let provenance = model.provenance();
    assert_eq!(provenance.artifact_sha256, None);
    assert!(
        provenance
            .built_in
            .as_ref()
            .unwrap()
            .starts_with("modelzoo-vision ")
    );
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
    let told = in_one_line(&error);
    assert!(told.contains("c.png"), "{told}");
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

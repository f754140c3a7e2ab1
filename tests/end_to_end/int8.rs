//! Models on bytes: `--precision int8`, calibrated on the user's own pictures.

use crate::support::{Run, User, hub::small_model, project, sample};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// So many pictures say something of others.
const ENOUGH: usize = 20;

/// A folder with so many pictures.
fn photos(user: &User, count: usize) -> PathBuf {
    let folder = user.path("photos");
    fs::create_dir_all(&folder).unwrap();
    let names = ["astronaut", "chelsea", "coffee", "rocket"];
    for (number, name) in names.iter().cycle().take(count).enumerate() {
        let photo = project().join(format!("examples/photos/{name}.jpg"));
        fs::copy(photo, folder.join(format!("{number:03}.jpg"))).unwrap();
    }
    folder
}

fn model() -> String {
    small_model("mobilenet_v2_classifier").display().to_string()
}

fn apply(user: &User, model: &str, photos: &Path, options: &[&str]) -> Run {
    let photos = photos.display().to_string();
    user.run([&["apply", model, &photos, "--precision", "int8"], options].concat())
}

/// The files with calibrations in the user's store.
fn kept(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("calibrations")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn user_with_store() -> (User, PathBuf) {
    let user = User::new();
    let store = user.path("store");
    (user.with_store(&store), store)
}

#[test]
fn the_first_run_calibrates_and_the_second_says_the_same() {
    let (user, store) = user_with_store();
    let folder = photos(&user, ENOUGH);
    let first = apply(&user, &model(), &folder, &["--batch-size", "3"]).expect(0);
    assert!(
        first
            .stderr
            .contains("int8, calibrated on 20 pictures of these, beside f32: the same class"),
        "{}",
        first.stderr
    );
    let [file] = &kept(&store)[..] else {
        panic!("one is kept")
    };
    let bytes = fs::read(file).unwrap();

    let second = apply(&user, &model(), &folder, &["--threads", "1"]).expect(0);
    assert!(
        second.stderr.contains("calibrated on 20 pictures before"),
        "{}",
        second.stderr
    );
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(fs::read(file).unwrap(), bytes);
    let plain = user
        .run(["apply".as_ref(), model().as_ref(), folder.as_os_str()])
        .expect(0);
    assert_ne!(plain.stdout, first.stdout, "it is computed in another way");

    // From nothing, with other batches and threads, and in this process: the same bytes.
    for options in [
        &["--batch-size", "1", "--threads", "1"][..],
        &["--isolation", "none"],
    ] {
        fs::remove_file(file).unwrap();
        let again = apply(&user, &model(), &folder, options).expect(0);
        assert_eq!(again.stdout, first.stdout);
        assert_eq!(fs::read(file).unwrap(), bytes, "{options:?}");
    }
}

#[test]
fn more_pictures_calibrate_again_and_fewer_do_not() {
    let (user, store) = user_with_store();
    let few = photos(&user, 3);
    let run = apply(&user, &model(), &few, &[]).expect(0);
    assert!(
        run.stderr.contains("calibrated on 3 pictures only"),
        "{}",
        run.stderr
    );
    let [file] = &kept(&store)[..] else {
        panic!("one is kept")
    };
    let of_few = fs::read(file).unwrap();
    let more = photos(&user, ENOUGH);
    let run = apply(&user, &model(), &more, &[]).expect(0);
    assert!(
        run.stderr.contains("calibrated on 20 pictures of these"),
        "{}",
        run.stderr
    );
    let of_more = fs::read(file).unwrap();
    assert_ne!(of_more, of_few);
    let one = more.join("000.jpg");
    let run = apply(&user, &model(), &one, &[]).expect(0);
    assert!(
        run.stderr.contains("calibrated on 20 pictures before"),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read(file).unwrap(), of_more);
}

#[test]
fn a_damaged_calibration_is_one_line_and_made_anew() {
    let (user, store) = user_with_store();
    let folder = photos(&user, ENOUGH);
    let first = apply(&user, &model(), &folder, &[]).expect(0);
    let [file] = &kept(&store)[..] else {
        panic!("one is kept")
    };
    let bytes = fs::read(file).unwrap();
    for damaged in [
        b"".to_vec(),
        b"not it".to_vec(),
        bytes[..bytes.len() / 2].to_vec(),
    ] {
        fs::write(file, damaged).unwrap();
        let run = apply(&user, &model(), &folder, &[]).expect(0);
        let told = run
            .stderr
            .lines()
            .filter(|line| line.contains("it is damaged; it is made anew"));
        assert_eq!(told.count(), 1, "{}", run.stderr);
        assert_eq!(run.stdout, first.stdout);
        assert_eq!(fs::read(file).unwrap(), bytes);
    }
    let listed = user.run(["store", "list"]).expect(0);
    assert!(listed.stdout.contains("calibration"), "{}", listed.stdout);
}

#[test]
fn results_say_how_the_model_was_calibrated() {
    let (user, _) = user_with_store();
    let folder = photos(&user, ENOUGH);
    let dataset = user.path("photos.sqlite");
    let run = apply(&user, &model(), &folder, &["-o", dataset.to_str().unwrap()]).expect(0);
    assert!(
        run.stderr.contains("calibrated on 20 pictures of these"),
        "{}",
        run.stderr
    );
    let told = user
        .run([
            "dataset".as_ref(),
            "info".as_ref(),
            dataset.as_os_str(),
            "--json".as_ref(),
        ])
        .expect(0);
    assert!(
        told.stdout.contains("int8") && told.stdout.contains("agreement"),
        "{}",
        told.stdout
    );

    let (input, model) = (folder.display().to_string(), model());
    let bench = ["plugin", "bench", &model, &input, "--precision", "int8"];
    let options = ["--batch-sizes", "1", "--seconds", "0", "--json"];
    let run = user.run([&bench[..], &options].concat()).expect(0);
    let facts: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(facts["precision"], "int8");
    let calibration = &facts["provenance"]["calibration"];
    assert_eq!(calibration["pictures"], 20);
    assert!(calibration["agreement"]["classes"]["value"].as_f64().unwrap() >= 0.9);
}

#[test]
fn embeddings_are_computed_on_bytes_as_well() {
    let (user, _) = user_with_store();
    let folder = photos(&user, ENOUGH).display().to_string();
    let model = model();
    let embed = |options: &[&str]| {
        user.run([&["embed", &model, &folder], options].concat())
            .expect(0)
    };
    let run = embed(&["--precision", "int8"]);
    assert!(
        run.stderr.contains("beside f32: embeddings with a cosine of 0.9"),
        "{}",
        run.stderr
    );
    assert_ne!(run.stdout, embed(&[]).stdout);
}

#[test]
fn a_model_that_knows_no_bytes_says_so() {
    let (user, store) = user_with_store();
    let plugin = sample("given").display().to_string();
    let folder = photos(&user, 2);
    let run = apply(&user, &plugin, &folder, &[]).expect(0);
    assert!(
        run.stderr.contains("computes with f32, not with int8"),
        "{}",
        run.stderr
    );
    assert!(kept(&store).is_empty());
}

#[test]
fn what_says_something_else_is_refused_and_computed_in_f32() {
    let (user, store) = user_with_store();
    let folder = photos(&user, ENOUGH);
    // Its weights are random, and its depths differ by less than bytes do.
    let model = small_model("depth_anything_relative").display().to_string();
    let input = folder.display().to_string();
    let plain = user.run(["apply", &model, &input]).expect(0);
    for _ in ["calibrated", "known"] {
        let run = apply(&user, &model, &folder, &[]).expect(0);
        assert!(
            run.stderr
                .contains("the model computes with f32: with int8 it says too often something else"),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr.contains("hint: `--precision bf16` is nearer"),
            "{}",
            run.stderr
        );
        assert_eq!(run.stdout, plain.stdout);
        assert_eq!(kept(&store).len(), 1, "it is not tried again");
    }
}

#[test]
fn objects_and_maps_are_compared_as_well() {
    let (user, _) = user_with_store();
    let folder = photos(&user, ENOUGH);
    for (model, told) in [
        ("nanodet", "objects found by both, their boxes share"),
        ("u2net", "maps with a correlation of 0.99"),
        ("segformer_segmenter", "% of the pixels of the same class"),
    ] {
        let model = small_model(model).display().to_string();
        let run = apply(&user, &model, &folder, &[]).expect(0);
        assert!(run.stderr.contains(told), "{model}: {}", run.stderr);
        assert!(!run.stderr.contains("warning"), "{model}: {}", run.stderr);
    }
}

#[test]
fn a_plan_says_that_it_calibrates() {
    let (user, store) = user_with_store();
    let folder = photos(&user, 2);
    let run = apply(&user, &model(), &folder, &["--dry-run"]).expect(0);
    assert!(run.stderr.contains("what int8 stands for") || run.stdout.contains("what int8 stands for"));
    assert!(kept(&store).is_empty());
}

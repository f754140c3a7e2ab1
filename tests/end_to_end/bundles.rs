//! Models for machines without network: saved in one file where there is one, loaded where there is none.

use crate::support::{
    Run, User, copy_folder,
    hub::{Hub, small_model},
    project,
    published::{git, user_with_source},
};
use serde_json::Value;
use std::{fs, path::Path};

const MODEL: &str = "hf:google/vit-tiny@main";

/// Somebody on a machine with nothing on it: no network, no compiler, no model.
fn without_anything() -> User {
    User::new()
        .with_empty_store()
        .with_variable("MODELZOO_OFFLINE", "1")
        .with_variable("PATH", "/nowhere")
        .with_variable("CARGO_HOME", "/nowhere")
        .with_variable("RUSTUP_HOME", "/nowhere")
}

fn apply(user: &User, model: &str) -> Run {
    let photo = project().join("examples/photos/astronaut.jpg");
    user.run(["apply", model, photo.to_str().unwrap()])
}

/// The bundle of the hub's model, and what the model says where it was saved.
fn saved(user: &User) -> (String, String) {
    let label = apply(user, MODEL).expect(0).stdout;
    let bundle = user.path("models.bundle").display().to_string();
    let run = user.run(["bundle", "save", MODEL, "-o", &bundle]).expect(0);
    let (sha256, path) = run.stdout.trim().split_once("  ").unwrap();
    assert_eq!(path, bundle);
    (sha256.to_owned(), label)
}

#[test]
fn a_published_model_runs_where_nothing_can_be_downloaded() {
    let hub = Hub::with_model("google/vit-tiny", "vit_classifier");
    let user = hub.user();
    let (sha256, label) = saved(&user);
    let bundle = user.path("models.bundle");
    let again = user.path("again.bundle");
    user.run(["bundle", "save", MODEL, "-o", again.to_str().unwrap()])
        .expect(0);
    assert_eq!(fs::read(&bundle).unwrap(), fs::read(again).unwrap());
    drop(hub);

    let other = without_anything();
    apply(&other, MODEL).expect(3);
    let run = other.run(["bundle", "load", bundle.to_str().unwrap()]).expect(0);
    assert_eq!(run.stdout, format!("{MODEL}\n"));
    assert_eq!(apply(&other, MODEL).expect(0).stdout, label);
    other.run(["verify"]).expect(0);
    let info: Value =
        serde_json::from_str(&other.run(["info", "google/vit-tiny", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(info["name"], "google/vit-tiny");
    other.run(["lock"]).expect(0);
    let lock = fs::read_to_string(other.path("modelzoo.lock")).unwrap();
    let weights = fs::read(small_model("vit_classifier").join("model.safetensors")).unwrap();
    assert!(lock.contains(&crate::support::hub::sha256(&weights)), "{lock}");
    let bundle = bundle.to_str().unwrap();
    other
        .run(["bundle", "load", bundle, "--sha256", &sha256])
        .expect(0);
}

#[test]
fn with_network_a_source_is_fetched_and_the_word_of_a_bundle_forgotten() {
    let hub = Hub::with_model("google/vit-tiny", "vit_classifier");
    let user = hub.user();
    let (_, label) = saved(&user);
    let other = hub.user();
    let bundle = user.path("models.bundle");
    other.run(["bundle", "load", bundle.to_str().unwrap()]).expect(0);
    let by_word = || {
        let records = walkdir::WalkDir::new(other.path("store/records")).into_iter();
        records
            .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
            .filter(|record| record.contains("\"bundle\""))
            .count()
    };
    assert_eq!(by_word(), 1);
    let (asked, requests) = (hub.asked().len(), hub.requests());
    assert_eq!(apply(&other, MODEL).expect(0).stdout, label);
    assert!(hub.requests() > requests, "the commit was not fetched");
    assert_eq!(hub.asked().len(), asked, "the weights are known by their hash");
    assert_eq!(by_word(), 0);
}

#[test]
fn a_bundle_that_is_not_what_it_should_be_is_refused_in_one_line() {
    let hub = Hub::with_model("google/vit-tiny", "vit_classifier");
    let user = hub.user();
    let (sha256, _) = saved(&user);
    let whole = fs::read(user.path("models.bundle")).unwrap();
    let other = without_anything();
    let refused = |content: &[u8], more: &[&str], code: i32, words: &str| {
        fs::write(other.path("b"), content).unwrap();
        let run = other.run([&["bundle", "load", "b"], more].concat()).expect(code);
        assert!(run.error().contains(words), "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
        for folder in ["sources", "weights", "tmp"] {
            let left = fs::read_dir(other.path("store").join(folder)).unwrap().count();
            assert_eq!(left, 0, "{words}: {folder}");
        }
        assert!(!other.path("store/records").exists(), "{words}");
    };
    refused(&whole[..whole.len() / 2], &[], 6, "bytes of it are missing");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    refused(&changed, &[], 6, "was changed");
    refused(&whole, &["--sha256", &"0".repeat(64)], 6, &sha256);
    refused(b"something else", &[], 1, "is no bundle");
    other.run(["bundle", "load", "nowhere"]).expect(1);
    other.run(["bundle", "load"]).expect(2);
}

#[test]
fn what_is_loaded_contradicts_neither_the_lock_nor_what_was_fetched() {
    let hub = Hub::with_model("google/vit-tiny", "vit_classifier");
    let user = hub.user();
    apply(&user, MODEL).expect(0);
    user.run(["lock"]).expect(0);
    let lock = fs::read_to_string(user.path("modelzoo.lock")).unwrap();
    let (_, label) = saved(&user);
    let other = without_anything();
    let bundle = user.path("models.bundle");
    let tree = lock.lines().find(|line| line.starts_with("tree = ")).unwrap();
    let otherwise = lock.replace(tree, &format!("tree = \"{}\"", "0".repeat(64)));
    fs::write(other.path("modelzoo.lock"), otherwise).unwrap();
    let run = other.run(["bundle", "load", bundle.to_str().unwrap()]).expect(6);
    assert!(run.error().contains("the tree of"), "{}", run.stderr);
    assert_eq!(fs::read_dir(other.path("store/sources")).unwrap().count(), 0);

    fs::write(other.path("modelzoo.lock"), &lock).unwrap();
    other
        .run(["bundle", "load", bundle.to_str().unwrap(), "--locked"])
        .expect(0);
    let photo = project().join("examples/photos/astronaut.jpg");
    let run = other
        .run(["apply", MODEL, photo.to_str().unwrap(), "--locked"])
        .expect(0);
    assert_eq!(run.stdout, label);
}

#[test]
fn code_goes_with_what_it_is_built_of_and_without_consent() {
    let (user, url, _, [commit, _]) = user_with_source();
    let model = format!("{url}@v1");
    user.run(["trust", "allow", &model]).expect(0);
    user.run(["download", &model]).expect(0);
    let told = user
        .run(["bundle", "save", &model, "-o", "b", "--dry-run"])
        .expect(0);
    assert!(told.stdout.starts_with("would write file://"), "{}", told.stdout);
    assert!(!user.path("b").exists());
    user.run(["bundle", "save", &model, "-o", "b"]).expect(0);

    let mut archive = tar::Archive::new(fs::File::open(user.path("b")).unwrap());
    let mut index = archive.entries().unwrap().next().unwrap().unwrap();
    let index: Value = serde_json::from_reader(&mut index).unwrap();
    let source = &index["sources"][0];
    assert_eq!(source["commit"], commit);
    let crates = source["crates"].as_array().unwrap();
    assert!(crates.iter().any(|one| one["name"] == "abi_stable"), "{index}");
    assert_eq!(source["models"][0]["name"], "test/brightness");
    let text = index.to_string();
    assert!(!text.contains(user.path("store").to_str().unwrap()), "{text}");

    let other = User::new()
        .with_empty_store()
        .with_variable("MODELZOO_OFFLINE", "1");
    let bundle = user.path("b").display().to_string();
    other.run(["bundle", "load", &bundle]).expect(0);
    let run = apply(&other, &model).expect(4);
    assert!(run.stderr.contains("modelzoo trust allow"), "{}", run.stderr);
    // Whoever is allowed by name has not said that this is his.
    let allowed = format!("[trust]\nallow = [\"{}\"]\n", url.trim_end_matches(".git"));
    let other = other.with_config(&allowed);
    apply(&other, &model).expect(4);
    other.run(["trust", "allow", &model]).expect(0);
    fs::remove_dir_all(user.path("repositories")).unwrap();
    apply(&other, &model).expect(0);
}

#[test]
fn a_folder_of_this_machine_is_no_source_for_others() {
    let user = User::new().with_empty_store();
    let folder = user.path("model");
    copy_folder(&small_model("vit_classifier"), &folder);
    let run = user.run(["bundle", "save", "./model", "-o", "b"]).expect(1);
    assert!(run.error().contains("of this machine"), "{}", run.stderr);
    assert!(run.stderr.contains("copy the folder"), "{}", run.stderr);
    commit(&folder);
    let url = format!("file://{}", folder.display());
    user.run(["bundle", "save", &url, "-o", "b"]).expect(0);
    fs::remove_dir_all(&folder).unwrap();
    let other = without_anything();
    other
        .run(["bundle", "load", user.path("b").to_str().unwrap()])
        .expect(0);
    apply(&other, &url).expect(0);
}

fn commit(folder: &Path) {
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "-m", "A model"]);
}

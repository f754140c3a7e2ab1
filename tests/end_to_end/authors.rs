//! What authors of plugins do: start a source, check it, measure it, pack it.

use crate::support::{Run, User, copy_folder, project, sample};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A copy of a sample in the user's home.
fn source(user: &User, name: &str) -> PathBuf {
    let folder = user.path(name);
    copy_folder(&sample(name), &folder);
    folder
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

fn check(user: &User, folder: &Path, more: &[&str]) -> Run {
    let arguments = [&["plugin", "check", folder.to_str().unwrap(), "--json"], more].concat();
    user.run(arguments)
}

/// The verdicts of a check by the names of what was checked.
fn verdicts(run: &Run) -> BTreeMap<String, String> {
    let checks: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    checks
        .iter()
        .map(|check| (text(check, "name"), text(check, "verdict")))
        .collect()
}

#[track_caller]
fn assert_bad(run: &Run, name: &str, detail: &str) {
    let checks: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(check["verdict"], "bad", "{check}");
    assert!(check["detail"].as_str().unwrap().contains(detail), "{check}");
    assert!(check["remedy"].is_string(), "{check}");
}

#[test]
fn a_sound_source_passes_every_check() {
    let user = User::new();
    let folder = source(&user, "brightness");
    replace(
        &folder.join("manifest.json"),
        "\"tags\"",
        "\"license\": \"MIT\", \"tags\"",
    );
    let run = check(&user, &folder, &[]).expect(0);
    let verdicts = verdicts(&run);
    assert!(
        verdicts.values().all(|verdict| verdict == "good"),
        "{}",
        run.stdout
    );
    for name in [
        "manifest.json",
        "Cargo.toml",
        "crate type",
        "API version",
        "Cargo.lock",
        "build",
        "test/brightness: weights",
        "test/brightness: load",
        "test/brightness: describe",
        "test/brightness: predict",
        "test/brightness: predict again",
        "test/brightness: predict in-process",
        "test/brightness: embed",
        "test/brightness: embed again",
        "test/brightness: embed in-process",
    ] {
        assert!(verdicts.contains_key(name), "{name} is not in {}", run.stdout);
    }
}

#[test]
fn a_new_source_passes_and_is_told_to_pin_its_crates() {
    let user = User::new();
    let folder = user.path("my-model");
    user.run(["plugin", "new", folder.to_str().unwrap()]).expect(0);
    let verdicts = verdicts(&check(&user, &folder, &[]).expect(0));
    let not_good: Vec<_> = verdicts
        .iter()
        .filter(|(_, verdict)| *verdict != "good")
        .collect();
    assert_eq!(not_good, [(&"Cargo.lock".to_owned(), &"warning".to_owned())]);
}

#[test]
fn what_keeps_users_from_building_is_found_before_anything_is_built() {
    let user = User::new();
    let folder = source(&user, "brightness");
    let manifest = folder.join("Cargo.toml");
    replace(&manifest, "crate-type = [\"cdylib\"]", "");
    replace(
        &manifest,
        "modelzoo-plugin-api = \"0.1\"",
        "modelzoo-plugin-api = \"9\"",
    );
    let run = check(&user, &folder, &[]).expect(1);
    assert_bad(&run, "crate type", "no dynamic library");
    assert_bad(&run, "API version", "needs modelzoo-plugin-api 9");
    assert!(!verdicts(&run).contains_key("build"));

    replace(&manifest, "\"9\"", "{ path = \"../api\" }");
    let run = check(&user, &folder, &[]).expect(1);
    assert_bad(&run, "API version", "../api");

    fs::remove_file(&manifest).unwrap();
    assert_bad(
        &check(&user, &folder, &[]).expect(1),
        "Cargo.toml",
        "there is none",
    );

    fs::write(folder.join("manifest.json"), "{\"models\": [{}]}").unwrap();
    assert_bad(
        &check(&user, &folder, &[]).expect(1),
        "manifest.json",
        "base_name",
    );
    check(&user, &user.path("nowhere"), &[]).expect(3);
}

#[test]
fn a_source_that_does_not_compile_shows_the_compilers_error() {
    let run = check(&User::new(), &sample("broken"), &[]).expect(5);
    assert_bad(&run, "build", "error[E");
}

#[test]
fn a_model_that_fails_says_why() {
    let user = User::new();
    let run = check(&user, &sample("misbehaving"), &["--set", "load=fail"]).expect(1);
    let checks: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let last = checks.last().unwrap();
    assert!(last["name"].as_str().unwrap().ends_with(": load"), "{last}");
    assert!(
        last["detail"]
            .as_str()
            .unwrap()
            .contains("this failed on purpose"),
        "{last}"
    );

    let black = user.path("black.png");
    image::RgbImage::new(2, 2).save(&black).unwrap();
    let more = ["--set", "black=abort", "--input", black.to_str().unwrap()];
    let run = check(&user, &sample("misbehaving"), &more).expect(1);
    assert!(run.stdout.contains("SIGABRT"), "{}", run.stdout);
}

#[test]
fn a_model_is_asked_for_what_it_says_it_can_do() {
    let user = User::new();
    let check = |model: &str| verdicts(&check(&user, &sample("capabilities"), &["-n", model]).expect(0));
    let of_clips = check("test/clips");
    assert_eq!(of_clips["test/clips: embed"], "good");
    assert_eq!(of_clips["test/clips: embed in-process"], "good");
    assert!(!of_clips.contains_key("test/clips: predict"), "{of_clips:?}");
    assert_eq!(check("test/events")["test/events: predict in-process"], "good");
    assert_eq!(check("test/prompts")["test/prompts: embed prompts"], "good");
    assert_eq!(check("test/fields")["test/fields: predict"], "warning");
}

#[test]
fn models_of_one_name_are_told_to_the_author_and_to_whoever_registers_them() {
    let user = User::new();
    let folder = source(&user, "brightness");
    let model = r#"{"base_name": "twin", "version": "1"}"#;
    fs::write(
        folder.join("manifest.json"),
        format!(r#"{{"models": [{model}, {model}, {{"base_name": "twin"}}]}}"#),
    )
    .unwrap();
    assert_bad(
        &check(&user, &folder, &[]).expect(1),
        "model names",
        "twin@1 more than once",
    );
    let run = user.run(["sources", "add", folder.to_str().unwrap()]).expect(0);
    assert!(
        run.stderr
            .contains("declares the model `twin@1` more than once; the first one counts"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_model_that_remembers_is_found_out() {
    let user = User::new();
    let folder = user.path("counter");
    user.run(["plugin", "new", folder.to_str().unwrap()]).expect(0);
    replace(
        &folder.join("src/lib.rs"),
        "Ok(Classification::new(label)",
        "static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);\n\
         let calls = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n\
         Ok(Classification::new(format!(\"{label} {calls}\"))",
    );
    let run = check(&user, &folder, &[]).expect(1);
    assert_bad(&run, "counter: predict again", "another result");
}

#[test]
fn a_bench_measures_what_it_is_asked_for() {
    let user = User::new();
    let photos = project().join("examples/photos");
    let run = user
        .run([
            "plugin",
            "bench",
            sample("brightness").to_str().unwrap(),
            photos.to_str().unwrap(),
            "--batch-sizes",
            "1,3",
            "--seconds",
            "0",
            "--json",
        ])
        .expect(0);
    let measured: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(measured["provenance"]["model"], "test/brightness");
    assert_eq!(measured["pictures"], 3);
    for (batch, size) in measured["batches"].as_array().unwrap().iter().zip([1, 3]) {
        assert_eq!(batch["batch_size"], size);
        assert_eq!(batch["rounds"], 5);
        assert!(batch["median_seconds"].as_f64().unwrap() > 0.0, "{batch}");
        assert!(batch["p90_seconds"].as_f64() >= batch["median_seconds"].as_f64());
    }
    let memory = measured["peak_memory_bytes"].as_u64().unwrap();
    assert!(memory > 1_000_000, "{memory}");
}

#[test]
fn a_packed_source_is_the_same_wherever_it_is_packed_and_can_be_used() {
    let user = User::new();
    let pack = |folder: &Path, archive: &Path| -> Value {
        let arguments = [
            "plugin",
            "pack",
            folder.to_str().unwrap(),
            "--output",
            archive.to_str().unwrap(),
            "--json",
        ];
        serde_json::from_str(&user.run(arguments).expect(0).stdout).unwrap()
    };
    let first = source(&user, "brightness");
    fs::write(first.join(".gitignore"), "*.tar.gz\nnotes\n").unwrap();
    fs::write(first.join("notes"), "not for users").unwrap();
    fs::create_dir_all(first.join("target/release")).unwrap();
    fs::write(first.join("target/release/built"), "").unwrap();
    let second = user.path("elsewhere/copy");
    copy_folder(&first, &second);
    let (one, other) = (first.join("one.tar.gz"), user.path("other.tar.gz"));
    let (facts, others) = (pack(&first, &one), pack(&second, &other));
    assert_eq!(facts["sha256"], others["sha256"]);
    assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    assert_eq!(
        facts["files"],
        serde_json::json!([
            ".gitignore",
            "Cargo.lock",
            "Cargo.toml",
            "manifest.json",
            "src/lib.rs"
        ])
    );
    // Packing again, with the archive in the folder, changes nothing.
    assert_eq!(facts, pack(&first, &one));

    let photos = project().join("examples/photos");
    let run = user
        .run(["apply", other.to_str().unwrap(), photos.to_str().unwrap()])
        .expect(0);
    assert_eq!(run.json_lines().len(), 4);
}

#[test]
fn what_cannot_be_used_is_not_packed() {
    let user = User::new();
    let folder = source(&user, "brightness");
    let path = folder.to_str().unwrap();
    let run = user.run(["plugin", "pack", path, "-o", "source.zip"]).expect(1);
    assert!(run.error().contains(".tar.gz"), "{}", run.stderr);
    let run = user.run(["plugin", "pack", path, "--dry-run"]).expect(0);
    assert!(run.stdout.contains("would pack src/lib.rs\n"), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("would write brightness-0.1.0.tar.gz\n"),
        "{}",
        run.stdout
    );
    assert!(!user.path("brightness-0.1.0.tar.gz").exists());
    fs::remove_file(folder.join("manifest.json")).unwrap();
    let run = user.run(["plugin", "pack", path]).expect(1);
    assert!(run.error().contains("manifest.json"), "{}", run.stderr);
}

//! What users get wrong: one clear line, the documented exit code, nothing half-written.

use crate::support::{self, User, plugin, project};
use std::fs;

fn photos() -> String {
    project().join("examples/photos").to_str().unwrap().to_owned()
}

/// A source with this manifest and no plugin.
fn source(user: &User, manifest: &str) -> std::path::PathBuf {
    let folder = user.path("source");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    folder
}

#[test]
fn a_missing_folder_input_or_manifest_is_not_found() {
    let user = User::new();
    let run = user.run(["apply", "./nowhere", photos().as_str()]).expect(3);
    assert!(run.error().contains("nowhere"), "{}", run.stderr);

    let run = user
        .run(["apply", plugin("nanodet").to_str().unwrap(), "./no/photos"])
        .expect(3);
    assert!(run.error().contains("no/photos"), "{}", run.stderr);

    let empty = user.path("empty");
    fs::create_dir(&empty).unwrap();
    let run = user
        .run(["apply", empty.to_str().unwrap(), photos().as_str()])
        .expect(3);
    assert!(run.error().contains("manifest.json"), "{}", run.stderr);
}

#[test]
fn a_malformed_manifest_names_line_and_column() {
    let user = User::new();
    let source = source(&user, "{\n  \"models\": [\n    {\"base_name\": 3}\n  ]\n}\n");
    let run = user.run(["info", source.to_str().unwrap()]).expect(1);
    assert!(run.error().contains("manifest.json:3:19"), "{}", run.stderr);
}

#[test]
fn an_unknown_model_gets_suggestions() {
    let user = User::new();
    let run = user
        .run(["info", plugin("nanodet").to_str().unwrap(), "-n", "nanodet-coc"])
        .expect(3);
    assert!(run.error().contains("nanodet-coc"), "{}", run.stderr);
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
}

#[test]
fn a_python_source_is_listed_but_not_loaded() {
    let user = User::new();
    let source = source(
        &user,
        r#"{"models": [{"base_name": "clip", "base_filename": "clip.pt"}]}"#,
    );
    fs::write(source.join("__init__.py"), "def load_model(): pass").unwrap();
    let run = user.run(["list", source.to_str().unwrap()]).expect(0);
    assert!(run.stdout.contains("clip"), "{}", run.stdout);
    let run = user
        .run(["apply", source.to_str().unwrap(), photos().as_str()])
        .expect(7);
    assert!(run.error().contains("Python"), "{}", run.stderr);
}

#[test]
fn missing_and_corrupt_weights_are_told() {
    let user = User::new();
    let source = user.path("source");
    support::copy_folder(&plugin("mobilenet_v2"), &source);
    let weights = source.join("weights/mobilenet_v2.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    bytes[100_000] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let photos = photos();
    let arguments = ["apply", source.to_str().unwrap(), photos.as_str()];
    let run = user.run(arguments).expect(6);
    assert!(run.error().contains("mobilenet_v2.safetensors"), "{}", run.stderr);
    fs::remove_file(&weights).unwrap();
    let run = user.run(arguments).expect(1);
    assert!(run.error().contains("mobilenet_v2.safetensors"), "{}", run.stderr);
}

#[test]
fn a_run_that_cannot_begin_writes_nothing() {
    let user = User::new();
    let output = user.path("out.jsonl");
    fs::write(&output, "what was there").unwrap();
    user.run([
        "apply",
        "./nowhere",
        photos().as_str(),
        "-o",
        output.to_str().unwrap(),
    ])
    .expect(3);
    assert_eq!(fs::read_to_string(&output).unwrap(), "what was there");
}

#[test]
fn nonsense_on_the_command_line_is_a_usage_error() {
    let user = User::new();
    for arguments in [
        vec!["apply"],
        vec!["apply", "user/repo", "photos", "--confidence-thresh", "2"],
        vec!["apply", "user/repo", "photos", "--set", "top"],
        vec!["apply", "user/repo", "photos", "--device", "tpu"],
        vec!["fly"],
    ] {
        user.run(&arguments).expect(2);
    }
    let photos = photos();
    let run = user
        .run(["apply", "user/repo@--upload-pack=x", photos.as_str()])
        .expect(2);
    assert!(run.error().contains("--upload-pack"), "{}", run.stderr);
}

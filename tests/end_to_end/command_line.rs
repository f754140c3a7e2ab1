//! What all commands share: colours, quietness, variables, dry runs; and what the program says of itself.

use crate::support::{
    Run, User,
    hub::{sha256, small_model},
    project,
    published::{git, publish},
    sample,
};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
};

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_follow_the_option_the_variables_and_the_terminal() {
    let coloured = |user: &User, arguments: &[&str]| {
        let run = user.run([&["info", "./nowhere"], arguments].concat());
        run.stderr.contains(ESCAPE)
    };
    let user = User::new();
    assert!(!coloured(&user, &[]), "standard error is no terminal here");
    assert!(coloured(&user, &["--color", "always"]));
    assert!(!coloured(&user, &["--color", "never"]));
    let user = User::new().with_variable("MODELZOO_COLOR", "always");
    assert!(coloured(&user, &[]));
    assert!(!coloured(&user, &["--color=never"]));
    let user = User::new().with_variable("NO_COLOR", "1");
    assert!(!coloured(&user, &[]));
    assert!(coloured(&user, &["--color=always"]), "what is said outright wins");

    // Help and usage errors are printed before the command line is understood.
    let user = User::new();
    assert!(user.run(["--color", "always", "--help"]).stdout.contains(ESCAPE));
    assert!(user.run(["--color=always", "lst"]).stderr.contains(ESCAPE));
    assert!(!user.run(["lst"]).stderr.contains(ESCAPE));
}

#[test]
fn messages_of_the_libraries_look_like_all_others() {
    let run = User::new().run(["doctor", "-vvv"]);
    assert!(!run.stderr.contains(ESCAPE), "{}", run.stderr);
    let user = User::new().with_variable("MODELZOO_LOG", "trace");
    let run = user
        .run(["info", sample("brightness").to_str().unwrap(), "--color=never"])
        .expect(0);
    for line in run.stderr.lines() {
        let (level, _) = line.split_once(": ").unwrap();
        assert!(["warning", "info", "debug", "trace"].contains(&level), "{line}");
    }
}

#[test]
fn quiet_leaves_nothing_but_data_and_errors() {
    let user = User::new();
    let (model, photos) = (sample("brightness"), project().join("examples/photos"));
    let arguments = [
        "apply",
        model.to_str().unwrap(),
        photos.to_str().unwrap(),
        "--quiet",
    ];
    let run = user.run(arguments).expect(0);
    assert_eq!((run.stderr.as_str(), run.json_lines().len()), ("", 4));
    let run = user.run(["--quiet", "info", "./nowhere"]).expect(3);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    user.run(["--quiet", "--verbose", "list"]).expect(2);
}

#[test]
fn variables_stand_for_options() {
    for (value, code) in [("1", 3), ("true", 3), ("yes", 3), ("0", 0), ("false", 0), ("", 0)] {
        let home = tempfile::tempdir().unwrap();
        publish(home.path());
        let url = format!("file://{}", home.path().join("acme/brightness.git").display());
        let user = User::new()
            .with_empty_store()
            .with_variable("MODELZOO_OFFLINE", value);
        let run = user.run(["list", &url]);
        assert_eq!(run.code, code, "MODELZOO_OFFLINE={value:?}: {}", run.stderr);
    }
    let user = User::new();
    let lock = user.path("locks/mine.lock");
    let user = user.with_variable("MODELZOO_LOCK", lock.to_str().unwrap());
    user.run(["lock"]).expect(0);
    assert!(lock.exists());
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let user = User::new();
    let root = user.path("repositories");
    fs::create_dir(&root).unwrap();
    publish(&root);
    let (work, repository) = (root.join("work"), root.join("acme/brightness.git"));
    // A tree that no other test has built.
    fs::write(work.join("NOTE"), root.to_str().unwrap()).unwrap();
    git(&work, &["add", "NOTE"]);
    git(&work, &["commit", "--quiet", "-m", "Add a note"]);
    git(&work, &["push", "--quiet", repository.to_str().unwrap(), "main"]);
    let url = format!("file://{}", repository.display());

    // Nothing is known of a source that is not here.
    let run = user.run(["download", &url, "--dry-run"]).expect(0);
    assert!(run.stdout.starts_with("would fetch "), "{}", run.stdout);
    let run = user.run(["sources", "add", &url, "--dry-run"]).expect(0);
    assert!(run.stdout.starts_with("would fetch "), "{}", run.stdout);
    assert_eq!(user.run(["sources", "list"]).expect(0).stdout, "");

    user.run(["sources", "add", &url]).expect(0);
    let plan = |arguments: &[&str]| -> Vec<String> {
        let run = user.run([arguments, &["--dry-run", "--json"]].concat()).expect(0);
        let plan: Value = serde_json::from_str(&run.stdout).unwrap();
        serde_json::from_value(plan["would"].clone()).unwrap()
    };
    let steps = plan(&["download", "test/brightness"]);
    assert!(steps[0].contains("modelzoo trust allow"), "{steps:?}");
    assert!(steps[1].starts_with("build the plugin of "), "{steps:?}");
    assert!(steps[2].contains("test/brightness.txt"), "{steps:?}");
    assert_eq!(plan(&["delete", "test/brightness"]), [""; 0]);
    assert_eq!(plan(&["sources", "remove", &url]).len(), 1);
    assert!(
        user.run(["sources", "list"])
            .expect(0)
            .stdout
            .contains("brightness")
    );

    user.run(["trust", "allow", &url]).expect(0);
    user.run(["download", "test/brightness"]).expect(0);
    assert_eq!(plan(&["download", "test/brightness"]), [""; 0]);
    let steps = plan(&["delete", "test/brightness"]);
    assert!(steps[0].starts_with("delete ") && steps.len() == 1, "{steps:?}");
    user.run(["find", "test/brightness"]).expect(0);
    git(
        &repository,
        &["update-ref", "refs/heads/main", "refs/heads/feature/bright"],
    );
    let run = user.run(["update", "--dry-run"]).expect(0);
    assert!(run.stdout.contains("~ model test/brightness"), "{}", run.stdout);
    assert!(run.stderr.contains("--dry-run"), "{}", run.stderr);
    let again = user.run(["update", "--dry-run"]).expect(0);
    assert_eq!(run.stdout, again.stdout);
}

/// The program, with its standard output going to `stdout`.
fn run_into(user: &User, arguments: &[&str], stdout: impl Into<Stdio>) -> Run {
    let mut command: Command = user.program();
    command.args(arguments).stdout(stdout).stderr(Stdio::piped());
    Run::of(command.spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let user = User::new();
    let (source, picture) = (
        sample("brightness"),
        project().join("examples/photos/chelsea.jpg"),
    );
    let (source, picture) = (source.to_str().unwrap(), picture.to_str().unwrap());
    // So that nothing has to be told of a build.
    user.run(["download", source, "-n", "test/brightness"]).expect(0);
    for arguments in [
        &["list", source][..],
        &["list", source, "--json"],
        &["store", "dir"],
        &["completions", "bash"],
        &["apply", source, "-n", "test/brightness", picture],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = run_into(&user, arguments, writer).expect(0);
        assert_eq!(run.stderr, "", "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = run_into(&User::new(), &["store", "dir"], full).expect(1);
    assert!(
        run.error().starts_with("standard output: cannot be written"),
        "{}",
        run.stderr
    );
}

#[test]
fn completions_know_every_command() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.run(["completions", shell]).expect(0).stdout;
        for word in ["apply", "sources", "--batch-size", "completions"] {
            assert!(
                script.contains(word) || script.contains(word.trim_start_matches('-')),
                "{shell}: {word}"
            );
        }
    }
    user.run(["completions", "csh"]).expect(2);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let user = User::new();
    let first = user.run(["man"]).expect(0).stdout;
    assert!(first.contains(".TH modelzoo 1"), "{first}");
    user.run(["man", "pages"]).expect(0);
    for page in ["modelzoo.1", "modelzoo-apply.1", "modelzoo-plugin-check.1"] {
        let text = fs::read_to_string(user.path("pages").join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn weights_of_pytorch_become_a_safetensors_file() {
    let user = User::new();
    let pickle = project().join("plugin-api/vision/tests/pickles/legacy.pth");
    let convert = |more: &[&str]| {
        user.run([&["weights", "convert", pickle.to_str().unwrap(), "--json"], more].concat())
    };
    let facts = |run: Run| -> Value { serde_json::from_str(&run.expect(0).stdout).unwrap() };
    let whole = facts(convert(&[]));
    let written = fs::read(user.path("legacy.safetensors")).unwrap();
    assert_eq!(whole["path"], "legacy.safetensors");
    assert_eq!(whole["sha256"], sha256(&written));
    assert_eq!(whole["size_bytes"], written.len());
    assert!(convert(&[]).expect(1).error().contains("is there already"));
    let half = facts(convert(&["--half", "--overwrite"]));
    assert_eq!(half["tensors"], whole["tensors"]);
    assert!(half["size_bytes"].as_u64() < whole["size_bytes"].as_u64());
    assert!(
        convert(&["-o", "weights.bin"])
            .expect(1)
            .error()
            .contains(".safetensors")
    );
    user.run(["weights", "convert", "nowhere.pth"]).expect(1);
    assert!(!user.path("nowhere.safetensors").exists());
}

#[test]
fn a_model_that_is_loaded_says_what_it_can_do() {
    let user = User::new();
    let model = small_model("clip");
    let model = model.to_str().unwrap();
    let told = user.run(["info", model]).expect(0).stdout;
    assert!(!told.contains("says"), "{told}");
    let told = user
        .run(["info", model, "--load", "--set", "classes=cat,dog"])
        .expect(0)
        .stdout;
    for words in ["says", "2 classes", "embeddings of texts"] {
        assert!(told.contains(words), "{told}");
    }
    let told = user.run(["info", model, "--load", "--json"]).expect(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["says"]["has_embeddings"], true, "{told}");
}

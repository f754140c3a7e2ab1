//! Models on a hub, Hugging Face: a repository's commit comes by Git, what its pointers stand for by HTTP.

use crate::support::{
    Run, User,
    http_server::{Answer, Seen},
    hub::{Hub, pointer, small_model},
    project,
};
use serde_json::{Value, json};
use std::fs;

const NAME: &str = "google/vit-tiny";
const MODEL: &str = "hf:google/vit-tiny";

fn photo() -> String {
    project()
        .join("examples/photos/astronaut.jpg")
        .display()
        .to_string()
}

fn apply(user: &User, model: &str) -> Run {
    user.run(["apply", model, &photo()])
}

/// One line that tells the error, with this part, and this exit code.
#[track_caller]
fn refuses(run: Run, code: i32, part: &str) {
    let run = run.expect(code);
    assert!(run.error().contains(part), "{}", run.stderr);
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
    assert!(run.stdout.is_empty(), "{}", run.stdout);
}

#[test]
fn a_model_is_fetched_once_and_runs_without_compiler_consent_or_network() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    let user = hub.user().with_variable("PATH", "/nowhere");
    let first = apply(&user, MODEL).expect(0);
    let label = first.json_lines()[0]["predictions"]["label"].clone();
    assert!(label.as_str().unwrap().starts_with("LABEL_"), "{label}");
    let asked: Vec<String> = hub.asked().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(
        asked[0].starts_with("/google/vit-tiny/resolve/") && asked[0].ends_with("/model.safetensors"),
        "{asked:?}"
    );
    let second = apply(&user, MODEL).expect(0);
    assert_eq!(second.stdout, first.stdout);
    let requests = hub.requests();
    let third = user.run(["apply", "--offline", MODEL, &photo()]).expect(0);
    assert_eq!(third.stdout, first.stdout);
    assert_eq!((hub.asked().len(), hub.requests()), (1, requests));

    user.run(["lock"]).expect(0);
    let lock = fs::read_to_string(user.path("modelzoo.lock")).unwrap();
    assert!(lock.contains("built_in = \"modelzoo-vision "), "{lock}");
    let weights = fs::read(small_model("vit_classifier").join("model.safetensors")).unwrap();
    assert!(lock.contains(&crate::support::hub::sha256(&weights)), "{lock}");
    user.run(["apply", "--locked", MODEL, &photo()]).expect(0);

    let info: Value = serde_json::from_str(&user.run(["info", MODEL, "--json"]).expect(0).stdout).unwrap();
    assert_eq!(info["name"], NAME);
    assert_eq!(info["manifest"]["license"], "apache-2.0");
    assert!(
        info["built_in"].as_str().unwrap().starts_with("modelzoo-vision "),
        "{info}"
    );
    user.run(["verify"]).expect(0);
}

#[test]
fn a_downloaded_model_is_known_by_its_name() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    let user = hub.user();
    let told = user.run(["download", MODEL, "--dry-run"]).expect(0);
    assert!(told.stdout.contains("fetch"), "{}", told.stdout);
    user.run(["info", MODEL]).expect(0);
    let told = user.run(["download", MODEL, "--dry-run"]).expect(0);
    assert!(told.stdout.contains("model.safetensors"), "{}", told.stdout);
    assert!(hub.asked().is_empty());
    let folder = user.run(["download", MODEL]).expect(0).stdout;
    assert!(fs::read_dir(folder.trim()).unwrap().count() >= 3, "{folder}");
    let listed = user.run(["list", "--downloaded", "--json"]).expect(0).stdout;
    assert!(listed.contains(NAME), "{listed}");
    apply(&user, NAME).expect(0);
    user.run(["delete", MODEL]).expect(0);
    user.run(["find", MODEL]).expect(3);
}

#[test]
fn a_download_that_was_interrupted_goes_on() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    hub.behave(|number, seen, content| {
        let answer = Answer::with_ranges(seen, content, "\"v1\"");
        match number {
            0 => answer.cut_at(10_000),
            _ => answer,
        }
    });
    let user = hub.user();
    apply(&user, MODEL).expect(0);
    let starts: Vec<_> = hub.asked().iter().map(Seen::range_start).collect();
    assert_eq!(starts, [None, Some(10_000)]);
}

#[test]
fn other_content_than_the_pointer_says_is_refused() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    hub.behave(|_, _, content| Answer::ok(vec![0; content.len()]));
    let user = hub.user();
    refuses(apply(&user, MODEL), 6, "where");
    user.run(["find", MODEL]).expect(3);
    hub.behave(|_, _, _| Answer::ok("short"));
    refuses(apply(&user, MODEL), 6, "bytes where");
}

#[test]
fn a_gated_model_wants_the_users_token() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    hub.behave(|_, seen, content| match seen.header("authorization") {
        Some("Bearer hf-secret") => Answer::ok(content),
        _ => Answer::new("401 Unauthorized", ""),
    });
    let user = hub.user().with_variable("HF_ENDPOINT", &hub.url());
    let run = apply(&user, MODEL);
    assert!(run.stderr.contains("HF_TOKEN"), "{}", run.stderr);
    refuses(run, 1, "401 Unauthorized");
    let member = user.with_variable("HF_TOKEN", "hf-secret");
    let run = apply(&member, MODEL).expect(0);
    assert!(!run.stderr.contains("hf-secret"));
}

#[test]
fn a_model_that_was_renamed_is_found() {
    let hub = Hub::with_model("new/name", "vit_classifier");
    hub.rename_from("old/name");
    apply(&hub.user(), "hf:old/name").expect(0);
}

#[test]
fn a_revision_is_a_branch_a_tag_a_commit_or_a_pull_request() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    let first = crate::support::published::git(&hub.work(), &["rev-parse", "HEAD"]);
    hub.push("HEAD:refs/tags/v1");
    hub.configure(|config| config["id2label"]["0"] = "changed".into());
    let second = hub.commit("Another name");
    hub.push("HEAD:refs/pr/1");
    hub.push("HEAD:refs/heads/fix/names");
    let user = hub.user();
    let commit = |revision: &str| {
        let run = user
            .run(["info", &format!("{MODEL}{revision}"), "--json"])
            .expect(0);
        serde_json::from_str::<Value>(&run.stdout).unwrap()["commit"].clone()
    };
    for (revision, expected) in [
        ("", &second),
        ("@main", &second),
        ("@v1", &first),
        ("@refs/pr/1", &second),
        ("@fix/names", &second),
        (&format!("@{first}"), &first),
    ] {
        assert_eq!(commit(revision), **expected, "{revision}");
    }
    let run = user.run([
        "info",
        "https://huggingface.co/google/vit-tiny/tree/refs%2Fpr%2F1",
    ]);
    run.expect(0);
    refuses(user.run(["info", &format!("{MODEL}@v2")]), 3, "v2");
    // The weights are those of the revision, one after the other.
    for revision in ["@v1", "@main", "@v1"] {
        apply(&user, &format!("{MODEL}{revision}")).expect(0);
    }
    assert_eq!(hub.asked().len(), 1, "both have the same weights");
}

#[test]
fn weights_of_pytorch_alone_are_read_without_being_run() {
    let hub = Hub::empty(NAME);
    for file in ["config.json", "preprocessor_config.json"] {
        hub.write(file, &fs::read(small_model("vit_classifier").join(file)).unwrap());
    }
    let pickle = |name: &str| {
        let path = project().join("plugin-api/vision/tests/pickles").join(name);
        fs::read(path).unwrap()
    };
    hub.write("pytorch_model.bin", &pickle("vit_classifier.bin"));
    hub.commit("Weights of PyTorch");
    let user = hub.user();
    let found = apply(&user, MODEL).expect(0).json_lines()[0]["predictions"].clone();
    let folder = small_model("vit_classifier").display().to_string();
    let expected = apply(&user, &folder).expect(0).json_lines()[0]["predictions"].clone();
    assert_eq!(
        (&found["label"], &found["confidence"]),
        (&expected["label"], &expected["confidence"])
    );
    assert!(hub.asked()[0].path.ends_with("/pytorch_model.bin"));
    // Another model's weights are read, and do not fit.
    hub.write("pytorch_model.bin", &pickle("archive.pth"));
    hub.commit("Another's weights");
    refuses(apply(&hub.user(), MODEL), 1, "there is no tensor `");
}

#[test]
fn code_of_a_repository_is_told_and_never_run() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    hub.configure(|config| config["auto_map"] = json!({ "AutoModel": "evil.Model" }));
    hub.write("evil.py", b"raise SystemExit('it was run')\n");
    hub.commit("Code");
    let run = apply(&hub.user(), MODEL).expect(0);
    assert!(
        run.stderr
            .contains("code of its own (auto_map), which is never run"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_the_user_has_denied_is_not_run_although_it_is_data() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    let user = hub.user();
    user.run(["trust", "deny", MODEL]).expect(0);
    refuses(apply(&user, MODEL), 4, "was denied");
    user.run(["trust", "revoke", MODEL]).expect(0);
    apply(&user, MODEL).expect(0);
}

#[test]
fn an_architecture_that_is_not_there_is_told_before_anything_is_downloaded() {
    let hub = Hub::with_model(NAME, "vit_classifier");
    hub.configure(|config| config["model_type"] = "vitt".into());
    hub.commit("Another architecture");
    let user = hub.user();
    let run = apply(&user, MODEL);
    assert!(
        run.stderr.contains("hint: ask for it: https://"),
        "{}",
        run.stderr
    );
    refuses(run, 7, "the nearest that are: vit");
    assert!(hub.asked().is_empty());
    hub.configure(|config| config["auto_map"] = json!({ "AutoModel": "code.Model" }));
    hub.commit("With its code");
    let run = apply(&user, MODEL);
    assert!(run.stderr.contains("which is never run"), "{}", run.stderr);
    refuses(run, 7, "vitt");
}

#[test]
fn what_is_no_model_and_what_is_not_there_are_not_found() {
    let hub = Hub::empty(NAME);
    hub.write("README.md", b"# Nothing yet\n");
    hub.commit("Nothing");
    let user = hub.user();
    refuses(
        apply(&user, MODEL),
        3,
        "neither a manifest.json nor the config.json",
    );
    refuses(
        apply(&user, "hf:google/nothing"),
        3,
        "there is no Git repository at",
    );
    refuses(
        user.run(["apply", "--offline", "hf:google/other", &photo()]),
        3,
        "the network may not be used",
    );
    refuses(apply(&user, "hf:gpt2"), 2, "gpt2");
}

#[test]
fn pointers_that_nobody_fetched_are_told_as_such() {
    let user = User::new();
    let folder = user.path("clone");
    crate::support::copy_folder(&small_model("vit_classifier"), &folder);
    fs::write(folder.join("model.safetensors"), pointer(&"a".repeat(64), 1000)).unwrap();
    let run = apply(&user, folder.to_str().unwrap());
    assert!(run.stderr.contains("git lfs pull"), "{}", run.stderr);
    refuses(run, 1, "model.safetensors is a pointer of Git LFS");
}

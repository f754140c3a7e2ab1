//! What authors of plugins do: start a source, check it, measure it, pack it.

use crate::support::{Run, User, copy_folder, plugin, project, sample};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
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

/// The same with a small picture: a model is asked a thousand times.
fn check_quickly(user: &User, folder: &Path, more: &[&str]) -> Run {
    let picture = user.path("small.png");
    let pixel = |x, y| image::Rgb([(x * 4) as u8, (y * 5) as u8, 40]);
    image::RgbImage::from_fn(64, 48, pixel).save(&picture).unwrap();
    check(
        user,
        folder,
        &[&["--input", picture.to_str().unwrap()], more].concat(),
    )
}

/// The verdicts of a check by the rules.
fn verdicts(run: &Run) -> BTreeMap<String, String> {
    let findings: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|finding| (text(finding, "rule"), text(finding, "verdict")))
        .collect()
}

/// What a check found fault with, by rule, in the order in which it was found.
fn faults(run: &Run) -> Vec<(String, String)> {
    let findings: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let is_fault = |finding: &&Value| finding["verdict"] != "good";
    findings
        .iter()
        .filter(is_fault)
        .map(|finding| (text(finding, "rule"), text(finding, "detail")))
        .collect()
}

#[track_caller]
fn assert_bad(run: &Run, rule: &str, detail: &str) {
    let findings: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let is_it = |finding: &&Value| finding["rule"] == rule && finding["verdict"] == "bad";
    let finding = findings
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{}", run.stdout));
    assert!(finding["detail"].as_str().unwrap().contains(detail), "{finding}");
    assert!(finding["remedy"].is_string(), "{finding}");
}

#[test]
fn a_sound_source_passes_every_check() {
    let user = User::new();
    let folder = source(&user, "brightness");
    fs::write(folder.join("LICENSE"), "MIT").unwrap();
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
        "manifest",
        "license-file",
        "crate",
        "crate-type",
        "api-version",
        "crate-lock",
        "build",
        "weights",
        "load",
        "describe",
        "predict",
        "labels",
        "predict-again",
        "batches",
        "picture-sizes",
        "memory-growth",
        "embed",
        "embed-again",
        "embedding-length",
        "unknown-options",
        "in-process",
        "threads",
        "reload",
    ] {
        assert!(verdicts.contains_key(name), "{name} is not in {}", run.stdout);
    }
}

#[test]
fn answers_are_compared_with_those_that_are_expected() {
    let user = User::new();
    let folder = source(&user, "given");
    let photos = folder.join("photos");
    fs::create_dir_all(&photos).unwrap();
    for (name, grey) in [("a", 10), ("b", 200)] {
        let picture = image::RgbImage::from_pixel(8, 6, image::Rgb([grey; 3]));
        picture.save(photos.join(format!("{name}.png"))).unwrap();
    }
    let mut program = user.program();
    let applied = program
        .current_dir(&folder)
        .args(["apply", ".", "photos", "-o", "expected.jsonl"]);
    assert!(applied.output().unwrap().status.success());
    replace(
        &folder.join("manifest.json"),
        "\"tags\"",
        "\"expected\": \"expected.jsonl\", \"tags\"",
    );
    let verdict = |run: &Run| verdicts(run)["expected"].clone();
    assert_eq!(verdict(&check_quickly(&user, &folder, &[]).expect(0)), "good");
    let other = user.path("other.jsonl");
    let text = fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let line = |name: &str, color: &str| text.contains(name) && text.contains(color);
    assert!(line("a.png", "#0a0a0a") && line("b.png", "#c8c8c8"), "{text}");
    let photos = format!("\"{}/", photos.display());
    fs::write(
        &other,
        text.replace("#c8c8c8", "#ffffff").replace("\"photos/", &photos),
    )
    .unwrap();
    let run = check_quickly(&user, &folder, &["--expect", other.to_str().unwrap()]).expect(1);
    assert_bad(&run, "expected", "1 of 2 answers differ");
    assert_bad(&run, "expected", "label is \"#c8c8c8\" and not \"#ffffff\"");
    let nothing = user.path("nothing.jsonl");
    fs::write(&nothing, "{\"filepath\": \"a.png\"}\n").unwrap();
    let run = check_quickly(&user, &folder, &["--expect", nothing.to_str().unwrap()]).expect(1);
    assert_bad(&run, "expected", "no answers of this model");
}

#[test]
fn the_first_party_sources_pass_every_check() {
    let user = User::new();
    for name in ["mobilenet_v2", "nanodet", "posenet", "u2netp"] {
        assert_eq!(
            faults(&check_quickly(&user, &plugin(name), &[]).expect(0)),
            [],
            "{name}"
        );
    }
}

#[test]
fn the_examples_in_c_and_cpp_pass_every_check_and_predict() {
    let user = User::new();
    for language in ["c", "cpp"] {
        let folder = user.path(language);
        copy_folder(&project().join(format!("examples/plugin_in_{language}")), &folder);
        let run = check_quickly(&user, &folder, &[]).expect(0);
        assert_eq!(faults(&run), []);
        let api = "modelzoo.h is of version 1 of the contract";
        assert!(run.stdout.contains(api), "{}", run.stdout);
        let header = folder.join("src/modelzoo.h");
        replace(
            &header,
            "#define MODELZOO_CONTRACT 1u",
            "#define MODELZOO_CONTRACT 2u",
        );
        assert_bad(
            &check(&user, &folder, &[]).expect(1),
            "api-version",
            "knows version 1",
        );
    }
}

#[test]
fn a_new_source_passes_whatever_its_task_and_cargo_works_in_it() {
    let user = User::new();
    for task in [
        "classification",
        "detection",
        "segmentation",
        "keypoints",
        "embedding",
        "heatmap",
        "video",
        "custom",
    ] {
        let folder = user.path(task);
        let path = folder.to_str().unwrap();
        user.run(["plugin", "new", path, "--task", task]).expect(0);
        let found = faults(&check_quickly(&user, &folder, &[]).expect(0));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "crate-lock");
    }
    let folder = user.path("detection");
    user.run(["plugin", "dev", folder.to_str().unwrap()]).expect(0);
    assert_eq!(faults(&check_quickly(&user, &folder, &[]).expect(0)), []);
    for arguments in [&["test", "--quiet", "--locked"][..], &["fmt", "--check"]] {
        let mut cargo = user.as_user(Command::new("cargo"));
        let tested = cargo.args(arguments).current_dir(&folder).output().unwrap();
        assert!(
            tested.status.success(),
            "{}",
            String::from_utf8_lossy(&tested.stderr)
        );
    }
    let packed = user
        .run(["plugin", "pack", folder.to_str().unwrap(), "--dry-run"])
        .expect(0);
    assert!(!packed.stdout.contains(".modelzoo"), "{}", packed.stdout);
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
    assert_bad(&run, "crate-type", "no dynamic library");
    assert_bad(&run, "api-version", "needs modelzoo-plugin-api 9");
    assert!(!verdicts(&run).contains_key("build"));

    replace(&manifest, "\"9\"", "{ path = \"../api\" }");
    let run = check(&user, &folder, &[]).expect(1);
    assert_bad(&run, "api-version", "../api");

    fs::remove_file(&manifest).unwrap();
    assert_bad(
        &check(&user, &folder, &[]).expect(1),
        "crate",
        "there is no Cargo.toml",
    );

    fs::write(folder.join("manifest.json"), "{\"models\": [{}]}").unwrap();
    assert_bad(&check(&user, &folder, &[]).expect(1), "manifest", "base_name");
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
    assert_eq!(last["rule"], "load", "{last}");
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
    assert_eq!(of_clips["embed"], "good");
    assert_eq!(of_clips["in-process"], "good");
    assert!(!of_clips.contains_key("predict"), "{of_clips:?}");
    assert_eq!(check("test/events")["in-process"], "good");
    assert_eq!(check("test/prompts")["embed-prompts"], "good");
    assert_eq!(check("test/fields")["predict"], "warning");
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
        "model-names",
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
        &folder.join("src/model.rs"),
        "    Classification::new(label)",
        "    static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);\n\
         let calls = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n\
         Classification::new(format!(\"{label} {calls}\"))",
    );
    let run = check(&user, &folder, &[]).expect(1);
    assert_bad(&run, "predict-again", "another result");
}

/// A source without a fault but for the one that it is asked to have.
fn faulty(user: &User) -> PathBuf {
    let folder = source(user, "faulty");
    fs::write(folder.join("LICENSE"), "Apache").unwrap();
    folder
}

#[test]
fn every_planted_fault_of_a_model_is_found_and_no_other() {
    let user = User::new();
    let folder = faulty(&user);
    let check = |more: &[&str]| {
        let found = faults(&check_quickly(&user, &folder, more));
        found.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(check(&[]), [""; 0]);
    for (fault, rules) in [
        ("unknown_options", &["unknown-options"][..]),
        ("percent", &["labels"]),
        ("not_a_number", &["labels", "predict-again"]),
        ("pixels", &["labels"]),
        ("unknown_class", &["labels"]),
        ("remembers", &["predict-again", "batches"]),
        ("reversed", &["batches"]),
        ("normalises_batch", &["batches"]),
        ("panics_at_one_pixel", &["picture-sizes"]),
        ("crashes_at_large_pictures", &["picture-sizes"]),
        ("leaks", &["memory-growth"]),
        ("embedding_of_width", &["embedding-length"]),
        ("infinite_embedding", &["embed"]),
        ("random_embedding", &["embed-again"]),
        ("shares_state", &["threads"]),
        ("differs_when_reloaded", &["reload"]),
        ("reads_the_environment", &["in-process"]),
    ] {
        assert_eq!(check(&["--set", &format!("fault={fault}")]), rules, "{fault}");
    }
}

#[test]
fn every_planted_fault_of_a_source_is_found_and_no_other() {
    let user = User::new();
    for (rule, file, from, to) in [
        (
            "manifest-fields",
            "manifest.json",
            "\"tags\"",
            "\"tagz\": [], \"tags\"",
        ),
        ("model-license", "manifest.json", "Apache-2.0", "Apache 2"),
        ("model-date", "manifest.json", "2026-11-29", "2026-11-31"),
        (
            "model-urls",
            "manifest.json",
            "\"tags\"",
            "\"url\": \"my page\", \"tags\"",
        ),
        ("model-facts", "manifest.json", "\"description\"", "\"note\""),
        (
            "weights-digest",
            "manifest.json",
            "\"tags\"",
            "\"manager\": {\"type\": \"modelzoo.ModelManager\", \"config\": {\"file\": \"LICENSE\", \"url\": \
             \"https://example.com/LICENSE\"}}, \"base_filename\": \"faulty\", \"tags\"",
        ),
        (
            "weights-size",
            "manifest.json",
            "\"tags\"",
            "\"manager\": {\"type\": \"modelzoo.ModelManager\", \"config\": {\"file\": \"LICENSE\"}}, \
             \"base_filename\": \"faulty\", \"size_bytes\": 7, \"tags\"",
        ),
        (
            "artifacts-key",
            "manifest.json",
            "\"models\"",
            "\"artifacts\": {\"key\": \"untrusted comment\"}, \"models\"",
        ),
        (
            "artifacts-url",
            "manifest.json",
            "\"models\"",
            "\"artifacts\": {\"key\": \"RWT2+7uwVniYQSBQnn2mICDQ+WuSxhwuOevsNkFcXBYbVJSDuXZi2X4F\", \"url\": \
             \"https://example.com/{version}/{target}.tar.gz\"}, \"models\"",
        ),
        (
            "artifacts-builds",
            "manifest.json",
            "\"models\"",
            "\"artifacts\": {}, \"models\"",
        ),
        ("crate-type", "Cargo.toml", "[\"cdylib\"]", "[\"rlib\"]"),
        ("api-version", "Cargo.toml", "= \"0.1\"", "= \"7\""),
        ("crate", "Cargo.toml", "[package]", "[package"),
        ("license-file", "LICENSE", "Apache", ""),
        ("crate-lock", "Cargo.lock", "version", ""),
    ] {
        let folder = faulty(&user);
        if to.is_empty() {
            fs::remove_file(folder.join(file)).unwrap();
        } else {
            replace(&folder.join(file), from, to);
        }
        let run = check_quickly(&user, &folder, &[]);
        let found: Vec<String> = faults(&run).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(found, [rule], "{}", run.stdout);
        fs::remove_dir_all(&folder).unwrap();
    }
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
    assert_eq!(facts["source_tree_hash"], others["source_tree_hash"]);
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
fn a_new_dependency_gets_into_the_lock_before_anything_is_built() {
    let user = User::new();
    let folder = user.path("bright");
    user.run(["plugin", "new", "bright"]).expect(0);
    let dev = || user.run(["plugin", "dev", "bright"]).expect(0);
    let locked = || fs::read_to_string(folder.join("Cargo.lock")).unwrap();
    dev();
    let before = locked();
    assert!(!before.contains("name = \"candle-core\""), "{before}");
    let dependency = "modelzoo-candle = \"0.1\"";
    replace(
        &folder.join("Cargo.toml"),
        "[dependencies]",
        &format!("[dependencies]\n{dependency}"),
    );
    dev();
    let after = locked();
    assert!(after.contains("name = \"candle-core\""), "{after}");
    dev();
    assert_eq!(locked(), after);
}

#[test]
fn a_manifest_of_the_crate_that_is_broken_is_told_where() {
    let user = User::new();
    let folder = source(&user, "brightness");
    let manifest = folder.join("Cargo.toml");
    fs::remove_file(folder.join("Cargo.lock")).unwrap();
    let sound = fs::read_to_string(&manifest).unwrap();
    let dev = || user.run(["plugin", "dev", folder.to_str().unwrap()]).expect(1);
    fs::write(&manifest, format!("{sound}\n[dependencies.odd\n")).unwrap();
    let line = sound.lines().count() + 2;
    let run = dev();
    assert!(
        run.error().contains(&format!("Cargo.toml:{line}: ")),
        "{}",
        run.stderr
    );
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    fs::write(
        &manifest,
        sound.replace("edition = \"2024\"", "edition = \"1999\""),
    )
    .unwrap();
    let run = dev();
    assert!(run.error().contains("edition"), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
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

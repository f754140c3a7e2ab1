//! Plugins that misbehave, and plugins that are none: each is one clear line and its own exit code.

use crate::support::{self, User, copy_folder, published::git, sample};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// A folder with a black picture between white ones, as 1 x 1 PNM files would be, but in a format that is read.
fn pictures(user: &User) -> PathBuf {
    let folder = user.path("pictures");
    fs::create_dir_all(&folder).unwrap();
    for (name, grey) in [("a", 200u8), ("b", 0), ("c", 100), ("d", 50)] {
        let picture = image::RgbImage::from_pixel(2, 2, image::Rgb([grey; 3]));
        picture.save(folder.join(format!("{name}.png"))).unwrap();
    }
    folder
}

fn apply(user: &User, settings: &[&str], isolation: &str) -> support::Run {
    let (plugin, pictures) = (sample("misbehaving"), pictures(user));
    let mut arguments = vec![
        "apply",
        plugin.to_str().unwrap(),
        pictures.to_str().unwrap(),
        "--isolation",
        isolation,
    ];
    settings
        .iter()
        .for_each(|setting| arguments.extend(["--set", setting]));
    user.run(arguments)
}

/// All but the black picture have their value; the black one has an error that says `reason`.
#[track_caller]
fn only_the_black_picture_failed(run: &support::Run, reason: &str) {
    let records = run.json_lines();
    let values: Vec<&Value> = records
        .iter()
        .map(|record| &record["predictions"]["value"])
        .collect();
    assert_eq!(
        values,
        [
            &Value::from(200.0),
            &Value::Null,
            &Value::from(100.0),
            &Value::from(50.0)
        ],
        "{}",
        run.stdout
    );
    let error = records[1]["error"].as_str().unwrap();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn a_panic_in_predict_costs_one_picture() {
    for isolation in ["process", "none"] {
        let run = apply(&User::new(), &["black=panic"], isolation).expect(8);
        only_the_black_picture_failed(&run, "this panicked on purpose");
    }
}

#[test]
fn a_worker_that_aborts_crashes_or_exits_costs_one_picture() {
    for (deed, reason) in [("abort", "SIGABRT"), ("crash", "SIGSEGV"), ("exit", "7")] {
        let run = apply(&User::new(), &[&format!("black={deed}")], "process").expect(8);
        only_the_black_picture_failed(&run, reason);
    }
}

#[test]
fn a_plugin_that_fails_to_load_says_so_in_one_line() {
    for (deed, reason) in [
        ("fail", "this failed on purpose"),
        ("panic", "this panicked on purpose"),
        ("abort", "SIGABRT"),
    ] {
        let run = apply(&User::new(), &[&format!("load={deed}")], "process").expect(1);
        assert!(run.error().contains(reason), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_plugin_that_hangs_costs_its_time_and_one_picture() {
    let user = User::new();
    let (plugin, pictures) = (sample("misbehaving"), pictures(&user));
    let arguments = ["apply", plugin.to_str().unwrap(), pictures.to_str().unwrap()];
    let failures = user.path("failures.jsonl");
    let more = [
        "--set",
        "black=hang",
        "--stall-timeout",
        "1",
        "--failures",
        failures.to_str().unwrap(),
    ];
    let run = user.run([&arguments[..], &more].concat()).expect(8);
    only_the_black_picture_failed(&run, "the plugin gave no sign of life for 1 s and was ended");
    assert!(
        run.stderr
            .contains("hint: if it only needs more time: `--stall-timeout SECONDS`"),
        "{}",
        run.stderr
    );
    let failure: Value = serde_json::from_str(&fs::read_to_string(&failures).unwrap()).unwrap();
    assert!(
        failure["hint"]
            .as_str()
            .unwrap()
            .contains("--stall-timeout SECONDS"),
        "{failure}"
    );

    let user = user.with_variable("MODELZOO_PLUGIN_STALL_TIMEOUT_SECONDS", "1");
    let run = user
        .run([&arguments[..], &["--set", "load=hang"]].concat())
        .expect(1);
    assert!(run.stderr.contains("no sign of life for 1 s"), "{}", run.stderr);
    assert!(
        run.stderr.contains("hint: if it only needs more time"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");

    let run = user
        .run([&arguments[..], &["--isolation", "none", "--stall-timeout", "1"]].concat())
        .expect(2);
    assert!(run.error().contains("--isolation none"), "{}", run.stderr);
}

#[test]
fn an_option_that_does_not_exist_is_named() {
    let run = apply(&User::new(), &["blakc=panic"], "process").expect(2);
    assert!(run.error().contains("blakc"), "{}", run.stderr);
}

#[test]
fn a_crate_that_does_not_compile_shows_the_compilers_error() {
    let user = User::new();
    let run = user
        .run([
            "apply".as_ref(),
            sample("broken").as_os_str(),
            pictures(&user).as_os_str(),
        ])
        .expect(5);
    assert!(run.stderr.contains("error[E"), "{}", run.stderr);
}

#[test]
fn libraries_that_do_not_fit_are_refused() {
    for name in ["not_a_plugin", "foreign_abi", "foreign_contract"] {
        let user = User::new();
        let run = user
            .run([
                "apply".as_ref(),
                sample(name).as_os_str(),
                pictures(&user).as_os_str(),
            ])
            .expect(7);
        assert!(run.error().len() < 400, "{name}: {}", run.stderr);
    }
}

#[test]
fn a_damaged_artifact_is_never_opened() {
    let user = User::new().with_empty_store();
    let source = user.path("source");
    copy_folder(&sample("brightness"), &source);
    let arguments = [
        "apply".into(),
        source.into_os_string(),
        pictures(&user).into_os_string(),
    ];
    user.run(&arguments).expect(0);
    let library = walkdir::WalkDir::new(user.path("store/artifacts"))
        .into_iter()
        .flatten()
        .find(|entry| {
            entry.file_type().is_file()
                && entry.file_name() != "artifact.json"
                && entry.metadata().unwrap().len() > 10_000
        })
        .unwrap();
    let mut content = fs::read(library.path()).unwrap();
    fs::remove_file(library.path()).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(library.path(), &content).unwrap();
    let run = user.run(&arguments).expect(6);
    assert!(run.error().contains("SHA-256"), "{}", run.stderr);

    // One that is cut off shows at a glance, counts as absent and is built again.
    fs::write(library.path(), &content[..middle]).unwrap();
    user.run(&arguments).expect(0);
}

#[test]
fn a_new_source_works_as_it_is() {
    let user = User::new();
    let folder = user.path("my-model");
    user.run(["plugin".as_ref(), "new".as_ref(), folder.as_os_str()])
        .expect(0);
    let run = user
        .run(["apply".as_ref(), folder.as_os_str(), pictures(&user).as_os_str()])
        .expect(0);
    let labels: Vec<Value> = run
        .json_lines()
        .iter()
        .map(|record| record["predictions"]["label"].clone())
        .collect();
    assert_eq!(labels, ["bright", "dark", "dark", "dark"]);

    let run = user
        .run(["plugin".as_ref(), "new".as_ref(), folder.as_os_str()])
        .expect(1);
    assert!(run.error().contains("is there already"), "{}", run.stderr);
    user.run(["plugin", "new", "./3d"]).expect(1);
}

/// Neither has a lock file, so nothing but their folders tells them apart.
#[test]
fn the_sources_of_one_repository_are_plugins_of_their_own() {
    let user = User::new();
    let repository = user.path("repository");
    for name in ["brightness", "given"] {
        copy_folder(&sample(name), &repository.join(name));
        fs::remove_file(repository.join(name).join("Cargo.lock")).unwrap();
    }
    git(&repository, &["init", "--quiet"]);
    git(&repository, &["add", "--all"]);
    git(&repository, &["commit", "--quiet", "-m", "Two sources"]);
    let url = format!("file://{}", repository.display());
    let library = |name: &str| {
        let source = format!("{url}//{name}");
        user.run(["trust", "allow", &source]).expect(0);
        user.run(["download", &source]).expect(0);
        let run = user.run(["info", &source, "--json"]).expect(0);
        let info: Value = serde_json::from_str(&run.stdout).unwrap();
        info["built"]["sha256"].clone()
    };
    let (first, second) = (library("brightness"), library("given"));
    assert!(first.is_string() && second.is_string(), "{first} {second}");
    assert_ne!(first, second);
}

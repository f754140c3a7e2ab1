//! Sources are built once, and what cannot be built says why.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_base::{
    Sha256Digest,
    error::Diagnose as _,
    progress::{Event, NoObserver},
};
use modelzoo_runtime::{Artifact, BuildError, Builder};
use std::{fs, path::Path, sync::Mutex};
use support::{build, builder, request, sample};
use tempfile::TempDir;

/// A source with these files.
fn source(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

const MANIFEST: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
const LIBRARY: &str = "[lib]\ncrate-type = [\"cdylib\"]\n";
const CODE: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn answer() -> i32 {\n    42\n}\n";

fn tiny(more: &str) -> TempDir {
    source(&[
        ("Cargo.toml", &format!("{MANIFEST}{LIBRARY}{more}")),
        ("src/lib.rs", CODE),
    ])
}

#[test]
fn crates_that_came_with_a_source_stand_for_those_of_the_network() {
    let name = "modelzoo-made-up-for-a-test";
    let checksum = "a".repeat(64);
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n\n\
         [[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\ndependencies = [\n \"{name}\",\n]\n"
    );
    let folder = source(&[
        (
            "Cargo.toml",
            &format!("{MANIFEST}{LIBRARY}[dependencies]\n{name} = \"1\"\n"),
        ),
        ("Cargo.lock", &lock),
        (
            "src/lib.rs",
            "#[unsafe(no_mangle)]\npub extern \"C\" fn answer() -> i32 {\n    modelzoo_made_up_for_a_test::ANSWER\n}\n",
        ),
    ]);
    let crates = |checksum: &str| {
        let sums = format!("{{\"files\": {{}}, \"package\": \"{checksum}\"}}");
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
        source(&[
            ("one/Cargo.toml", &manifest),
            ("one/.cargo-checksum.json", &sums),
            ("one/src/lib.rs", "pub const ANSWER: i32 = 42;\n"),
        ])
    };
    let work = tempfile::tempdir().unwrap();
    let builder = Builder::new(work.path().join("build"), work.path().join("artifacts"))
        .with_guard_program(support::worker_program());
    let mut request = request(folder.path());
    request.is_offline = true;
    let error = builder.build(&request, &NoObserver).unwrap_err();
    assert!(matches!(error, BuildError::Fetch { .. }), "{error}");
    // Another one than the source pins.
    let others = crates(&"b".repeat(64));
    request.crates = vec![others.path().join("one")];
    let error = builder.build(&request, &NoObserver).unwrap_err();
    assert!(
        matches!(&error, BuildError::Fetch { reason, .. } if reason.contains("checksum")),
        "{error}"
    );
    let right = crates(&checksum);
    request.crates = vec![right.path().join("one")];
    assert!(builder.build(&request, &NoObserver).unwrap().is_new);
}

#[test]
fn a_source_is_built_once_and_nothing_is_written_into_it() {
    let (folder, work) = (tiny(""), tempfile::tempdir().unwrap());
    let builder = Builder::new(work.path().join("build"), work.path().join("artifacts"))
        .with_guard_program(support::worker_program());
    let mut request = request(folder.path());
    request.commit = Some("c0ffee".to_owned());
    assert_eq!(builder.find(&request).unwrap(), None);
    let steps = Mutex::new(Vec::new());
    let remember = |event: Event<'_>| steps.lock().unwrap().push(format!("{event:?}"));
    let built = builder.build(&request, &remember).unwrap();
    assert!(built.is_new);
    assert_eq!(
        *steps.lock().unwrap(),
        ["FetchingCrates", "Building { name: \"tiny\", done: 1, total: 1 }"]
    );
    assert_eq!(built.artifact, Artifact::of_file(&built.artifact.path).unwrap());
    assert_eq!(built.record.commit.as_deref(), Some("c0ffee"));
    assert!(!folder.path().join("Cargo.lock").exists() && !folder.path().join("target").exists());

    let found = builder
        .build(&request, &|event: Event<'_>| panic!("{event:?}"))
        .unwrap();
    assert!(!found.is_new);
    assert_eq!((&found.artifact, &found.record), (&built.artifact, &built.record));
    assert_eq!(builder.find(&request).unwrap(), Some(found));
}

/// The same source, elsewhere and under another name.
fn moved(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-rT")
        .args([from, folder.path()])
        .status();
    assert!(copied.unwrap().success());
    folder
}

#[test]
fn a_plugin_is_the_same_wherever_it_is_built() {
    let bright = sample("brightness");
    let folder = moved(&bright);
    let work = tempfile::tempdir().unwrap();
    let elsewhere = work.path().join("a/folder with a longer name");
    let elsewhere = Builder::new(elsewhere.join("build"), elsewhere.join("artifacts"))
        .with_guard_program(support::worker_program());
    let [here, there] =
        [(builder(), bright.as_path()), (elsewhere, folder.path())].map(|(builder, source)| {
            let mut request = request(source);
            request.is_portable = true;
            builder.build(&request, &NoObserver).unwrap()
        });
    assert_ne!(here.artifact.path, there.artifact.path);
    assert_eq!(here.artifact.sha256, there.artifact.sha256);
    // Messages of panics go on naming files, and no folder of this machine.
    let library = fs::read(&here.artifact.path).unwrap();
    let has = |text: &str| library.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("/crates/abi_stable-") && has("/sdk/"));
    let home = std::env::home_dir().unwrap();
    for folder in [
        Path::new(env!("CARGO_TARGET_TMPDIR")),
        &bright,
        &home.join(".cargo"),
    ] {
        assert!(!has(folder.to_str().unwrap()), "{}", folder.display());
    }
}

#[test]
#[cfg(unix)]
fn a_read_only_source_can_be_built() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tiny("");
    fs::write(folder.path().join("Cargo.lock"), "version = 4\n").unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "src/lib.rs"] {
        fs::set_permissions(folder.path().join(file), PermissionsExt::from_mode(0o444)).unwrap();
    }
    assert!(build(folder.path()).unwrap().is_new);
}

#[test]
fn crates_are_counted_while_they_are_compiled() {
    let mut request = request(&sample("brightness"));
    request.identity = "counted".to_owned();
    request.source_hash += &std::process::id().to_string();
    let counts = Mutex::new(Vec::new());
    let built = builder().build(&request, &|event: Event<'_>| {
        if let Event::Building { done, total, .. } = event {
            counts.lock().unwrap().push((done, total));
        }
    });
    assert!(built.unwrap().is_new);
    let counts = counts.into_inner().unwrap();
    let &(done, total) = counts.last().unwrap();
    // The total counts some crates that only other features would need.
    assert!(
        total > 20 && done <= total && done * 10 >= total * 9,
        "{counts:?}"
    );
    assert!(counts.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{counts:?}");
}

#[test]
fn what_the_sdk_consists_of_is_compiled_once_for_all_sources() {
    build(&sample("brightness")).unwrap();
    let mut request = request(&sample("brightness"));
    request.identity = "another".to_owned();
    request.source_hash += &format!("another {}", std::process::id());
    request.commit = Some("c0ffee".to_owned());
    let built = builder().build(&request, &NoObserver).unwrap();
    assert!(built.is_new);
    let builds = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build");
    let log = builds.join("logs").join(format!("{}.log", built.record.key));
    let said = fs::read_to_string(log).unwrap();
    assert_eq!(said.matches("Compiling").count(), 1, "{said}");
    // Nothing is left of the build of a commit that its next one could find.
    let id = &Sha256Digest::of("another").to_string()[..16];
    assert!(!builds.join("target").join(id).exists());
}

#[test]
fn what_a_library_shows_and_needs_is_noted_and_where_it_looks_for_libraries_refused() {
    let folder = tiny("");
    let linkage = build(folder.path()).unwrap().record.linkage;
    assert!(linkage.exports.contains(&"answer".to_owned()), "{linkage:?}");
    assert!(
        !linkage.needs.is_empty() && linkage.unknown().count() == 0,
        "{linkage:?}"
    );
    let script = "fn main() { println!(\"cargo::rustc-link-arg=-Wl,-rpath,/tmp/libraries\"); }";
    fs::write(folder.path().join("build.rs"), script).unwrap();
    let error = build(folder.path()).unwrap_err();
    assert!(
        matches!(&error, BuildError::RunPath { folder, .. } if folder == "/tmp/libraries"),
        "{error}"
    );
}

#[test]
fn crates_from_git_are_pinned_by_the_source() {
    let (folder, other) = (tiny(""), tiny(""));
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command
            .current_dir(other.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        assert!(command.args(arguments).output().unwrap().status.success());
    };
    let manifest = MANIFEST.replace("tiny", "fetched");
    fs::write(other.path().join("Cargo.toml"), &manifest).unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    let dependency = format!(
        "[dependencies]\nfetched = {{ git = \"file://{}\" }}\n",
        other.path().display()
    );
    fs::write(
        folder.path().join("Cargo.toml"),
        format!("{MANIFEST}{LIBRARY}{dependency}"),
    )
    .unwrap();
    let error = build(folder.path()).unwrap_err();
    assert!(
        matches!(&error, BuildError::UnpinnedGit { name, .. } if name == "fetched"),
        "{error}"
    );
    let locked = std::process::Command::new("cargo")
        .arg("generate-lockfile")
        .current_dir(folder.path())
        .output();
    assert!(locked.unwrap().status.success());
    assert!(build(folder.path()).unwrap().is_new);
}

#[test]
fn the_compilers_own_error_is_shown() {
    let error = build(&sample("broken")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("error[E0308]: mismatched types") && text.contains("src/lib.rs:4"),
        "{text}"
    );
    let BuildError::Compile { name, log, .. } = error else {
        panic!("{text}")
    };
    assert_eq!(name, "broken");
    assert!(fs::read_to_string(log).unwrap().contains("E0308"));
}

#[test]
fn sources_without_a_plugin_crate_say_so() {
    let python = source(&[("__init__.py", "def load_model(): pass"), ("manifest.json", "{}")]);
    let error = build(python.path()).unwrap_err();
    assert!(error.to_string().contains("Python"), "{error}");
    let nothing = source(&[("manifest.json", "{}")]);
    let error = build(nothing.path()).unwrap_err();
    assert!(
        matches!(error, BuildError::NoCrate { is_python: false, .. }),
        "{error}"
    );

    let program = source(&[("Cargo.toml", MANIFEST), ("src/lib.rs", CODE)]);
    let error = build(program.path()).unwrap_err();
    assert!(matches!(error, BuildError::NoLibrary { .. }), "{error}");
    assert!(error.next_step().unwrap().to_string().contains("cdylib"));

    let malformed = source(&[("Cargo.toml", "[package\nname = 1"), ("src/lib.rs", CODE)]);
    let error = build(malformed.path()).unwrap_err();
    assert!(matches!(error, BuildError::Manifest { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&malformed.path().display().to_string()), "{text}");
    assert!(text.contains("--> Cargo.toml:1:9"), "{text}");
}

#[test]
fn what_points_out_of_the_source_is_refused() {
    for dependencies in [
        "[dependencies]\nbeside = { path = \"../beside\" }\n",
        "[dependencies]\nroot = { path = \"/usr/src/root\" }\n",
    ] {
        let folder = tiny(dependencies);
        let error = build(folder.path()).unwrap_err();
        assert!(matches!(error, BuildError::PointsOutside { .. }), "{error}");
    }
    let inside = tiny("[dependencies]\ninner = { path = \"inner\" }\n");
    fs::create_dir_all(inside.path().join("inner/src")).unwrap();
    fs::write(
        inside.path().join("inner/Cargo.toml"),
        MANIFEST.replace("tiny", "inner"),
    )
    .unwrap();
    fs::write(inside.path().join("inner/src/lib.rs"), "").unwrap();
    assert!(build(inside.path()).unwrap().is_new);
}

#[test]
fn features_are_passed_on_and_unknown_ones_told() {
    let folder = tiny("[features]\ncuda = []\n");
    fs::write(
        folder.path().join("src/lib.rs"),
        "#[cfg(not(feature = \"cuda\"))]\ncompile_error!(\"cuda is off\");",
    )
    .unwrap();
    let with = |feature: &str| {
        let mut request = request(folder.path());
        request.features = vec![feature.to_owned()];
        builder().build(&request, &NoObserver)
    };
    assert_eq!(with("cuda").unwrap().record.features, ["cuda"]);
    let error = with("metal").unwrap_err();
    assert!(error.to_string().contains("it has cuda"), "{error}");
    let error = build(folder.path()).unwrap_err();
    assert!(error.to_string().contains("cuda is off"), "{error}");
}

#[test]
fn the_sources_own_cargo_settings_have_no_effect() {
    let folder = tiny("[profile.release]\npanic = \"abort\"\nopt-level = 0\n");
    let code = "#[cfg(panic = \"abort\")]\ncompile_error!(\"panics abort\");\n\
                #[cfg(debug_assertions)]\ncompile_error!(\"assertions are on\");\n";
    fs::write(folder.path().join("src/lib.rs"), code).unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write(
        ".cargo/config.toml",
        "[build]\nrustc = \"/bin/false\"\n[profile.release]\ndebug-assertions = true\n",
    );
    write(
        "rust-toolchain.toml",
        "[toolchain]\nchannel = \"nightly-2001-01-01\"\n",
    );
    assert!(build(folder.path()).unwrap().is_new);
}

#[test]
fn secrets_do_not_reach_build_scripts() {
    let folder = tiny("");
    let script = "fn main() {\n    for (name, value) in std::env::vars() {\n        \
                  assert!(!value.contains(\"s3cret\"), \"{name} is there\");\n    }\n    \
                  assert!(std::env::var_os(\"HOME\").is_some());\n}\n";
    fs::write(folder.path().join("build.rs"), script).unwrap();
    // SAFETY: no other test reads or writes this variable.
    unsafe { std::env::set_var("GITHUB_TOKEN", "s3cret") };
    assert!(build(folder.path()).unwrap().is_new);
}

#[test]
fn a_crate_that_cannot_be_had_is_told_of() {
    let folder = tiny("[dependencies]\nserde = \"=1.0.99999\"\n");
    let mut request = request(folder.path());
    request.is_offline = true;
    let error = builder().build(&request, &NoObserver).unwrap_err();
    assert!(matches!(error, BuildError::Fetch { .. }), "{error}");
    assert!(error.to_string().contains("serde"), "{error}");
}

#[test]
fn the_pins_of_a_source_stay_and_the_sdk_is_the_hosts() {
    let source = sample("brightness");
    let lock = fs::read_to_string(source.join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"serde\""));
    let built = build(&source).unwrap();
    assert_eq!(built.record.sdk_sha256.len(), 64);
    assert_ne!(built.record.lock_sha256, built.record.sdk_sha256);
    assert!(Path::new(&built.record.source).ends_with("brightness"));
}

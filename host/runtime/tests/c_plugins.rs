//! Plugins that are written in C and C++: what they say arrives, and what they get wrong is told in one line.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_base::error::{Diagnose as _, ErrorClass};
use modelzoo_plugin_api::{ErrorKind, Image, LoadOptions, LogLevel, PredictOptions};
use modelzoo_runtime::{Artifact, HostServices, Isolation, LibraryError, RuntimeError};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use support::{Picture, load, runner, runner_with};

const BOTH: [Isolation; 2] = [Isolation::Process, Isolation::None];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compiles a source in C or C++ to a library, with these definitions.
fn compile(source: &Path, name: &str, defines: &[&str]) -> Artifact {
    // Tests run beside each other, and a library that is in use must not change.
    static COMPILED: AtomicUsize = AtomicUsize::new(0);
    let number = COMPILED.fetch_add(1, Ordering::Relaxed);
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lib{name}-{number}.so"));
    let is_cpp = source.extension().is_some_and(|ending| ending == "cpp");
    let output = Command::new(if is_cpp { "c++" } else { "cc" })
        .args(if is_cpp { ["-std=c++11"] } else { ["-std=c99"] })
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-shared",
            "-fPIC",
            "-I",
        ])
        .arg(project().join("plugin-api/include"))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg(source)
        .arg("-o")
        .arg(&library)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Artifact::of_file(&library).unwrap()
}

/// An example, whose own entry its crate would export under the name of the contract.
fn example(language: &str, file: &str, entry: &str) -> Artifact {
    let source = project().join(format!("examples/plugin_in_{language}/src/{file}"));
    compile(
        &source,
        &format!("example-{language}"),
        &[&format!("{entry}=modelzoo_plugin")],
    )
}

#[test]
fn a_plugin_in_c_predicts_and_embeds() {
    let artifact = example("c", "brightness.c", "brightness_plugin");
    for isolation in BOTH {
        let model = load(&runner(artifact.clone(), isolation), json!({"threshold": 0.25})).unwrap();
        assert_eq!(model.plugin().api_version, "C 1");
        assert_eq!(model.info().classes, ["dark", "bright"]);
        let pictures = [51, 255].map(|grey| Picture::grey(5, 3, grey));
        let images: Vec<Image<'_>> = pictures.iter().map(Picture::image).collect();
        let outputs = model.predict(&images, &PredictOptions::default()).unwrap();
        let outputs: Vec<_> = outputs.into_iter().map(Result::unwrap).collect();
        let class = |label: &str, confidence: f64| json!({"label": {"_cls": "Classification", "label": label, "confidence": confidence}});
        assert_eq!(json!(outputs), json!([class("dark", 0.9), class("bright", 1.0)]));
        let embeddings = model.embed(&images).unwrap();
        for (embedding, expected) in embeddings.into_iter().zip([0.2f32, 1.0]) {
            assert_eq!(embedding.unwrap().as_f32(), Some(&[expected; 3][..]));
        }
        let error = model
            .embed_prompts(&["cat".to_owned()])
            .unwrap()
            .remove(0)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}

#[test]
fn a_plugin_in_c_refuses_options_and_downloads_nothing() {
    let artifact = example("c", "brightness.c", "brightness_plugin");
    for isolation in BOTH {
        let runner = runner(artifact.clone(), isolation);
        let error = load(&runner, json!({"treshold": 1})).map(drop).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Usage);
        assert!(
            error
                .to_string()
                .ends_with("the only option is threshold, a number"),
            "{error}"
        );
        let error = runner.download_model("any", Path::new("/nowhere")).unwrap_err();
        assert!(
            error.to_string().ends_with("the plugin downloads nothing"),
            "{error}"
        );
    }
}

/// What was logged.
#[derive(Default)]
struct Listening(Mutex<Vec<String>>);

impl HostServices for Listening {
    fn log(&self, _: LogLevel, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

#[test]
fn a_plugin_in_cpp_finds_things_and_uses_the_hosts_services() {
    let artifact = example("cpp", "brightest.cpp", "brightest_plugin");
    for isolation in BOTH {
        let services = Arc::new(Listening::default());
        let runner = runner_with(artifact.clone(), isolation, services.clone());
        let model = runner
            .load_model("a model", Path::new("/nowhere"), LoadOptions::default())
            .unwrap();
        assert_eq!(*services.0.lock().unwrap(), ["loading a model"]);
        // 6 x 3, and white where the second row meets the last two columns.
        let pixels: Vec<u8> = (0..18)
            .flat_map(|index| [if [10, 11].contains(&index) { 255 } else { 0 }; 3])
            .collect();
        let images = [Image::new(6, 3, &pixels).unwrap()];
        let output = model
            .predict(&images, &PredictOptions::default())
            .unwrap()
            .remove(0)
            .unwrap();
        let third = 1.0 / 3.0;
        let expected = json!({"label": {"_cls": "Detections", "detections": [
            {"label": "brightest", "bounding_box": [4.0 / 6.0, third, 2.0 / 6.0, third], "confidence": 1.0},
        ]}});
        assert_eq!(json!(output), expected);
    }
}

/// The hostile plugin that does this.
fn hostile(deed: &str) -> Artifact {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c_plugins/hostile.c");
    compile(
        &source,
        &format!("hostile-{}", deed.to_lowercase()),
        &[&format!("DEED={deed}")],
    )
}

#[test]
fn a_table_that_is_none_is_refused_in_one_line() {
    for (deed, words) in [
        ("NO_TABLE", "its function gives no table"),
        (
            "NEWER",
            "version C 2 of the plugin contract, and this host knows version C 1",
        ),
        ("SHORT_TABLE", "its table has 8 bytes"),
        ("NO_LOAD", "no function `load_model`"),
    ] {
        let artifact = hostile(deed);
        for isolation in BOTH {
            let error = load(&runner(artifact.clone(), isolation), json!({}))
                .map(drop)
                .unwrap_err();
            let library = matches!(
                error,
                RuntimeError::Library(LibraryError::BrokenTable { .. } | LibraryError::OtherContract { .. })
            );
            assert!(library, "{deed}: {error:?}");
            assert_eq!(error.class(), ErrorClass::Incompatible);
            let error = error.to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{deed}: {error}");
        }
    }
}

#[test]
fn a_model_that_is_none_is_refused_in_one_line() {
    for (deed, words) in [
        ("NOTHING_LOADED", "without the function `release`"),
        ("NO_INFO", "without the function `info`"),
        ("NO_CALL", "without the function `call`"),
        ("SILENT", "the plugin gives no reason (status 77)"),
        ("NOT_UTF8", "it failed: \u{fffd}\u{fffd}"),
        ("INFO_NULL", "a message of 9 bytes came without an address"),
        ("INFO_ENDLESS", "bytes came, where at most 268435456 can"),
        ("INFO_GARBAGE", "a message cannot be read"),
    ] {
        let artifact = hostile(deed);
        for isolation in BOTH {
            let error = load(&runner(artifact.clone(), isolation), json!({}))
                .map(drop)
                .unwrap_err();
            let error = error.to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{deed}: {error}");
        }
    }
}

#[test]
fn an_answer_that_is_none_costs_its_picture() {
    for (deed, words) in [
        ("BUFFERS_NULL", "3 buffers were given, but no address"),
        ("BUFFERS_ENDLESS", "buffers were given; at most 131072 can be"),
        ("BUFFER_NULL", "buffers of 4 bytes came without an address"),
        ("BUFFER_ENDLESS", "bytes came, where at most"),
        ("ANSWER_GARBAGE", "a message cannot be read"),
        ("ANSWER_EMPTY", "a message cannot be read"),
    ] {
        let artifact = hostile(deed);
        for isolation in BOTH {
            let model = load(&runner(artifact.clone(), isolation), json!({})).unwrap();
            let picture = Picture::grey(2, 2, 7);
            let answers = model
                .predict(&[picture.image()], &PredictOptions::default())
                .unwrap();
            let error = answers[0].as_ref().unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{deed}: {error}");
        }
    }
}

#[test]
fn each_answer_is_released_once_and_the_model_last() {
    let artifact = hostile("COUNTING");
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("released.txt");
    drop(fs::remove_file(&log));
    {
        let runner = runner(artifact, Isolation::None);
        let model = runner.load_model("m", &log, LoadOptions::default()).unwrap();
        let picture = Picture::grey(2, 2, 7);
        for _ in 0..2 {
            let answers = model
                .predict(&[picture.image()], &PredictOptions::default())
                .unwrap();
            assert!(answers[0].is_ok(), "{answers:?}");
        }
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "info\nanswer\nanswer\nmodel\n");
}

#[test]
fn the_examples_have_the_header_as_it_is() {
    for header in ["modelzoo.h", "modelzoo_message.h"] {
        let original = fs::read_to_string(project().join("plugin-api/include").join(header)).unwrap();
        for language in ["c", "cpp"] {
            let copy = project()
                .join(format!("examples/plugin_in_{language}/src"))
                .join(header);
            assert_eq!(
                fs::read_to_string(copy).unwrap(),
                original,
                "{language}: {header}"
            );
        }
    }
}

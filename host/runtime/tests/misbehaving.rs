//! What happens to the host when a plugin misbehaves: nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_base::error::{Diagnose as _, NextStep};
use modelzoo_plugin_api::{ErrorKind, Image, PredictOptions, label::Regression};
use modelzoo_runtime::{
    CallError, DefaultServices, HostServices, Isolation, LibraryError, LoadedModel, PluginRunner,
    RuntimeError,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use support::{Picture, load, plugin, runner, runner_with};

const BOTH: [Isolation; 2] = [Isolation::Process, Isolation::None];

/// Predicts a batch with one black picture in the middle, and expects exactly that one to fail. Gives its error.
fn error_of_the_black_one(model: &dyn LoadedModel) -> CallError {
    let pictures: Vec<Picture> = [5, 9, 0, 7].map(|grey| Picture::grey(3, 2, grey)).into();
    let images: Vec<Image<'_>> = pictures.iter().map(Picture::image).collect();
    let mut outputs = model.predict(&images, &PredictOptions::default()).unwrap();
    for (index, grey) in [(0, 5.0), (1, 9.0), (3, 7.0)] {
        assert_eq!(outputs[index], Ok(Regression::new(grey).into()), "{outputs:?}");
    }
    outputs.remove(2).unwrap_err()
}

fn load_error(runner: &PluginRunner, settings: serde_json::Value) -> String {
    load(runner, settings).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn errors_and_panics_concern_their_picture_in_both_isolations() {
    for isolation in BOTH {
        let runner = runner(plugin("misbehaving"), isolation);
        for (deed, kind, text) in [
            ("fail", ErrorKind::Other, "this failed on purpose"),
            ("panic", ErrorKind::Panic, "this panicked on purpose"),
            ("miscount", ErrorKind::Other, "0 results for a batch of 1"),
        ] {
            let model = load(&runner, json!({"black": deed})).unwrap();
            let error = error_of_the_black_one(model.as_ref());
            assert_eq!(error.kind(), kind, "{deed}");
            assert!(error.to_string().contains(text), "{deed}: {error}");
        }
    }
}

#[test]
fn a_crash_costs_the_picture_that_caused_it() {
    let runner = runner(plugin("misbehaving"), Isolation::Process);
    for (deed, texts) in [
        ("abort", ["SIGABRT", "this aborts on purpose"]),
        ("crash", ["SIGSEGV", "invalid memory access"]),
        ("exit", ["exit code 7", ""]),
        ("overflow", ["SIGABRT", "has overflowed its stack"]),
        ("exhaust", ["SIGABRT", "memory allocation of"]),
        ("mute", ["", ""]),
        ("babble", ["gave no valid answer", ""]),
    ] {
        let model = load(&runner, json!({"black": deed})).unwrap();
        for _ in 0..2 {
            let error = error_of_the_black_one(model.as_ref());
            assert!(
                texts.iter().all(|text| error.to_string().contains(text)),
                "{deed}: {error}"
            );
        }
    }
}

#[test]
fn a_run_goes_on_whatever_crashes_on_the_way() {
    let runner = runner(plugin("misbehaving"), Isolation::Process);
    let model = load(&runner, json!({"black": "crash"})).unwrap();
    let is_black = |number: usize| number % 100 == 37;
    let pictures: Vec<Picture> = (0..2000)
        .map(|number| Picture::grey(2, 2, if is_black(number) { 0 } else { 100 }))
        .collect();
    for batch_size in [1, 32] {
        let results: Vec<_> = pictures
            .chunks(batch_size)
            .flat_map(|batch| {
                let images: Vec<Image<'_>> = batch.iter().map(Picture::image).collect();
                model.predict(&images, &PredictOptions::default()).unwrap()
            })
            .collect();
        assert_eq!(results.len(), pictures.len());
        for (number, result) in results.iter().enumerate() {
            match result {
                Ok(_) => assert!(!is_black(number), "{number}"),
                Err(error) => {
                    assert!(
                        is_black(number) && error.to_string().contains("SIGSEGV"),
                        "{number}: {error}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_plugin_that_fails_in_load_is_an_error_in_both_isolations() {
    for isolation in BOTH {
        let runner = runner(plugin("misbehaving"), isolation);
        assert_eq!(
            load_error(&runner, json!({"load": "fail"})),
            "cannot load the model test/model: this failed on purpose"
        );
        let error = load_error(&runner, json!({"load": "panic"}));
        assert!(
            error.ends_with("the plugin panicked: this panicked on purpose"),
            "{error}"
        );
    }
}

#[test]
fn a_plugin_that_dies_in_load_is_an_error() {
    let runner = runner(plugin("misbehaving"), Isolation::Process);
    let error = load_error(&runner, json!({"load": "abort"}));
    assert!(
        error.contains("SIGABRT") && error.contains("this aborts on purpose"),
        "{error}"
    );
    assert!(error.starts_with("cannot load the model test/model: "), "{error}");
}

#[test]
fn a_panic_when_a_model_is_dropped_is_harmless() {
    for isolation in BOTH {
        let runner = runner(plugin("misbehaving"), isolation);
        drop(load(&runner, json!({"drop": "panic"})).unwrap());
        load(&runner, json!({})).unwrap();
    }
}

#[test]
fn a_plugin_that_hangs_is_ended_after_its_time() {
    let runner =
        runner(plugin("misbehaving"), Isolation::Process).with_stall_timeout(Duration::from_millis(500));
    let model = load(&runner, json!({"black": "hang"})).unwrap();
    let error = error_of_the_black_one(model.as_ref());
    assert_eq!(
        error.to_string(),
        "the plugin gave no sign of life for 0.5 s and was ended"
    );
    assert_eq!(error.next_step(), Some(NextStep::WaitLonger));
    let model = load(&runner, json!({"black": "flood"})).unwrap();
    let error = error_of_the_black_one(model.as_ref());
    assert!(
        error.to_string().contains("no sign of life")
            && error.to_string().contains("this is printed on purpose"),
        "{error}"
    );
    let error = load(&runner, json!({"load": "hang"})).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot load the model test/model: the plugin gave no sign of life"),
        "{error}"
    );
    assert_eq!(error.next_step(), Some(NextStep::WaitLonger));
}

#[test]
fn a_plugin_that_hangs_every_time_is_given_up() {
    let runner =
        runner(plugin("misbehaving"), Isolation::Process).with_stall_timeout(Duration::from_millis(300));
    let model = load(&runner, json!({"black": "hang"})).unwrap();
    let black = Picture::grey(1, 1, 0);
    let error = model
        .predict(&[black.image(); 9], &PredictOptions::default())
        .unwrap_err();
    assert!(matches!(error, RuntimeError::WorkerDied { .. }), "{error}");
    assert!(error.to_string().contains("4 calls in a row"), "{error}");
}

#[test]
fn a_plugin_that_tells_how_far_it_is_may_take_long() {
    let runner =
        runner(plugin("misbehaving"), Isolation::Process).with_stall_timeout(Duration::from_millis(2500));
    let model = load(&runner, json!({"black": "toil"})).unwrap();
    let black = Picture::grey(1, 1, 0);
    let outputs = model
        .predict(&[black.image()], &PredictOptions::default())
        .unwrap();
    assert_eq!(outputs, [Ok(Regression::new(0.0).into())]);
}

/// Services of a user who wants to stop as soon as this is set.
#[derive(Default)]
struct Stoppable(AtomicBool);

impl HostServices for Stoppable {
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_plugin_that_ignores_a_cancellation_is_ended() {
    let services = Arc::new(Stoppable::default());
    let shared = Arc::clone(&services) as Arc<dyn HostServices>;
    let model = load(
        &runner_with(plugin("misbehaving"), Isolation::Process, shared),
        json!({"black": "hang"}),
    )
    .unwrap();
    services.0.store(true, Ordering::Relaxed);
    let black = Picture::grey(1, 1, 0);
    let outputs = model
        .predict(&[black.image(), black.image()], &PredictOptions::default())
        .unwrap();
    for output in outputs {
        assert_eq!(output.unwrap_err().kind(), ErrorKind::Cancelled);
    }
}

#[test]
fn libraries_that_are_no_plugins_of_this_host_are_told_apart() {
    for isolation in BOTH {
        let refusal = |name| match runner(plugin(name), isolation).describe() {
            Err(RuntimeError::Library(error)) => error,
            other => panic!("{other:?}"),
        };
        for name in ["not_a_plugin", "foreign_abi", "foreign_contract"] {
            let error = refusal(name);
            assert!(error.to_string().len() < 400, "{error}");
            assert!(error.next_step().is_some(), "{error}");
        }
        assert!(matches!(refusal("not_a_plugin"), LibraryError::NotAPlugin { .. }));
        assert!(
            matches!(refusal("foreign_abi"), LibraryError::OtherAbiStable { plugin, host, .. } if plugin == "0.99" && host == "0.11")
        );
        assert!(matches!(
            refusal("foreign_contract"),
            LibraryError::OtherLayout { .. }
        ));
    }
}

#[test]
fn a_truncated_library_is_refused_before_it_is_opened() {
    for isolation in BOTH {
        let mut artifact = plugin("brightness");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin.so");
        let content = std::fs::read(&artifact.path).unwrap();
        std::fs::write(&path, &content[..content.len() / 2]).unwrap();
        artifact.path = path;
        let error = runner(artifact, isolation).describe().unwrap_err();
        assert!(
            matches!(error, RuntimeError::Library(LibraryError::Damaged { .. })),
            "{error}"
        );
    }
}

#[test]
fn a_program_that_is_no_worker_is_told_so() {
    let runner = |program: &str| {
        PluginRunner::new(plugin("brightness"), Arc::new(DefaultServices)).with_worker_program(program)
    };
    for program in ["/bin/true", "/nowhere/to/be/found"] {
        let error = runner(program).describe().unwrap_err();
        assert!(matches!(error, RuntimeError::WorkerStart { .. }), "{error}");
        assert!(
            error.to_string().contains(program) && error.next_step().is_some(),
            "{error}"
        );
    }
}

/// A worker program of a stranger's making: a shell script that writes `frames` to the host and then sleeps.
#[cfg(target_os = "linux")]
fn strange_worker(folder: &std::path::Path, frames: &[&[u8]]) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let octal: String = frames
        .concat()
        .iter()
        .map(|byte| format!("\\{byte:03o}"))
        .collect();
    let script = folder.join("worker.sh");
    std::fs::write(
        &script,
        format!("#!/bin/sh\nprintf '{octal}' >&0\nexec sleep 60\n"),
    )
    .unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    script
}

#[test]
#[cfg(target_os = "linux")]
fn a_hostile_worker_program_costs_nothing_but_an_error() {
    // The length of the message, the number of buffers, the message: what a worker says first.
    let ready: &[u8] = b"\x0b\0\0\0\0\0\0\0\x81\xa8protocol\x06";
    // A done answer whose only buffer, from the start on 100 bytes, lies in a memory that never came.
    let no_memory: &[u8] = b"\x08\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0\x81\xa4Done\xc4\0";
    let endless: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff";
    let garbage: &[u8] = b"\x04\0\0\0\0\0\0\0\xc1\xc1\xc1\xc1";
    let other_version: &[u8] = b"\x0b\0\0\0\0\0\0\0\x81\xa8protocol\x63";
    for (frames, text) in [
        (&[garbage][..], "it ended before it was ready"),
        (&[endless], "more than can pass"),
        (&[other_version], "version 99"),
        (&[ready, garbage], "no valid answer"),
        (&[ready, endless], "more than can pass"),
        (&[ready, no_memory], "outside of the shared memory"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = PluginRunner::new(plugin("brightness"), Arc::new(DefaultServices))
            .with_worker_program(strange_worker(folder.path(), frames))
            .describe()
            .unwrap_err();
        let told = modelzoo_base::error::in_one_line(&error);
        assert!(told.contains(text), "{text}: {told}");
    }
}

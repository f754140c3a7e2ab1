//! A good plugin gives the same results in this process and in a worker.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_base::{
    error::{Diagnose as _, NextStep},
    progress::{Event, Observer},
};
use modelzoo_plugin_api::{
    Array, DownloadRequest, Error, ErrorKind, Frame, Image, LoadOptions, LogLevel, Output, PredictOptions,
    SampleFields, VideoInfo,
    label::{Label, Regression},
};
use modelzoo_runtime::{HostServices, Isolation, LoadedModel, RuntimeError};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use support::{Picture, load, plugin, runner, runner_with};

const BOTH: [Isolation; 2] = [Isolation::Process, Isolation::None];

fn brightness(isolation: Isolation) -> Box<dyn LoadedModel> {
    load(&runner(plugin("brightness"), isolation), serde_json::json!({})).unwrap()
}

fn labels(output: &Output) -> &std::collections::BTreeMap<String, Label> {
    let Output::Labels(labels) = output else {
        panic!("{output:?}")
    };
    labels
}

#[test]
fn both_isolations_give_the_same_outputs_and_embeddings() {
    let pictures: Vec<Picture> = (1..20)
        .map(|number| Picture::grey(100 * number, 60 + number, number as u8 * 13))
        .collect();
    let images: Vec<Image<'_>> = pictures.iter().map(Picture::image).collect();
    let models = BOTH.map(brightness);
    for count in [images.len(), 1, 3] {
        let [in_worker, in_process] = [0, 1].map(|model| {
            models[model]
                .predict(&images[..count], &PredictOptions::default())
                .unwrap()
        });
        assert_eq!(in_worker, in_process);
        assert_eq!(in_worker.len(), count);
        let [in_worker, in_process] = [0, 1].map(|model| models[model].embed(&images[..count]).unwrap());
        assert_eq!(in_worker, in_process);
        assert_eq!(in_worker[0], Ok(Array::vector(vec![13.0f32 / 255.0; 3])));
    }
    assert_eq!(models[0].info(), models[1].info());
    assert_eq!(models[0].plugin(), models[1].plugin());
    assert_eq!(models[0].info().classes, ["dark", "bright"]);
}

#[test]
fn options_reach_the_model_and_wrong_ones_are_errors() {
    let grey = Picture::grey(2, 2, 100);
    for isolation in BOTH {
        let runner = runner(plugin("brightness"), isolation);
        let model = load(&runner, serde_json::json!({"threshold": 0.1})).unwrap();
        let outputs = model
            .predict(&[grey.image()], &PredictOptions::default())
            .unwrap();
        let Label::Classification(class) = &labels(outputs[0].as_ref().unwrap())["class"] else {
            panic!("{outputs:?}")
        };
        assert_eq!(class.label.as_deref(), Some("bright"));
        let error = load(&runner, serde_json::json!({"treshold": 0.1}))
            .map(|_| ())
            .unwrap_err();
        assert!(error.to_string().contains("treshold"), "{error}");
        assert!(
            matches!(error, RuntimeError::Plugin { error, .. } if error.kind() == ErrorKind::InvalidOption)
        );
    }
}

#[test]
fn sessions_samples_and_videos_work_in_both_isolations() {
    for isolation in BOTH {
        let model = brightness(isolation);
        let grey = Picture::grey(2, 2, 200);
        let ready = || {
            let outputs = model
                .predict(&[grey.image()], &PredictOptions::default())
                .unwrap();
            labels(outputs[0].as_ref().unwrap())["ready"].clone()
        };
        assert_eq!(ready(), Regression::new(0.0).into());
        model.setup().unwrap();
        assert_eq!(ready(), Regression::new(1.0).into());
        model.teardown().unwrap();
        assert_eq!(ready(), Regression::new(0.0).into());

        let fields = SampleFields::from([("weather".to_owned(), "fog".into())]);
        let samples = [(grey.image(), fields), (grey.image(), SampleFields::new())];
        let outputs = model
            .predict_samples(&samples, &PredictOptions::default())
            .unwrap();
        assert!(format!("{:?}", outputs[0]).contains("fog"), "{outputs:?}");
        assert!(outputs[1].is_err());

        let frames = (1..=3).map(|number| Frame::new(number, 0.0, 4, 4, vec![number as u8 * 60; 48]));
        let output = model
            .predict_video(
                &VideoInfo::default(),
                Box::new(frames),
                &PredictOptions::default(),
            )
            .unwrap()
            .unwrap();
        let Output::Frames(frames) = output else {
            panic!("{output:?}")
        };
        assert_eq!(frames.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);

        // A plugin without an ability, be it older than that, is asked in vain.
        let none = model.embed_video(&VideoInfo::default(), Box::new(std::iter::empty()));
        assert_eq!(none.unwrap().unwrap_err().kind(), ErrorKind::Unsupported);
        let unknown = model.embed_prompts(&["a cat".to_owned()]).unwrap();
        assert_eq!(unknown[0].as_ref().unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

/// Services that remember what they were asked for.
#[derive(Default)]
struct Remembering(Mutex<Vec<String>>);

impl Observer for Remembering {
    fn notice(&self, event: Event<'_>) {
        let Event::Plugin { step, done, total } = event else {
            panic!("only the plugin is at work, not {event:?}");
        };
        self.0.lock().unwrap().push(format!("{step} {done} {total:?}"));
    }
}

impl HostServices for Remembering {
    fn log(&self, level: LogLevel, text: &str) {
        self.0.lock().unwrap().push(format!("{level:?} {text}"));
    }

    fn observer(&self) -> &dyn Observer {
        self
    }

    fn threads(&self) -> usize {
        77
    }

    fn download(&self, request: &DownloadRequest) -> Result<PathBuf, Error> {
        Ok(request.destination.clone())
    }
}

#[test]
fn the_plugin_reaches_the_services_of_the_host() {
    for isolation in BOTH {
        let services = Arc::new(Remembering::default());
        let runner = runner_with(
            plugin("brightness"),
            isolation,
            Arc::clone(&services) as Arc<dyn HostServices>,
        );
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("weights");
        runner.download_model("test/brightness", &weights).unwrap();
        assert_eq!(std::fs::read_to_string(&weights).unwrap(), "test/brightness");
        let model = runner
            .load_model("test/brightness", &weights, LoadOptions::default())
            .unwrap();
        let grey = Picture::grey(2, 2, 100);
        let outputs = model
            .predict(&[grey.image()], &PredictOptions::default())
            .unwrap();
        assert_eq!(
            labels(outputs[0].as_ref().unwrap())["threads"],
            Regression::new(77.0).into()
        );
        let remembered = services.0.lock().unwrap();
        assert_eq!(remembered[0], "writing 1 Some(1)");
        assert_eq!(
            remembered[1],
            format!("Info loading test/brightness from {}", weights.display())
        );
    }
}

#[test]
fn a_plugin_says_what_it_was_built_with() {
    for isolation in BOTH {
        let description = runner(plugin("brightness"), isolation).describe().unwrap();
        assert_eq!(description.api_version, "0.1.0");
    }
}

#[test]
fn a_download_that_the_source_cannot_do_is_its_error() {
    for isolation in BOTH {
        let error = runner(plugin("misbehaving"), isolation)
            .download_model("test/misbehaving", &PathBuf::from("/nowhere"))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot download the model test/misbehaving: "),
            "{error}"
        );
    }
}

#[test]
#[cfg(unix)]
fn a_path_that_is_no_text_is_refused_with_a_way_out() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    for isolation in BOTH {
        let error = runner(plugin("misbehaving"), isolation)
            .download_model("test/misbehaving", OsStr::from_bytes(b"/nowhere/\xff").as_ref())
            .unwrap_err();
        assert!(error.to_string().ends_with("its path is not UTF-8"), "{error}");
        assert_eq!(error.next_step(), Some(NextStep::RenameFolder));
    }
}

#[test]
#[ignore = "it is a part of a_worker_ends_with_its_host, which starts and kills it"]
fn a_host_that_waits_for_its_end() {
    let _model = brightness(Isolation::Process);
    println!("the model is loaded");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_ends_with_its_host() {
    use std::{
        io::{BufRead as _, BufReader},
        process::{Command, Stdio},
        time::{Duration, Instant},
    };
    // The host shall not have to build it first.
    plugin("brightness");
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_host_that_waits_for_its_end",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the model is loaded")));

    // `/proc/N/stat` is: number, (name), state, number of the parent, ...
    let stat = |process: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_whitespace().map(str::to_owned);
        Some((fields.next()?, fields.next()?))
    };
    let worker = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .find(|process| stat(process).is_some_and(|(_, parent)| parent == host.id().to_string()))
        .unwrap();
    host.kill().unwrap();
    host.wait().unwrap();
    let has_ended = || stat(&worker).is_none_or(|(state, _)| state == "Z");
    let started = Instant::now();
    while !has_ended() && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(has_ended());
}

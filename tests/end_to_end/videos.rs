//! Videos: their frames through models of pictures, and models of videos.

use crate::support::{self, User, media, project};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    video::{Sampling, Video},
};
use modelzoo_plugin_api::label::Label;
use serde_json::{Value, json};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _};

/// The classes of the objects in the frames of a line, by frame.
fn classes(line: &Value, field: &str) -> Vec<(u64, String)> {
    let mut classes: Vec<(u64, String)> = line["frames"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(number, frame)| {
            let class = frame[field]["detections"][0]["label"].as_str().unwrap();
            (number.parse().unwrap(), class.to_owned())
        })
        .collect();
    classes.sort();
    classes
}

fn numbers(line: &Value, field: &str) -> Vec<u64> {
    classes(line, field)
        .into_iter()
        .map(|(number, _)| number)
        .collect()
}

#[test]
fn a_model_of_pictures_labels_every_frame() {
    let user = User::new();
    media::video(&user.path("v.mkv"), 25, 11);
    for field in ["things", "frames.things"] {
        let lines = user
            .run_capability("apply", "test/boxes", &["v.mkv", field])
            .expect(0)
            .json_lines();
        let expected: Vec<(u64, String)> = (1..=25)
            .map(|number| (number, if number < 11 { "dark" } else { "bright" }.to_owned()))
            .collect();
        assert_eq!(classes(&lines[0], "things"), expected);
        assert_eq!(lines[0]["media_type"], "video");
        assert_eq!(lines[0]["metadata"]["frame_width"], 40);
    }
    let lines = user
        .run_capability("embed", "test/boxes", &["v.mkv", "--frames", "3-4"])
        .expect(0)
        .json_lines();
    let size = json!({"embeddings": [40.0, 24.0]});
    assert_eq!(lines[0]["frames"], json!({"3": size, "4": size}));
}

#[test]
fn frames_are_chosen_by_number_step_and_time() {
    let user = User::new();
    media::video(&user.path("v.mkv"), 25, 1);
    for (options, expected) in [
        (&["--every", "10"][..], &[1, 11, 21][..]),
        (&["--frames", "20-"], &[20, 21, 22, 23, 24, 25]),
        (&["--frames", "7"], &[7]),
        (&["--frames", "3-12", "--every", "4"], &[3, 7, 11]),
        (&["--fps", "2"], &[1, 6, 11, 16, 21]),
    ] {
        let run = user
            .run_capability("apply", "test/boxes", &[&["v.mkv", "f"], options].concat())
            .expect(0);
        assert_eq!(numbers(&run.json_lines()[0], "f"), expected, "{options:?}");
    }
    user.run_capability("apply", "test/boxes", &["v.mkv", "--fps", "0"])
        .expect(2);
    user.run_capability("apply", "test/boxes", &["v.mkv", "--frames", "9-3"])
        .expect(2);
    user.run_capability("apply", "test/boxes", &["v.mkv", "--fps", "2", "--every", "2"])
        .expect(2);
}

#[test]
fn pictures_and_videos_may_be_mixed_and_fail_alone() {
    let user = User::new();
    media::grey(&user.path("in/a.png"), 4, 4, 250);
    media::video(&user.path("in/b.mkv"), 5, 1);
    fs::write(user.path("in/c.mp4"), "no video").unwrap();
    let whole = fs::read(project().join("tests/fixtures/video/bikes.mp4")).unwrap();
    // Its index stands in front, so the frames up to the cut can be decoded.
    fs::write(user.path("in/d.mp4"), &whole[..whole.len() / 3]).unwrap();
    media::grey(&user.path("in/e.png"), 4, 4, 10);
    let report = user.path("failed.jsonl");
    let arguments = ["in", "f", "--failures", report.to_str().unwrap()];
    let run = user.run_capability("apply", "test/boxes", &arguments).expect(8);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["f"]["detections"][0]["label"], "bright");
    assert_eq!(numbers(&lines[1], "f"), [1, 2, 3, 4, 5]);
    assert!(
        lines[2]["error"].as_str().unwrap().contains("c.mp4"),
        "{}",
        lines[2]
    );
    assert_eq!(lines[4]["f"]["detections"][0]["label"], "dark");
    let stages: Vec<Value> = support::json_lines(&fs::read_to_string(report).unwrap())
        .into_iter()
        .map(|line| line["stage"].clone())
        .collect();
    assert!(stages.iter().all(|stage| stage == "decode"), "{stages:?}");
}

/// Whatever a file is called, and whatever it names: it alone is opened, and nobody is asked for anything.
#[test]
fn media_that_name_other_files_or_servers_are_refused() {
    let (user, server) = (User::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    server.set_nonblocking(true).unwrap();
    let url = format!("http://{}/v.mkv", server.local_addr().unwrap());
    media::video(&user.path("secret.mkv"), 5, 1);
    let secret = user.path("secret.mkv").display().to_string();
    let hls = |target: &str| format!("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{target}\n");
    let concat = |target: &str| format!("ffconcat version 1.0\nfile '{target}'\n");
    let dash = |target: &str| {
        format!(
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
             mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp4\">\
             <Representation id=\"1\" bandwidth=\"1\"><BaseURL>{target}</BaseURL></Representation>\
             </AdaptationSet></Period></MPD>"
        )
    };
    let session = |target: &str| {
        format!("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 {target}\nt=0 0\nm=video 5004 RTP/AVP 96\n")
    };
    let files = [
        ("hls-file.mp4", hls(&format!("file://{secret}"))),
        ("hls-path.mkv", hls(&secret)),
        ("hls-http.mp4", hls(&url)),
        ("concat-path.mp4", concat(&secret)),
        ("concat-http.avi", concat(&url)),
        ("dash-file.mp4", dash(&secret)),
        ("dash-http.mp4", dash(&url)),
        ("session.mp4", session("127.0.0.1")),
    ];
    fs::create_dir_all(user.path("in")).unwrap();
    for (name, content) in &files {
        fs::write(user.path("in").join(name), content).unwrap();
    }
    let lines = user
        .run_capability("apply", "test/boxes", &["in", "f"])
        .expect(8)
        .json_lines();
    assert_eq!(lines.len(), files.len());
    for line in &lines {
        assert!(line["error"].is_string() && line["frames"].is_null(), "{line}");
    }
    assert!(server.accept().is_err(), "a server was asked");
}

#[test]
fn a_real_video_has_as_many_frames_as_it_should() {
    let user = User::new();
    let bikes = project().join("tests/fixtures/video/bikes.mp4");
    let run = user
        .run_capability("embed", "test/boxes", &[bikes.to_str().unwrap()])
        .expect(0);
    let line = &run.json_lines()[0];
    let frames = line["frames"].as_object().unwrap();
    assert_eq!(frames.len(), 250);
    assert_eq!(frames["250"]["embeddings"], json!([640.0, 272.0]));
}

#[test]
fn a_model_of_videos_reads_the_frames_that_it_wants() {
    let user = User::new();
    media::video(&user.path("v.mkv"), 25, 11);
    media::grey(&user.path("p.png"), 4, 4, 1);
    for isolation in ["process", "none"] {
        let apply = |model: &str, arguments: &[&str]| {
            user.run_capability("apply", model, &[arguments, &["--isolation", isolation]].concat())
        };
        let line = &apply("test/events", &["v.mkv", "e"]).expect(0).json_lines()[0];
        assert_eq!(line["e_frames_seen"], 25);
        assert_eq!(line["e_events"]["detections"][0]["support"], json!([11, 25]));
        let line = &apply("test/events", &["v.mkv", "e", "--every", "5"])
            .expect(0)
            .json_lines()[0];
        assert_eq!(line["e_frames_seen"], 5);
        assert_eq!(line["e_events"]["detections"][0]["support"], json!([11, 21]));
        let line = &apply("test/frames", &["v.mkv", "f", "--frames", "10-11"])
            .expect(0)
            .json_lines()[0];
        let frames: Vec<&Value> = ["10", "11"]
            .iter()
            .map(|number| &line["frames"][number]["f"]["label"])
            .collect();
        assert_eq!(frames, ["dark", "bright"]);
        // Of a folder, a model of videos takes the videos; a picture that is named is a mistake.
        assert_eq!(apply("test/events", &["."]).expect(0).json_lines().len(), 1);
        let run = apply("test/events", &["p.png"]).expect(8);
        assert_eq!(
            run.json_lines()[0]["error"],
            "the model takes videos, and this is a picture"
        );
    }
    let refused = user.run_capability("embed", "test/events", &["v.mkv"]).expect(2);
    assert_eq!(refused.error(), "the model has no embeddings");
    fs::create_dir(user.path("pictures")).unwrap();
    media::grey(&user.path("pictures/p.png"), 4, 4, 1);
    let nothing = user
        .run_capability("apply", "test/events", &["pictures"])
        .expect(3);
    assert_eq!(nothing.error(), "pictures: no videos in this folder");
}

#[test]
fn a_model_of_videos_gives_one_embedding_of_each() {
    let user = User::new();
    media::video(&user.path("in/v.mkv"), 25, 11);
    media::video(&user.path("in/black.mkv"), 3, 9);
    media::grey(&user.path("in/p.png"), 4, 4, 1);
    let embedding = |line: &Value| -> Vec<f64> {
        let values = line["embeddings"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    for isolation in ["process", "none"] {
        let embed = |arguments: &[&str]| {
            let isolation = ["--isolation", isolation];
            user.run_capability("embed", "test/clips", &[arguments, &isolation].concat())
        };
        let line = &embed(&["in/v.mkv"]).expect(0).json_lines()[0];
        // 15 of 25 frames are white.
        assert_eq!(embedding(line)[0], 25.0);
        assert!((embedding(line)[1] - 0.6).abs() < 0.01, "{line}");
        assert!(line.get("frames").is_none(), "{line}");
        let line = &embed(&["in/v.mkv", "--every", "10"]).expect(0).json_lines()[0];
        assert_eq!(embedding(line)[0], 3.0);
        // Of a folder it takes the videos; one that fails is told and has no embedding.
        let run = embed(&["in"]).expect(8);
        let lines = run.json_lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["error"], "this video is black");
        assert_eq!(embedding(&lines[1])[0], 25.0);
    }
    let embed = |arguments: &[&str]| user.run_capability("embed", "test/clips", arguments);
    embed(&["in", "-o", "vectors.npy"]).expect(8);
    let matrix = fs::read(user.path("vectors.npy")).unwrap();
    assert!(String::from_utf8_lossy(&matrix).contains("'shape': (2, 2)"));

    embed(&["in/v.mkv", "clip", "-o", "d.sqlite"]).expect(0);
    let dataset = Dataset::open(user.path("d.sqlite")).unwrap();
    let sample = dataset.samples(&Selection::all()).unwrap().next().unwrap();
    let labels = sample.unwrap().record.labels;
    let Label::Vector(vector) = &labels.sample["clip"] else {
        panic!("{labels:?}")
    };
    assert_eq!(vector.values.to_f32()[0], 25.0);

    let refused = embed(&["in/v.mkv", "--patches", "things"]).expect(2);
    assert_eq!(
        refused.error(),
        "the model takes whole videos; patches are cut from pictures and frames"
    );
    let refused = user.run_capability("apply", "test/clips", &["in"]).expect(2);
    assert_eq!(
        refused.error(),
        "the model takes videos, but says nothing of them"
    );
}

#[test]
fn a_dry_run_tells_videos_and_their_frames() {
    let user = User::new();
    media::video(&user.path("in/v.mkv"), 25, 11);
    let plan = |arguments: &[&str]| {
        let run = user.run_capability("apply", "test/boxes", &[arguments, &["--dry-run"]].concat());
        run.expect(0).stdout
    };
    for (arguments, expected) in [
        (&["in"][..], "over 1 video (about 25 frames)\n"),
        (&["in", "--every", "10"], "over 1 video (about 3 frames)\n"),
        (&["in/v.mkv", "--fps", "2"], "over 1 video (about 5 frames)\n"),
    ] {
        let told = plan(arguments);
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
    media::grey(&user.path("in/p.png"), 4, 4, 1);
    media::grey(&user.path("in/q.png"), 4, 4, 1);
    user.run(["dataset", "create", "d.sqlite", "in"]).expect(0);
    for input in ["in", "d.sqlite"] {
        let told = plan(&[input]);
        let expected = "over 2 pictures and 1 video (about 25 frames), or over the videos alone";
        assert!(told.contains(expected), "{input}: {told}");
    }
    fs::write(user.path("in/broken.mp4"), "no video").unwrap();
    let told = plan(&["in"]);
    assert!(told.contains("over 2 pictures and 2 videos, or over"), "{told}");
}

#[test]
fn labels_are_drawn_on_copies_of_videos() {
    let user = User::new();
    media::video(&user.path("in/v.mkv"), 10, 1);
    let arguments = ["in", "--annotate", "drawn", "--every", "2", "-q"];
    user.run_capability("apply", "test/boxes", &arguments).expect(0);
    let copy = Video::open(user.path("drawn/v.mkv.mp4")).unwrap();
    assert_eq!(copy.metadata().frame_rate, Some(5.0));
    let frames: Vec<_> = copy
        .frames(&Sampling::default())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(frames.len(), 5);
    // White but for what is drawn.
    let dark = frames[0].image.data().iter().filter(|&&byte| byte < 128).count();
    assert!(dark > 50, "{dark} dark bytes");
}

#[test]
fn a_dataset_may_hold_videos() {
    let user = User::new();
    media::video(&user.path("in/v.mkv"), 6, 4);
    media::grey(&user.path("in/p.png"), 4, 4, 250);
    let dataset = user.path("d.sqlite");
    let name = dataset.to_str().unwrap();
    user.run_capability("apply", "test/boxes", &["in", "things", "-o", name])
        .expect(0);
    let run_again = user
        .run_capability(
            "embed",
            "test/boxes",
            &[name, "sizes", "--patches", "frames.things"],
        )
        .expect(0);
    assert!(
        run_again.stderr.contains("2 of 2 samples"),
        "{}",
        run_again.stderr
    );
    let lines = user.path("l.jsonl");
    user.run_capability(
        "apply",
        "test/events",
        &[name, "e", "-o", lines.to_str().unwrap()],
    )
    .expect(0);
    let records = support::json_lines(&fs::read_to_string(&lines).unwrap());
    assert_eq!(records.len(), 2);
    let video = records
        .iter()
        .find(|record| record["media_type"] == "video")
        .unwrap();
    assert_eq!(video["e_events"]["detections"][0]["support"], json!([4, 6]));

    let lines = user.path("sizes.jsonl");
    let arguments = [
        name,
        "sizes",
        "--patches",
        "frames.things",
        "-o",
        lines.to_str().unwrap(),
    ];
    user.run_capability("embed", "test/boxes", &arguments).expect(0);
    let records = support::json_lines(&fs::read_to_string(&lines).unwrap());
    let video = records
        .iter()
        .find(|record| record["media_type"] == "video")
        .unwrap();
    assert_eq!(
        video["frames"]["6"]["things"]["detections"][0]["sizes"],
        json!([20.0, 12.0])
    );
}

#[test]
fn without_ffmpeg_the_user_is_told_how_to_get_it() {
    let user = User::new().with_variable("PATH", "/nonexistent");
    // The plugin is built by others; here there is no compiler either, so a model that is built already is needed.
    let with_path = User::new();
    media::video(&with_path.path("v.mkv"), 2, 1);
    with_path
        .run_capability(
            "apply",
            "test/boxes",
            &[with_path.path("v.mkv").to_str().unwrap()],
        )
        .expect(0);
    let run = user.run_capability(
        "apply",
        "test/boxes",
        &[with_path.path("v.mkv").to_str().unwrap()],
    );
    let run = run.expect(8);
    let line = &run.json_lines()[0];
    let error = line["error"].as_str().unwrap();
    assert!(
        error.contains("the program `ffprobe` is not installed"),
        "{error}"
    );
    assert!(
        run.stderr
            .contains("hint: install it with: sudo apt-get install ffmpeg"),
        "{}",
        run.stderr
    );
    let picture = project().join("host/data/tests/coded_pictures/rgb.heic");
    let picture = picture.to_str().unwrap();
    let run = user.run_capability("apply", "test/boxes", &[picture]).expect(8);
    let error = run.json_lines()[0]["error"].as_str().unwrap().to_owned();
    assert!(
        error.ends_with("FFmpeg decodes it, and the program `ffmpeg` is not installed"),
        "{error}"
    );
    assert!(run.stderr.contains("hint: install it with"), "{}", run.stderr);
}

#[test]
fn ffmpeg_is_shut_in_as_the_sandbox_says() {
    let user = User::new();
    let (video, folder) = (user.path("v.mkv"), user.path("own"));
    media::video(&video, 2, 1);
    // Somebody's own FFmpeg, which is a script and needs a shell: it does not run where it can start no program.
    fs::create_dir(&folder).unwrap();
    for name in ["ffmpeg", "ffprobe"] {
        let script = folder.join(name);
        fs::write(&script, format!("#!/bin/sh\nexec /usr/bin/{name} \"$@\"\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let user = user.with_variable("PATH", &path);
    let run = |sandbox: &str| {
        let arguments = [video.to_str().unwrap(), "--sandbox", sandbox];
        user.run_capability("apply", "test/boxes", &arguments)
    };
    for sandbox in ["auto", "off"] {
        run(sandbox).expect(0);
    }
    let refused = run("on");
    if refused.code == 8 {
        let error = refused.json_lines()[0]["error"].as_str().unwrap().to_owned();
        assert!(error.contains("`ffprobe` cannot be shut in here"), "{error}");
        assert!(refused.stderr.contains("--sandbox auto"), "{}", refused.stderr);
    } else {
        // This system has not all layers, so the plugin was refused before.
        assert!(refused.error().contains("the sandbox"), "{}", refused.stderr);
    }
    let user = User::new();
    let run = user.run_capability(
        "apply",
        "test/boxes",
        &[video.to_str().unwrap(), "--sandbox", "on"],
    );
    assert_eq!(
        run.code,
        if refused.code == 8 { 0 } else { refused.code },
        "{}",
        run.stderr
    );
}

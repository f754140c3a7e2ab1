//! Files from the wild through the whole program: every good one has its result, every bad one is named once, and nothing is
//! left running or lying about.

use crate::support::{self, Run, User, json_lines, media, project, sample};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

fn case(name: &str) -> PathBuf {
    project().join("tests/fixtures/cases").join(name)
}

/// Applies the plugin that names mean colours.
fn apply(user: &User, words: &[&str]) -> Run {
    let plugin = sample("given");
    user.run([&["apply", plugin.to_str().unwrap()], words].concat())
}

/// How many processes have `text` among their arguments, beside this one.
fn processes_with(text: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let arguments = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    arguments
        .filter(|arguments| String::from_utf8_lossy(arguments).contains(text))
        .count()
}

/// The names of what is in a folder, hidden files included.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn playlists_fail_at_once_and_leave_nothing_running() {
    let user = User::new();
    let folder = user.path("lists");
    support::copy_folder(&case("02-playlists"), &folder);
    let began = Instant::now();
    let run = apply(&user, &["lists"]).expect(8);
    // Far below the time after which a silent program is ended.
    assert!(began.elapsed() < Duration::from_secs(60));
    let lines = run.json_lines();
    let playlists = lines.iter().filter(|line| {
        let error = line["error"].as_str().unwrap_or_default();
        error.contains("a playlist: it names other files")
    });
    assert_eq!(playlists.count(), 4, "{}", run.stdout);
    assert_eq!(processes_with(folder.to_str().unwrap()), 0);
}

#[test]
fn a_label_file_that_names_a_device_costs_that_sample() {
    let user = User::new();
    let labels = case("03-label-files-name-any-file/dev_zero.json");
    let run = apply(&user, &[labels.to_str().unwrap()]).expect(8);
    let error = run.json_lines()[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("no regular file"), "{error}");
}

#[test]
fn damage_is_in_every_result() {
    let user = User::new();
    let video = case("05-damage-not-in-results/mjpeg_12_of_30.mp4");
    let (video, said) = (video.to_str().unwrap(), "12 came");
    let run = apply(&user, &[video, "--failures", "failed.jsonl"]).expect(0);
    let line = &run.json_lines()[0];
    assert_eq!(line["metadata"]["total_frame_count"], 12);
    assert!(line["warnings"][0].as_str().unwrap().contains(said), "{line}");
    let failed = json_lines(&fs::read_to_string(user.path("failed.jsonl")).unwrap());
    assert!(
        failed[0]["warning"].as_str().unwrap().contains(said),
        "{failed:?}"
    );

    apply(&user, &[video, "-o", "out.csv"]).expect(0);
    let csv = fs::read_to_string(user.path("out.csv")).unwrap();
    assert!(csv.lines().nth(1).unwrap().contains(said), "{csv}");

    apply(&user, &[video, "-o", "out.sqlite"]).expect(0);
    let info = user.run(["dataset", "info", "out.sqlite", "--json"]).expect(0);
    let info: Value = serde_json::from_str(&info.stdout).unwrap();
    let warning = info["damages"]["predictions"][0]["warning"].as_str().unwrap();
    assert!(warning.contains(said), "{info}");
    user.run(["dataset", "export", "out.sqlite", "again.jsonl"])
        .expect(0);
    assert!(
        fs::read_to_string(user.path("again.jsonl"))
            .unwrap()
            .contains(said)
    );
}

#[test]
fn an_entry_that_cannot_be_read_costs_itself_alone() {
    let user = User::new();
    for index in 0..3 {
        media::grey(&user.path(&format!("in/good_{index}.png")), 4, 4, 100);
    }
    std::os::unix::fs::symlink(".", user.path("in/aaa_loop")).unwrap();
    let run = apply(&user, &["in"]).expect(8);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 4, "{}", run.stdout);
    assert_eq!(lines.iter().filter(|line| line.get("error").is_none()).count(), 3);
    apply(&user, &["in", "-o", "new.sqlite"]).expect(8);
    for name in ["new.sqlite", "made.sqlite"] {
        if name == "made.sqlite" {
            let run = user.run(["dataset", "create", name, "in"]).expect(8);
            assert!(run.stderr.contains("aaa_loop"), "{}", run.stderr);
        }
        let info = user.run(["dataset", "info", name, "--json"]).expect(0);
        let info: Value = serde_json::from_str(&info.stdout).unwrap();
        assert_eq!(info["images"], 3);
    }

    let list = case("06-first-entry-decides/first_line_not_utf8.txt");
    let run = apply(&user, &[list.to_str().unwrap()]).expect(8);
    assert_eq!(run.json_lines().len(), 2);
    assert!(run.stderr.contains("line 1"), "{}", run.stderr);
}

#[test]
fn names_that_are_no_text_lead_back_to_their_files() {
    use std::os::unix::ffi::OsStrExt as _;
    let user = User::new();
    let raw = |bytes: &[u8]| user.path("in").join(std::ffi::OsStr::from_bytes(bytes));
    media::grey(&user.path("in/plain.png"), 4, 4, 100);
    let files = [raw(b"a\xff.png"), raw(b"a\xfe.png")];
    for file in &files {
        fs::copy(user.path("in/plain.png"), file).unwrap();
    }
    let lines = apply(&user, &["in"]).expect(0).json_lines();
    let paths: Vec<&str> = lines
        .iter()
        .map(|line| line["filepath"].as_str().unwrap())
        .collect();
    assert!(paths.iter().all(|path| !path.contains('\u{fffd}')), "{paths:?}");
    let found: Vec<PathBuf> = paths
        .iter()
        .map(|path| user.path("").join(modelzoo::record::text_to_path(path)))
        .collect();
    assert!(files.iter().all(|file| found.contains(file)), "{paths:?}");
    apply(&user, &["in", "-o", "new.sqlite"]).expect(0);
    let info = user.run(["dataset", "info", "new.sqlite", "--json"]).expect(0);
    let info: Value = serde_json::from_str(&info.stdout).unwrap();
    assert_eq!(info["images"], 3);
    let run = user.run(["dataset", "create", "made.sqlite", "in"]).expect(0);
    assert!(run.stderr.contains("2 names are no UTF-8 text"), "{}", run.stderr);
}

#[test]
fn what_is_passed_over_in_a_folder_is_told() {
    let user = User::new();
    media::grey(&user.path("in/a.png"), 4, 4, 100);
    fs::write(user.path("in/drawing.psd"), "8BPS").unwrap();
    let run = apply(&user, &["in"]).expect(0);
    assert!(
        run.stderr.contains("in: passed over 1 Photoshop picture"),
        "{}",
        run.stderr
    );
    let run = user.run(["dataset", "create", "made.sqlite", "in"]).expect(0);
    assert!(
        run.stderr.contains("passed over 1 Photoshop picture"),
        "{}",
        run.stderr
    );
}

#[test]
fn pictures_of_phones_and_of_the_web_are_taken_as_any_other() {
    let user = User::new();
    let fixtures = project().join("host/data/tests/coded_pictures");
    for (name, to) in [
        ("rgb.heic", "in/IMG_0100.HEIC"),
        ("grid.heic", "in/grid.heif"),
        ("turned.heic", "in/camera.hif"),
        ("rgb.avif", "in/web.avif"),
    ] {
        let bytes = fs::read(fixtures.join(name)).unwrap();
        media::grey(&user.path("in/grey.png"), 8, 8, 100);
        fs::write(user.path(to), &bytes).unwrap();
        fs::write(user.path("in/cut.avif"), &bytes[..bytes.len() - 9]).unwrap();
    }
    let run = apply(&user, &["in", "--annotate", "drawn"]).expect(8);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 6, "{}", run.stdout);
    let facts = |name: &str| {
        let mut found = lines.iter();
        let line = found.find(|line| line["filepath"].as_str().unwrap().ends_with(name));
        let metadata = &line.unwrap()["metadata"];
        (
            metadata["width"].clone(),
            metadata["height"].clone(),
            metadata["mime_type"].clone(),
        )
    };
    assert_eq!(
        facts("IMG_0100.HEIC"),
        (40.into(), 28.into(), "image/heic".into())
    );
    assert_eq!(facts("grid.heif"), (130.into(), 70.into(), "image/heic".into()));
    assert_eq!(facts("camera.hif"), (28.into(), 40.into(), "image/heic".into()));
    assert_eq!(facts("web.avif"), (40.into(), 28.into(), "image/avif".into()));
    let failed: Vec<&str> = lines.iter().filter_map(|line| line["error"].as_str()).collect();
    assert!(
        matches!(failed[..], [error] if error.contains("the AVIF data is truncated")),
        "{failed:?}"
    );
    assert_eq!(names(&user.path("drawn")).len(), 5);
    let run = user.run(["dataset", "create", "made.sqlite", "in"]).expect(0);
    assert!(!run.stderr.contains("passed over"), "{}", run.stderr);
    let run = user.run(["dataset", "info", "made.sqlite", "--json"]).expect(0);
    let info: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(info["images"], 6);
}

#[test]
fn the_edges_of_the_program_hold() {
    let user = User::new()
        .with_variable("MODELZOO_LOCK", "")
        .with_variable("MODELZOO_COLOR", "");
    media::grey(&user.path("in/a.png"), 4, 4, 100);
    apply(&user, &["in"]).expect(0);
    let run = apply(&user, &["in", "--batch-size", "4000000000"]).expect(2);
    assert!(
        run.stderr.contains("a whole number from 1 to 65536"),
        "{}",
        run.stderr
    );
    apply(&user, &["in", "--batch-size", "65536"]).expect(0);

    // Nobody can be told anything.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let plugin = sample("given");
    let status = user
        .program()
        .args(["apply", plugin.to_str().unwrap(), "in", "-o", "out.jsonl"])
        .stderr(full)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(user.path("out.jsonl").exists());
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_behind() {
    let user = User::new();
    let folder = user.path("many");
    for index in 0..2000 {
        media::grey(&folder.join(format!("{index}.png")), 64, 64, 100);
    }
    fs::create_dir(user.path("out")).unwrap();
    let plugin = sample("given");
    // So that it is built before.
    apply(&user, &["many/1.png"]).expect(0);
    for signal in ["INT", "TERM"] {
        let mut child = user
            .program()
            .args([
                "apply",
                plugin.to_str().unwrap(),
                "many",
                "-o",
                "out/x.jsonl",
                "--batch-size",
                "1",
            ])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while names(&user.path("out")).is_empty() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = child.wait().unwrap();
        // It may have been faster than the signal.
        if !status.success() {
            assert_eq!(names(&user.path("out")), [""; 0], "{signal}");
        }
        let _ = fs::remove_file(user.path("out/x.jsonl"));
    }
}

/// How many files the test of mixed folders makes; `MODELZOO_MIXED_FILES` says another number.
const MIXED_FILES: usize = 120;

/// Makes file number `index` of a folder of good and bad files of all kinds; says whether it is good.
fn make_mixed(folder: &Path, index: usize, video: &[u8]) -> bool {
    let path = |ending: &str| folder.join(format!("{index:05}.{ending}"));
    let picture = |ending: &str| media::grey(&path(ending), 8, 8, (index % 200) as u8);
    let example = |name: &str| {
        let (_, ending) = name.split_once('.').unwrap();
        fs::copy(project().join("host/data/tests/images").join(name), path(ending)).unwrap();
    };
    let write = |ending: &str, bytes: &[u8]| fs::write(path(ending), bytes).unwrap();
    match index % 16 {
        0..=2 => picture("png"),
        3 => picture("bmp"),
        4 => example("grey.gif"),
        5 => example("grey.tiff"),
        6 => example("lossless.webp"),
        // One in many: each costs the start of two programs.
        7 if index % 64 == 7 => write("mkv", video),
        7 => picture("png"),
        8 => write("jpg", b""),
        9 => write("png", b"just some words"),
        10 => write("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"),
        11 => write("gif", &[0; 300]),
        12 => write("webp", b"<!DOCTYPE html><html></html>"),
        13 => std::os::unix::fs::symlink("nowhere.png", path("png")).unwrap(),
        14 if index % 64 == 14 => write("mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\na.ts\n"),
        14 => write("bmp", b"BM"),
        _ => write("tif", b"II*\0\xff\xff\xff\xff"),
    }
    index % 16 < 8
}

/// Runs the program with a limit on the memory that it may write to.
fn run_limited(user: &User, words: &[&str]) -> Run {
    const KIB: &str = "1500000";
    let program = env!("CARGO_BIN_EXE_modelzoo");
    let script = format!("ulimit -d {KIB} && exec \"$0\" \"$@\"");
    let mut command = user.as_user(Command::new("sh"));
    Run::of(
        command
            .args(["-c", &script, program])
            .args(words)
            .output()
            .unwrap(),
    )
}

#[test]
fn a_mixed_folder_gives_every_result_and_names_every_failure_once() {
    let count: usize = match std::env::var("MODELZOO_MIXED_FILES") {
        Ok(count) => count.parse().unwrap(),
        Err(_) => MIXED_FILES,
    };
    let user = User::new();
    let folder = user.path("mixed");
    fs::create_dir(&folder).unwrap();
    let clip = user.path("clip.mkv");
    media::video(&clip, 3, 1);
    let clip = fs::read(clip).unwrap();
    let good = (0..count)
        .filter(|&index| make_mixed(&folder, index, &clip))
        .count();
    let bad = count - good;
    let plugin = sample("given");
    let plugin = plugin.to_str().unwrap();

    for (command, results) in [("apply", "labels.jsonl"), ("embed", "vectors.jsonl")] {
        let words = [
            command,
            plugin,
            "mixed",
            "-o",
            results,
            "--failures",
            "failed.jsonl",
        ];
        run_limited(&user, &words).expect(8);
        let lines = json_lines(&fs::read_to_string(user.path(results)).unwrap());
        assert_eq!(lines.len(), count);
        assert_eq!(
            lines.iter().filter(|line| line.get("error").is_none()).count(),
            good
        );
        let failed = json_lines(&fs::read_to_string(user.path("failed.jsonl")).unwrap());
        let mut paths: Vec<&str> = failed
            .iter()
            .filter(|line| line.get("error").is_some())
            .map(|line| line["filepath"].as_str().unwrap())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), bad, "{command}");
    }

    run_limited(&user, &["dataset", "create", "mixed.sqlite", "mixed"]).expect(0);
    run_limited(&user, &["apply", plugin, "mixed.sqlite", "color"]).expect(8);
    let run = run_limited(
        &user,
        &[
            "dataset",
            "export",
            "mixed.sqlite",
            "yolo",
            "--format",
            "yolo",
            "--json",
        ],
    )
    .expect(8);
    let exported: Value = serde_json::from_str(&run.stdout).unwrap();
    let left_out = exported["left_out"].as_array().unwrap();
    assert!(left_out.len() <= bad, "{exported}");
    let is_named_once = |line: &Value| left_out.iter().filter(|other| *other == line).count() == 1;
    assert!(left_out.iter().all(is_named_once));
    run_limited(&user, &["dataset", "export", "mixed.sqlite", "all.jsonl"]).expect(0);
    let lines = json_lines(&fs::read_to_string(user.path("all.jsonl")).unwrap());
    assert_eq!(lines.len(), count);
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.get("color").is_some() || line.get("frames").is_some())
            .count(),
        good
    );
    assert_eq!(processes_with(folder.to_str().unwrap()), 0);
}

//! How much memory a run takes, and how it is told to take less.

use crate::support::{User, json_lines, media, sample};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// Pictures that are 36 MB each when they are decoded.
const SIDE: u32 = 3464;

/// Large JPEGs with a few bytes, each of another grey.
fn large_pictures(user: &User, count: u8) -> PathBuf {
    let folder = user.path("large");
    fs::create_dir(&folder).unwrap();
    for number in 0..count {
        jpeg(
            &folder.join(format!("{number}.jpg")),
            (SIDE, SIDE),
            10 * number + 5,
        );
    }
    folder
}

/// Writes a JPEG of one grey.
fn jpeg(to: &Path, (width, height): (u32, u32), grey: u8) {
    let color = format!("color=0x{grey:02x}{grey:02x}{grey:02x}:size={width}x{height}");
    ffmpeg(&["-f", "lavfi", "-i", &color, "-frames:v", "1"], to);
}

/// Runs FFmpeg, which writes a file.
fn ffmpeg(arguments: &[&str], to: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-loglevel", "error"])
        .args(arguments)
        .arg(to)
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success());
}

/// Applies the plugin that tells the mean colour; gives what it said, and the most memory in kilobytes that the program and its
/// processes had together at a time, what they share counted once.
fn applied(user: &User, input: &Path, more: &[&str]) -> (Vec<serde_json::Value>, u64) {
    let output = user.path("out.jsonl");
    let mut program = user.program();
    program
        .arg("apply")
        .arg(sample("given"))
        .arg(input)
        .arg("-o")
        .arg(&output);
    let mut child = program
        .args(["--quiet", "--workers", "4"])
        .args(more)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let taken = family(child.id()).into_iter().map(share).sum();
        most = most.max(taken);
        thread::sleep(Duration::from_millis(2));
    }
    let ended = child.wait_with_output().unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    (json_lines(&fs::read_to_string(output).unwrap()), most)
}

/// A process and all below it.
fn family(id: u32) -> Vec<u32> {
    let mut found = vec![id];
    for entry in fs::read_dir(format!("/proc/{id}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let children = fs::read_to_string(entry.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        found.extend(children.flat_map(family));
    }
    found
}

/// A process' part of the memory that it maps.
fn share(id: u32) -> u64 {
    let told = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

#[test]
fn a_small_budget_keeps_memory_small_and_the_results_as_they_are() {
    let user = User::new();
    let folder = large_pictures(&user, 16);
    // It may be built first, which takes memory.
    applied(&user, &folder.join("0.jpg"), &[]);
    let batches = ["--batch-size", "16"];
    let (expected, much) = applied(&user, &folder, &[&batches[..], &["--memory", "4GB"]].concat());
    let (told, little) = applied(&user, &folder, &[&batches[..], &["--memory", "120MB"]].concat());
    assert_eq!(told, expected);
    assert_eq!(told.len(), 16);
    // All of them are there at once otherwise; the program itself takes some.
    assert!(much > 500_000, "{much} KB");
    assert!(little < 350_000, "{little} KB where it was {much} KB");
    // Each is larger than the half of this one.
    let (told, least) = applied(&user, &folder, &[&batches[..], &["--memory", "64MB"]].concat());
    assert_eq!(told, expected);
    assert!(least < 350_000, "{least} KB where it was {much} KB");
    // The configuration says the same.
    let user = user.with_config("default_memory = \"120MB\"");
    let (told, little) = applied(&user, &folder, &batches);
    assert_eq!(told, expected);
    assert!(little < 350_000, "{little} KB where it was {much} KB");
}

#[test]
fn frames_of_videos_and_slices_come_through_any_budget() {
    let user = User::new();
    media::video(&user.path("v.mkv"), 25, 11);
    let folder = user.path("both");
    fs::create_dir(&folder).unwrap();
    for name in ["1.mkv", "3.mkv"] {
        // A frame is a tenth of the smallest budget.
        scaled(&user.path("v.mkv"), "1920:1080", &folder.join(name));
    }
    jpeg(&folder.join("0.jpg"), (3000, 2000), 90);
    for name in ["2.png", "4.bmp"] {
        image::RgbImage::from_fn(3000, 2000, |x, _| image::Rgb([(x % 251) as u8; 3]))
            .save(folder.join(name))
            .unwrap();
    }
    let sliced = ["--slice", "700"];
    for more in [&sliced[..0], &sliced[..]] {
        let run = |memory: &str| {
            let usual = [folder.to_str().unwrap(), "--memory", memory, "--workers", "3"];
            let arguments = [&usual[..], more].concat();
            user.run_capability("apply", "test/boxes", &arguments)
                .expect(0)
                .json_lines()
        };
        let expected = run("4GB");
        assert_eq!(expected.len(), 5);
        assert_eq!(run("64MB"), expected);
    }
}

/// Frames of a video that are too few for a batch wait for the picture behind it, for which there is room only when the video
/// has given back what it took.
#[test]
fn a_picture_after_a_short_video_finds_room() {
    let user = User::new();
    media::video(&user.path("v.mkv"), 25, 10);
    let folder = user.path("both");
    fs::create_dir(&folder).unwrap();
    scaled(&user.path("v.mkv"), "640:480", &folder.join("1.mkv"));
    image::RgbImage::from_pixel(3000, 2000, image::Rgb([7; 3]))
        .save(folder.join("2.png"))
        .unwrap();
    let arguments = [folder.to_str().unwrap(), "--memory", "64MB", "--batch-size", "8"];
    let told = user
        .run_capability("apply", "test/boxes", &arguments)
        .expect(0)
        .json_lines();
    assert_eq!(told.len(), 2);
}

/// Writes a video in another size.
fn scaled(video: &Path, size: &str, to: &Path) {
    let scale = format!("scale={size}:flags=neighbor");
    let arguments = ["-i", video.to_str().unwrap(), "-vf", &scale, "-c:v", "ffv1"];
    ffmpeg(&arguments, to);
}

#[test]
fn a_worker_that_dies_gives_its_memory_back() {
    let user = User::new();
    let folder = user.path("pictures");
    fs::create_dir(&folder).unwrap();
    for number in 0..12u8 {
        // Every fourth one ends the worker.
        let grey = if number % 4 == 2 { 0 } else { number };
        media::grey(&folder.join(format!("{number:02}.png")), 2500, 2000, grey);
    }
    let plugin = sample("misbehaving");
    let run = |memory: &str| {
        let words = ["apply", plugin.to_str().unwrap(), folder.to_str().unwrap()];
        let more = ["--set", "black=abort", "--memory", memory, "--batch-size", "12"];
        user.run([&words[..], &more].concat()).expect(8).json_lines()
    };
    let told = run("64MB");
    assert_eq!(told.len(), 12);
    let values = |lines: &[serde_json::Value]| -> Vec<serde_json::Value> {
        lines.iter().map(|line| line["predictions"].clone()).collect()
    };
    assert_eq!(values(&told), values(&run("4GB")));
}

#[test]
fn what_is_no_budget_is_refused_in_one_line() {
    let user = User::new();
    for size in ["0", "-5", "abc", "1MB", "", "5 elephants"] {
        let run = user
            .run(["apply", "./nowhere", "./nothing", "--memory", size])
            .expect(2);
        let expected = format!(
            "error: invalid value '{size}' for '--memory <SIZE>': it is a size from 64MB on, such as 500MB or 2GiB"
        );
        assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    }
    let user = user.with_config("default_memory = \"1MB\"");
    let run = user.run(["list"]).expect(1);
    assert!(
        run.error().contains("it is a size from 64MB on"),
        "{}",
        run.stderr
    );
}

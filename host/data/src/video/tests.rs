//! Videos are made by FFmpeg itself, with the number of each frame in its brightness.

use super::{Frame, Rate, Sampling, Video, VideoReason};
use std::{
    num::NonZeroU64,
    path::{Path, PathBuf},
    process::Command,
};

const BIKES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/video/bikes.mp4"
);

/// Makes a video of 40 x 24 pixels whose frame `n` is grey, `n * 8` bright, and black in its top left quarter.
fn make(folder: &Path, name: &str, frames: u64, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let source = format!(
        "color=size=40x24:rate=10:duration={},format=yuv444p,geq=lum='if(lt(X,20)*lt(Y,12),0,(N+1)*8)':cb=128:cr=128",
        frames as f64 / 10.0
    );
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-y", "-f", "lavfi", "-i", &source])
        .args(options)
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    path
}

fn decode(path: &Path, sampling: &Sampling) -> Vec<Frame> {
    let frames = Video::open(path).unwrap().frames(sampling).unwrap();
    frames.map(Result::unwrap).collect()
}

fn numbers(path: &Path, frames: &str, rate: Rate) -> Vec<u64> {
    let sampling = Sampling {
        frames: frames.parse().unwrap(),
        rate,
    };
    let frames = decode(path, &sampling);
    frames.iter().for_each(assert_shows_its_number);
    frames.iter().map(|frame| frame.number).collect()
}

/// Video levels 16 to 235 stand for 0 to 255.
fn assert_shows_its_number(frame: &Frame) {
    let expected = (frame.number as f64 * 8.0 - 16.0) * 255.0 / 219.0;
    let shown = frame
        .image
        .pixel(frame.image.width() - 1, frame.image.height() - 1)[1];
    assert!(
        (f64::from(shown) - expected.clamp(0.0, 255.0)).abs() <= 2.0,
        "frame {} is {shown} bright instead of {expected}",
        frame.number
    );
}

fn every(step: u64) -> Rate {
    Rate::Every(NonZeroU64::new(step).unwrap())
}

/// AVI's header counts frames that were dropped.
#[test]
fn dropped_frames_are_no_damage_in_avi() {
    let folder = tempfile::tempdir().unwrap();
    let [mode, passthrough] = crate::ffmpeg::every_frame_once();
    let options = [
        "-vf",
        "select='not(between(n,5,14))'",
        mode,
        passthrough,
        "-c:v",
        "mjpeg",
    ];
    let whole = make(folder.path(), "dropped.avi", 30, &options);
    let ending_of = |path: &Path| {
        let mut frames = Video::open(path).unwrap().frames(&Sampling::default()).unwrap();
        frames.by_ref().for_each(|frame| drop(frame.unwrap()));
        frames.ending()
    };
    let ending = ending_of(&whole);
    assert_eq!((ending.frame_count(), ending.warning()), (Some(20), None));
    let bytes = std::fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.avi");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let ending = ending_of(&cut);
    assert!(ending.frame_count().unwrap() < 20);
    assert!(ending.warning().unwrap().contains("its header says 30 frames"));
}

#[test]
fn every_frame_comes_once_with_its_number_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), "plain.mkv", 25, &["-c:v", "ffv1"]);
    let frames = decode(&path, &Sampling::default());
    assert_eq!(frames.len(), 25);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame.number, index as u64 + 1);
        assert!((frame.seconds.unwrap() - index as f64 / 10.0).abs() < 1e-3);
        assert_shows_its_number(frame);
    }
}

#[test]
fn frames_that_are_stored_out_of_order_come_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["-c:v", "libx264", "-crf", "10", "-bf", "3", "-g", "12"];
    let path = make(folder.path(), "b_frames.mp4", 25, &options);
    assert_eq!(numbers(&path, "1-", Rate::All), (1..=25).collect::<Vec<_>>());
    assert_eq!(numbers(&path, "14-16", Rate::All), [14, 15, 16]);
}

#[test]
fn frames_are_selected_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), "plain.mkv", 25, &["-c:v", "ffv1"]);
    assert_eq!(numbers(&path, "1-", every(10)), [1, 11, 21]);
    assert_eq!(numbers(&path, "4-9", every(2)), [4, 6, 8]);
    assert_eq!(numbers(&path, "25", Rate::All), [25]);
    assert_eq!(numbers(&path, "24-99", Rate::All), [24, 25]);
    for beyond in ["26-", "26-30"] {
        assert_eq!(numbers(&path, beyond, Rate::All), [0; 0]);
        let sampling = Sampling {
            frames: beyond.parse().unwrap(),
            rate: Rate::All,
        };
        let frames = Video::open(&path).unwrap().frames(&sampling).unwrap();
        let ending = frames.ending();
        assert_eq!(frames.count(), 0);
        assert_eq!(
            ending.warning(),
            Some("none of the video's 25 frames is among those wanted")
        );
    }
}

#[test]
fn frames_are_selected_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), "plain.mkv", 25, &["-c:v", "ffv1"]);
    assert_eq!(numbers(&path, "1-", Rate::PerSecond(2.0)), [1, 6, 11, 16, 21]);
    assert_eq!(numbers(&path, "1-", Rate::PerSecond(0.5)), [1, 21]);
    assert_eq!(numbers(&path, "9-", Rate::PerSecond(2.0)), [9, 11, 16, 21]);
    assert_eq!(numbers(&path, "1-", Rate::PerSecond(30.0)).len(), 25);
}

#[test]
fn a_variable_frame_rate_neither_drops_nor_repeats_frames() {
    let folder = tempfile::tempdir().unwrap();
    // Frame n is shown n * n / 10 seconds after the first.
    let options = ["-vf", "setpts=N*N/10/TB", "-vsync", "passthrough", "-c:v", "ffv1"];
    let path = make(folder.path(), "variable.mkv", 9, &options);
    let frames = decode(&path, &Sampling::default());
    let times: Vec<f64> = frames.iter().map(|frame| frame.seconds.unwrap()).collect();
    assert_eq!(times.len(), 9);
    for (index, time) in times.iter().enumerate() {
        assert!((time - (index * index) as f64 / 10.0).abs() < 2e-3, "{times:?}");
    }
    frames.iter().for_each(assert_shows_its_number);
    assert_eq!(numbers(&path, "1-", Rate::PerSecond(0.5)), [1, 6, 8, 9]);
}

#[test]
fn rotation_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), "upright.mp4", 5, &["-c:v", "libx264", "-crf", "5"]);
    // The display matrix of the track's header, in fixed point: a quarter turn clockwise (ISO/IEC 14496-12, 8.3.2).
    let mut bytes = std::fs::read(&path).unwrap();
    let header = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
    let matrix: Vec<u8> = [0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30]
        .iter()
        .flat_map(|number: &i32| number.to_be_bytes())
        .collect();
    bytes[header + 44..][..matrix.len()].copy_from_slice(&matrix);
    let turned = folder.path().join("turned.mp4");
    std::fs::write(&turned, bytes).unwrap();
    let video = Video::open(&turned).unwrap();
    assert_eq!(
        (video.metadata().frame_width, video.metadata().frame_height),
        (24, 40)
    );
    let frame = video
        .frames(&Sampling::default())
        .unwrap()
        .last()
        .unwrap()
        .unwrap();
    assert_eq!(frame.image.size(), (24, 40));
    // The top left quarter goes to the top right.
    assert!(frame.image.pixel(22, 2)[0] < 10);
    assert!(frame.image.pixel(2, 2)[0] > 20 && frame.image.pixel(22, 38)[0] > 20);
}

#[test]
fn the_facts_of_a_real_video_are_right() {
    let video = Video::open(BIKES).unwrap();
    let facts = video.metadata();
    assert_eq!((facts.frame_width, facts.frame_height), (640, 272));
    assert_eq!(facts.total_frame_count, Some(250));
    assert_eq!(facts.frame_rate, Some(25.0));
    assert_eq!(facts.duration, Some(10.0));
    assert_eq!(facts.encoding_str.as_deref(), Some("h264"));
    assert_eq!(facts.mime_type.as_deref(), Some("video/mp4"));
    let mut frames = video.frames(&Sampling::default()).unwrap();
    assert_eq!(frames.by_ref().map(Result::unwrap).count(), 250);
    assert_eq!(frames.ending().warning(), None);
    assert_eq!(frames.ending().frame_count(), Some(250));
}

#[test]
#[cfg(target_os = "linux")]
fn a_decoder_ends_when_its_frames_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("bikes.mp4");
    std::fs::copy(BIKES, &video).unwrap();
    // Of all processes, those with the video among their arguments.
    let decoders = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let arguments = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        let decodes = |arguments: &Vec<u8>| {
            let mut words = arguments.split(|&byte| byte == 0);
            words.any(|word| word.ends_with(video.as_os_str().as_encoded_bytes()))
        };
        arguments.filter(decodes).count()
    };
    let mut frames = Video::open(&video).unwrap().frames(&Sampling::default()).unwrap();
    frames.next().unwrap().unwrap();
    assert_eq!(decoders(), 1);
    drop(frames);
    assert_eq!(decoders(), 0);
}

#[test]
fn what_is_no_video_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |path: &Path| Video::open(path).unwrap_err().reason;
    let missing = folder.path().join("missing.mp4");
    assert!(matches!(reason(&missing), VideoReason::NotFound));

    let text = folder.path().join("text.mp4");
    std::fs::write(&text, "not a video").unwrap();
    let error = Video::open(&text).unwrap_err();
    assert!(matches!(error.reason, VideoReason::Unreadable { .. }), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");

    let sound = folder.path().join("sound.wav");
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-f", "lavfi", "-i", "sine=duration=0.1"])
        .arg(&sound)
        .status()
        .unwrap();
    assert!(made.success());
    assert!(matches!(reason(&sound), VideoReason::NoVideo));
}

#[test]
fn a_truncated_video_gives_the_frames_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let whole = make(folder.path(), "whole.mkv", 25, &["-c:v", "ffv1"]);
    let bytes = std::fs::read(whole).unwrap();
    let half = folder.path().join("half.mkv");
    std::fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let frames = Video::open(&half).unwrap().frames(&Sampling::default()).unwrap();
    let whole: Vec<Frame> = frames.map_while(Result::ok).collect();
    assert!((5..25).contains(&whole.len()), "{}", whole.len());
    // The last one may be the damaged one.
    whole[..whole.len() - 1].iter().for_each(assert_shows_its_number);
}

#[test]
fn names_that_look_like_options_or_protocols_are_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["-i.mkv", "http:x.mkv", "a b'c%d.mkv"] {
        let path = make(folder.path(), "made.mkv", 3, &["-c:v", "ffv1"]);
        let odd = folder.path().join(name);
        std::fs::rename(path, &odd).unwrap();
        assert_eq!(decode(&odd, &Sampling::default()).len(), 3, "{name}");
    }
}

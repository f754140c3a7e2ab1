//! What is in a video file, by `ffprobe`.

use super::{avi, command::command, error::VideoReason};
use crate::{
    ffmpeg::{FFPROBE, FfmpegError, Process, SILENCE_LIMIT, last_line, memory_for},
    media::DEFAULT_MAX_PIXELS,
    record::VideoMetadata,
};
use serde::Deserialize;
use std::{
    io::{self, Read as _},
    path::Path,
    process::{Child, ExitStatus},
    thread,
};

/// `ffprobe`'s JSON, as far as it is asked for. Numbers are text there.
#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize)]
struct Stream {
    codec_name: Option<String>,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    nb_frames: Option<String>,
    duration: Option<String>,
    #[serde(default)]
    side_data_list: Vec<SideData>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Default, Deserialize)]
struct Tags {
    rotate: Option<String>,
}

#[derive(Default, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
}

const ENTRIES: &str = "stream=codec_name,width,height,avg_frame_rate,r_frame_rate,nb_frames,duration\
    :stream_side_data=rotation:stream_tags=rotate:format=format_name,duration";

/// Reads the facts of a video's first video stream; and how many frames its header says that there are, where that is
/// exact.
pub(super) fn probe(path: &Path) -> Result<(VideoMetadata, Option<u64>), VideoReason> {
    let file = std::fs::metadata(path).map_err(|_| VideoReason::NotFound)?;
    // A pipe would be waited for, and a device may have no end.
    if !file.is_file() {
        return Err(VideoReason::NotAFile);
    }
    let (status, answer, log) = ask(path)?;
    if !status.success() {
        return Err(refusal(&log, path));
    }
    let probe: Probe = serde_json::from_slice(&answer).map_err(|error| VideoReason::Unreadable {
        message: format!("ffprobe's answer is not understood: {error}"),
    })?;
    let stream = probe.streams.first().ok_or(VideoReason::NoVideo)?;
    let metadata = stream.metadata(&probe.format, file.len());
    let (width, height) = (metadata.frame_width, metadata.frame_height);
    match u64::from(width) * u64::from(height) {
        0 => Err(VideoReason::NoVideo),
        pixels if pixels > DEFAULT_MAX_PIXELS => Err(VideoReason::TooLarge {
            width,
            height,
            max_pixels: DEFAULT_MAX_PIXELS,
        }),
        _ => Ok((metadata, stream.exact_frame_count(&probe.format, path))),
    }
}

/// Runs `ffprobe`: how it ended, its answer, and what it complained of.
fn ask(path: &Path) -> Result<(ExitStatus, Vec<u8>, String), VideoReason> {
    let options = [
        "-loglevel",
        "error",
        "-select_streams",
        // A cover picture is no video.
        "V:0",
        "-show_entries",
        ENTRIES,
        "-of",
        "json",
    ];
    let failure = |source| FfmpegError::from_start(FFPROBE, source);
    let command = command(FFPROBE, &options, path)?;
    let mut pipes = None;
    let take = |child: &mut Child| pipes = child.stdout.take().zip(child.stderr.take());
    let process = Process::spawn(command, memory_for((0, 0)), SILENCE_LIMIT, take).map_err(failure)?;
    let Some((mut stdout, mut stderr)) = pipes else {
        unreachable!("both are asked for as pipes");
    };
    let log = thread::spawn(move || {
        let mut text = Vec::new();
        // What cannot be read is not told; the exit code tells that there was an error.
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut answer = Vec::new();
    let read = || -> io::Result<ExitStatus> {
        stdout.read_to_end(&mut answer)?;
        process.wait()
    };
    let status = process.pulse().while_waiting(read).map_err(failure)?;
    if process.was_given_up() {
        return Err(FfmpegError::silent(FFPROBE, SILENCE_LIMIT).into());
    }
    Ok((status, answer, log.join().unwrap_or_default()))
}

/// Formats of sound alone.
const SOUND: [&str; 14] = [
    "wav", "mp3", "flac", "aac", "aiff", "ac3", "eac3", "amr", "caf", "au", "w64", "ape", "wv", "tta",
];

/// Why `ffprobe` did not read a file.
fn refusal(log: &str, path: &Path) -> VideoReason {
    // `[hls @ 0x55d0] Format not on whitelist '...'`
    let refused = log
        .lines()
        .find(|line| line.contains("Format not on whitelist"))
        .and_then(|line| line.strip_prefix('[')?.split_once(" @ "));
    match refused {
        Some((format, _)) if SOUND.contains(&format) => VideoReason::NoVideo,
        Some((format, _)) => VideoReason::NotRead {
            format: format.to_owned(),
        },
        None => VideoReason::Unreadable {
            message: last_line(log, path),
        },
    }
}

impl Stream {
    fn metadata(&self, format: &Format, size_bytes: u64) -> VideoMetadata {
        let (frame_width, frame_height) = if self.is_turned() {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        let frame_rate = [&self.avg_frame_rate, &self.r_frame_rate]
            .into_iter()
            .find_map(|rate| ratio(rate.as_deref()?));
        let duration = [&self.duration, &format.duration]
            .into_iter()
            .find_map(|seconds| seconds.as_deref()?.parse::<f64>().ok());
        let estimated = || Some((frame_rate? * duration?).round() as u64);
        VideoMetadata {
            size_bytes: Some(size_bytes),
            mime_type: mime_type(&format.format_name).map(str::to_owned),
            frame_width,
            frame_height,
            frame_rate,
            total_frame_count: match (self.counted(), self.shown(format)) {
                (Some(counted), Some(shown)) => Some(counted.min(shown)),
                (counted, _) => counted.or_else(estimated),
            },
            duration,
            encoding_str: self.codec_name.clone(),
        }
    }

    /// How many frames the header counts.
    fn counted(&self) -> Option<u64> {
        self.nb_frames.as_deref()?.parse().ok().filter(|&count| count > 0)
    }

    /// How many of the frames an edit list leaves, about, where it leaves out some.
    fn shown(&self, format: &Format) -> Option<u64> {
        let is_edited = format.is(&["mov", "mp4"]);
        let shown =
            ratio(self.avg_frame_rate.as_deref()?)? * self.duration.as_deref()?.parse::<f64>().ok()?;
        // Times are rounded; a frame that is shown in part at the edge does not count.
        let is_less = self.counted()? as f64 - shown > 0.5;
        (is_edited && is_less).then_some((shown + 1e-3).floor() as u64)
    }

    /// How many frames there must be: what the tables of the formats say that always have them. In AVI they count empty
    /// frames, too, and say something only where a part of the file is missing.
    fn exact_frame_count(&self, format: &Format, path: &Path) -> Option<u64> {
        let has_table = format.is(&["mov", "mp4"]);
        let is_cut = || format.is(&["avi"]) && avi::is_cut(path).unwrap_or(false);
        self.counted()
            .filter(|_| (has_table && self.shown(format).is_none()) || is_cut())
    }

    /// Whether the picture is shown turned by a quarter; other angles leave its sides as they are, as FFmpeg does. Older
    /// files of older programs say so in a tag.
    fn is_turned(&self) -> bool {
        let side_data = self.side_data_list.iter().find_map(|data| data.rotation);
        let tag = || self.tags.rotate.as_deref()?.parse().ok();
        let degrees: f64 = side_data.or_else(tag).unwrap_or(0.0);
        ((degrees.abs() % 180.0) - 90.0).abs() < 1.0
    }
}

impl Format {
    /// Whether it goes by one of the names.
    fn is(&self, names: &[&str]) -> bool {
        self.format_name.split(',').any(|name| names.contains(&name))
    }
}

/// A number such as `30000/1001`; `0/0` is none.
fn ratio(text: &str) -> Option<f64> {
    let (above, below) = text.split_once('/')?;
    let ratio = above.parse::<f64>().ok()? / below.parse::<f64>().ok()?;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// The media type of what FFmpeg calls a format.
fn mime_type(format_name: &str) -> Option<&'static str> {
    let names = format_name.split(',');
    names.into_iter().find_map(|name| {
        Some(match name {
            "mov" | "mp4" => "video/mp4",
            "matroska" => "video/x-matroska",
            "webm" => "video/webm",
            "avi" => "video/x-msvideo",
            "mpeg" | "mpegvideo" => "video/mpeg",
            "mpegts" => "video/mp2t",
            "asf" => "video/x-ms-wmv",
            "flv" => "video/x-flv",
            "ogg" => "video/ogg",
            "gif" => "image/gif",
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_ratios() {
        assert_eq!(ratio("25/1"), Some(25.0));
        assert_eq!(ratio("30000/1001"), Some(30000.0 / 1001.0));
        for text in ["0/0", "0/1", "1/0", "25", ""] {
            assert_eq!(ratio(text), None, "{text}");
        }
    }

    #[test]
    fn a_quarter_turn_swaps_the_sides() {
        let read = |json: &str| {
            serde_json::from_str::<Stream>(json)
                .unwrap()
                .metadata(&Format::default(), 1)
        };
        let turned = read(r#"{"width": 640, "height": 480, "side_data_list": [{"rotation": -90}]}"#);
        assert_eq!((turned.frame_width, turned.frame_height), (480, 640));
        let tagged = read(r#"{"width": 640, "height": 480, "tags": {"rotate": "270"}}"#);
        assert_eq!((tagged.frame_width, tagged.frame_height), (480, 640));
        let over = read(r#"{"width": 640, "height": 480, "side_data_list": [{"rotation": 180}]}"#);
        assert_eq!((over.frame_width, over.frame_height), (640, 480));
        for degrees in [45, -45, 135, 30] {
            let json =
                format!(r#"{{"width": 640, "height": 480, "side_data_list": [{{"rotation": {degrees}}}]}}"#);
            let aslant = read(&json);
            assert_eq!((aslant.frame_width, aslant.frame_height), (640, 480), "{degrees}");
        }
    }

    #[test]
    fn frames_are_estimated_where_the_file_does_not_count_them() {
        let stream: Stream = serde_json::from_str(
            r#"{"width": 4, "height": 4, "avg_frame_rate": "10/1", "duration": "2.52"}"#,
        )
        .unwrap();
        assert_eq!(stream.metadata(&Format::default(), 1).total_frame_count, Some(25));
    }
}

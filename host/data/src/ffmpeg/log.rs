//! What `ffmpeg` says while it decodes: the time of each frame, and complaints.
//!
//! The filter `showinfo` writes a line about each frame before the frame goes on. Two of them stand in the chain of
//! filters, one before frames are selected and one after it, and the number in the line's prefix tells them apart:
//! `[Parsed_showinfo_0 @ 0x55d0] [info] n:   3 pts:   1536 pts_time:0.12    pos: ...`.

use super::process::Pulse;
use std::{
    io::{BufRead, BufReader, Read},
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
};

/// A frame that comes out of the pipe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FrameInfo {
    /// Its number in the video, from 1.
    pub number: u64,
    /// Its time in seconds, where it has one.
    pub seconds: Option<f64>,
}

/// What was said when the program had ended.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// How many frames were decoded, those that nobody wanted included.
    pub decoded: u64,
    /// The first complaint, which is usually the cause of the others.
    pub first_error: Option<String>,
    /// The last one, which says why the program gave up.
    pub last_error: Option<String>,
    /// After which frame the picture's size changed, if it did.
    pub size_changed_after: Option<u64>,
}

/// Reads the log on a thread of its own, so that the program never waits for it.
#[derive(Debug)]
pub(crate) struct Log {
    frames: Receiver<FrameInfo>,
    thread: Option<JoinHandle<Summary>>,
}

impl Log {
    /// Every line is a sign of life.
    pub(crate) fn read(stderr: impl Read + Send + 'static, pulse: Pulse) -> Self {
        let (sender, frames) = channel();
        let thread = thread::spawn(move || read(BufReader::new(stderr), &sender, &pulse));
        Self {
            frames,
            thread: Some(thread),
        }
    }

    /// Facts about the next frame; `None` when the program said nothing about one.
    pub(crate) fn next_frame(&self) -> Option<FrameInfo> {
        self.frames.recv().ok()
    }

    /// Waits for the program's last word.
    pub(crate) fn finish(&mut self) -> Summary {
        let thread = self.thread.take();
        // The thread only takes text apart; had it panicked, it would have nothing to tell.
        thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

fn read(mut lines: impl BufRead, frames: &Sender<FrameInfo>, pulse: &Pulse) -> Summary {
    let mut summary = Summary::default();
    let mut decoded = 0;
    let mut line = Vec::new();
    // A line that cannot be read ends the log as its end does: the program's own end then says what is wrong.
    while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        pulse.beat();
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if let Some(rest) = showinfo(text, BEFORE_SELECTION) {
            if rest.starts_with("n:") {
                decoded += 1;
            } else if rest.starts_with("config in") && decoded > 0 {
                summary.size_changed_after.get_or_insert(decoded);
            }
        } else if let Some(rest) = showinfo(text, AFTER_SELECTION) {
            if rest.starts_with("n:") {
                let seconds = rest
                    .split_once("pts_time:")
                    .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
                // Nobody may be listening any more: the frames were enough.
                let _ = frames.send(FrameInfo {
                    number: decoded,
                    seconds,
                });
            }
        } else if let Some(error) = complaint(text) {
            summary.first_error.get_or_insert_with(|| error.to_owned());
            summary.last_error = Some(error.to_owned());
        }
        line.clear();
    }
    summary.decoded = decoded;
    summary
}

/// Which filter of the chain tells of every frame.
const BEFORE_SELECTION: &str = "[Parsed_showinfo_0 @";

/// Which filter of the chain tells of the frames that come out.
const AFTER_SELECTION: &str = "[Parsed_showinfo_2 @";

/// What a filter with a place in the chain says.
pub(super) fn showinfo<'a>(line: &'a str, filter: &str) -> Option<&'a str> {
    let (_, rest) = line.strip_prefix(filter)?.split_once("] [info] ")?;
    Some(rest)
}

/// The text of an error of the video's. What writes the frames complains about times that a file repeats: the frames are
/// whole, and their times are told as they are.
pub(super) fn complaint(line: &str) -> Option<&str> {
    let speaker = line.split_once(" @ ").map_or(line, |(speaker, _)| speaker);
    if speaker.ends_with("rawvideo") || line.contains("monotonically increasing dts to muxer") {
        return None;
    }
    ["[error] ", "[fatal] ", "[panic] "]
        .iter()
        .find_map(|level| line.split_once(level).map(|(_, text)| text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
[info] Input #0, matroska,webm, from 'file:a.mkv':
[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/12800, frame_rate: 25/1
[Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:      0 pts_time:0       pos:       48 fmt:yuv420p
[Parsed_showinfo_0 @ 0x1] [info] color_range:unknown
[rawvideo @ 0x9] [error] Application provided invalid, non monotonically increasing dts to muxer in stream 0: 2 >= 2
[h264 @ 0x2] [error] error while decoding MB 3 4
[Parsed_showinfo_0 @ 0x1] [info] n:   1 pts:    512 pts_time:0.04    pos:     9633 fmt:yuv420p
[Parsed_showinfo_2 @ 0x3] [info] n:   0 pts:    512 pts_time:0.04    pos:     9633 fmt:yuv420p
[Parsed_showinfo_0 @ 0x1] [info] n:   2 pts: NOPTS  pts_time:NOPTS   pos:       -1 fmt:yuv420p
[Parsed_showinfo_2 @ 0x3] [info] n:   1 pts: NOPTS  pts_time:NOPTS   pos:       -1 fmt:yuv420p
[Parsed_showinfo_0 @ 0x4] [info] config in time_base: 1/12800, frame_rate: 25/1
[fatal] out of memory
";

    #[test]
    fn frames_get_the_numbers_that_they_have_in_the_video() {
        let mut log = Log::read(LOG.as_bytes(), Pulse::new());
        assert_eq!(
            log.next_frame(),
            Some(FrameInfo {
                number: 2,
                seconds: Some(0.04)
            })
        );
        assert_eq!(
            log.next_frame(),
            Some(FrameInfo {
                number: 3,
                seconds: None
            })
        );
        assert_eq!(log.next_frame(), None);
        let summary = log.finish();
        assert_eq!(
            summary.first_error.as_deref(),
            Some("error while decoding MB 3 4")
        );
        assert_eq!(summary.last_error.as_deref(), Some("out of memory"));
        assert_eq!(summary.size_changed_after, Some(3));
        assert_eq!(summary.decoded, 3);
    }
}

//! Decoding frames through a pipe.

use super::{
    command::command,
    error::{VideoError, VideoReason},
    sampling::Sampling,
};
use crate::{
    ffmpeg::{
        FFMPEG, FfmpegError, FrameInfo, Log, Process, SILENCE_LIMIT, Summary, every_frame_once, memory_for,
    },
    media::RgbImage,
};
use std::{
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout},
    sync::{Arc, OnceLock},
};

/// A picture of a video.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its number in the video, counted from 1.
    pub number: u64,
    /// When it is shown, in seconds on the video's own clock, which need not begin at 0; `None` where the file does not
    /// say.
    pub seconds: Option<f64>,
    /// Its pixels, upright.
    pub image: RgbImage,
}

/// The frames of a video, decoded one after the other by a process that ends with this. Memory holds one frame, and
/// the few that the process works on.
#[derive(Debug)]
pub struct Frames {
    path: PathBuf,
    process: Process,
    pixels: BufReader<ChildStdout>,
    log: Log,
    width: u32,
    height: u32,
    selects: bool,
    /// Whether the video is decoded to its end, and not only as far as frames are wanted.
    is_whole: bool,
    /// How many frames there should be.
    expected: Option<u64>,
    last: u64,
    ending: Ending,
    ended: bool,
}

/// What is known of a video once its last frame has come. A copy knows it too, wherever the frames have gone.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<OnceLock<End>>);

#[derive(Debug)]
struct End {
    frame_count: Option<u64>,
    warning: Option<String>,
}

impl Ending {
    /// How many frames the video has, counted; `None` before the last one, and where decoding ended earlier because no
    /// more were wanted.
    pub fn frame_count(&self) -> Option<u64> {
        self.0.get()?.frame_count
    }

    /// One line about damage that could be decoded over, if there was any; or that no frame is among those wanted.
    pub fn warning(&self) -> Option<&str> {
        self.0.get()?.warning.as_deref()
    }
}

/// A file that frames are decoded from.
pub(super) struct FrameFile<'a> {
    /// What it is called, for whoever is told of it.
    pub(super) name: &'a Path,
    /// Where its content is.
    pub(super) path: &'a Path,
}

impl Frames {
    /// Decodes the frames, of this size, that `sampling` takes; `expected` is how many there are in all, where the file
    /// says so without doubt.
    pub(super) fn start(
        file: FrameFile<'_>,
        (width, height): (u32, u32),
        expected: Option<u64>,
        sampling: &Sampling,
    ) -> Result<Self, VideoReason> {
        let select = sampling.select_expression();
        let most = sampling.most().map(|most| most.to_string());
        let [mode, passthrough] = every_frame_once();
        // The last filter is there for videos whose size changes on the way: every frame fills its place in the pipe.
        let filters = format!(
            "showinfo=checksum=0,select='{}',showinfo=checksum=0,scale={width}:{height}",
            select.as_deref().unwrap_or("1"),
        );
        let options = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"];
        let mut command = command(FFMPEG, &options, file.path)?;
        command
            // `V`: a cover picture is no video.
            .args(["-map", "0:V:0", "-vf", &filters, mode, passthrough])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24"]);
        if let Some(most) = &most {
            command.args(["-frames:v", most]);
        }
        command.arg("pipe:1");
        let mut pipes = None;
        let take = |child: &mut Child| pipes = child.stdout.take().zip(child.stderr.take());
        let process = Process::spawn(command, memory_for((width, height)), SILENCE_LIMIT, take)
            .map_err(|error| FfmpegError::from_start(FFMPEG, error))?;
        let Some((stdout, stderr)) = pipes else {
            unreachable!("both are asked for as pipes");
        };
        Ok(Self {
            path: file.name.to_owned(),
            pixels: BufReader::with_capacity(1 << 16, stdout),
            log: Log::read(stderr, process.pulse().clone()),
            process,
            width,
            height,
            selects: select.is_some(),
            is_whole: most.is_none(),
            expected,
            last: 0,
            ending: Ending::default(),
            ended: false,
        })
    }

    /// What is known after the last frame.
    pub fn ending(&self) -> Ending {
        self.ending.clone()
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, VideoReason> {
        let mut data = vec![0; self.width as usize * self.height as usize * 3];
        let pixels = &mut self.pixels;
        let pulse = self.process.pulse();
        let length = pulse
            .while_waiting(|| read_whole(pixels, &mut data, || pulse.beat()))
            .map_err(|source| FfmpegError::Run {
                program: FFMPEG,
                source,
            })?;
        if length < data.len() {
            return self.end(length).map(|()| None);
        }
        let Some(FrameInfo { number, seconds }) = self.log.next_frame() else {
            return Err(self.failure("it gave a frame without a number"));
        };
        self.last = number;
        let Some(image) = RgbImage::from_raw(self.width, self.height, data) else {
            unreachable!("the buffer has the size of a frame");
        };
        Ok(Some(Frame {
            number,
            seconds,
            image,
        }))
    }

    /// Finds out whether the pipe's end is the video's.
    fn end(&mut self, bytes_left_over: usize) -> Result<(), VideoReason> {
        let status = self.process.wait().map_err(|source| FfmpegError::Run {
            program: FFMPEG,
            source,
        })?;
        if self.process.was_given_up() {
            return Err(FfmpegError::silent(FFMPEG, SILENCE_LIMIT).into());
        }
        let Summary {
            decoded,
            first_error,
            last_error,
            size_changed_after,
        } = self.log.finish();
        if let Some(after_frame) = size_changed_after.filter(|_| self.selects) {
            return Err(VideoReason::SizeChanges { after_frame });
        }
        if !status.success() || bytes_left_over > 0 {
            let message = last_error.unwrap_or_else(|| format!("ffmpeg ended with {status}"));
            return Err(self.failure(&message));
        }
        if self.last == 0 && !self.selects {
            let message = first_error.unwrap_or_else(|| "there are no frames in it".to_owned());
            return Err(self.failure(&message));
        }
        let frame_count = self.is_whole.then_some(decoded);
        let missing = self.expected.zip(frame_count).filter(|(said, came)| came < said);
        let missing = missing.map(|(said, came)| format!("its header says {said} frames, {came} came"));
        let complaints: Vec<String> = missing.into_iter().chain(first_error).collect();
        let warning = match complaints.is_empty() {
            false => Some(format!(
                "the video is damaged, frames may be wrong or missing: {}",
                complaints.join("; ")
            )),
            // Only a selection can leave out all of them.
            true => (self.last == 0)
                .then(|| format!("none of the video's {decoded} frames is among those wanted")),
        };
        // This is the first time and the last.
        let _ = self.ending.0.set(End { frame_count, warning });
        Ok(())
    }

    fn failure(&self, message: &str) -> VideoReason {
        VideoReason::Decoding {
            after_frame: self.last,
            message: message.to_owned(),
        }
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, VideoError>;

    /// The next frame. After an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self
            .read_frame()
            .map_err(|reason| reason.at(&self.path))
            .transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Fills `buffer`, or as much of it as there is; `came` is called whenever something has come.
fn read_whole(reader: &mut impl Read, buffer: &mut [u8], came: impl Fn()) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => {
                length += read;
                came();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

//! Decoding frames through a pipe.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};

use super::error::{VideoError, VideoReason};
use super::ffmpeg::{FFMPEG, command, every_frame_once};
use super::log::{FrameInfo, Log, Summary};
use super::sampling::Sampling;
use crate::media::RgbImage;

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
    child: Child,
    pixels: BufReader<ChildStdout>,
    log: Log,
    width: u32,
    height: u32,
    selects: bool,
    last: u64,
    warning: Option<String>,
    ended: bool,
}

impl Frames {
    pub(super) fn start(
        path: &Path,
        (width, height): (u32, u32),
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
        let mut command = command(FFMPEG, &options, path);
        command
            .args(["-map", "0:v:0", "-vf", &filters, mode, passthrough])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24"]);
        if let Some(most) = &most {
            command.args(["-frames:v", most]);
        }
        let mut child = command
            .arg("pipe:1")
            .spawn()
            .map_err(|error| VideoReason::from_start(FFMPEG, error))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            unreachable!("both are asked for as pipes");
        };
        Ok(Self {
            path: path.to_owned(),
            child,
            pixels: BufReader::with_capacity(1 << 16, stdout),
            log: Log::read(stderr),
            width,
            height,
            selects: select.is_some(),
            last: 0,
            warning: None,
            ended: false,
        })
    }

    /// After the last frame: one line about damage that could be decoded over, if there was any.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, VideoReason> {
        let mut data = vec![0; self.width as usize * self.height as usize * 3];
        let length = read_whole(&mut self.pixels, &mut data).map_err(|source| VideoReason::Run {
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
        let status = self.child.wait().map_err(|source| VideoReason::Run {
            program: FFMPEG,
            source,
        })?;
        let Summary {
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
        self.warning =
            first_error.map(|error| format!("the video is damaged, frames may be wrong or missing: {error}"));
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

impl Drop for Frames {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill, and waiting only collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fills `buffer`, or as much of it as there is.
fn read_whole(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

//! Writing frames as an MP4 file that any player shows, through FFmpeg.

use super::error::{VideoError, VideoReason};
use crate::{
    ffmpeg::{FFMPEG, FfmpegError, last_line, program, spawn_for_good},
    media::RgbImage,
    output::Temporary,
};
use modelzoo_base::file::{about, folder_of, temporary_file};
use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::JoinHandle,
};
use tempfile::NamedTempFile;

/// Writes a video of H.264, frame by frame, to a file that appears when it is finished.
#[derive(Debug)]
pub struct VideoWriter {
    path: PathBuf,
    file: NamedTempFile,
    _registered: Temporary,
    child: Child,
    log: Option<JoinHandle<String>>,
    size: (u32, u32),
}

impl VideoWriter {
    /// Begins a video of frames of this size in pixels, so many a second. Missing folders above `path` are made.
    ///
    /// # Errors
    /// When the file cannot be made, or FFmpeg is not there.
    pub fn create(path: impl AsRef<Path>, size: (u32, u32), frame_rate: f64) -> Result<Self, VideoError> {
        let path = path.as_ref();
        Self::start(path, size, frame_rate).map_err(|reason| reason.at(path))
    }

    fn start(path: &Path, size: (u32, u32), frame_rate: f64) -> Result<Self, VideoReason> {
        let (registered, file) =
            temporary_file(folder_of(path), ".mp4").map_err(|error| VideoReason::Write {
                source: about(path, error),
            })?;
        let mut command = program(FFMPEG, |least| {
            let mut with_file = least.with_write(file.path());
            with_file.has_limited_size = false;
            with_file
        })?;
        command
            .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24"])
            .args(["-video_size", &format!("{}x{}", size.0, size.1)])
            .args(["-framerate", &frame_rate.to_string(), "-i", "pipe:0"])
            // Players want colour at half the resolution, which needs even sides.
            .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])
            .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "20"])
            .args(["-movflags", "+faststart"])
            .arg(file.path());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = spawn_for_good(command).map_err(|error| FfmpegError::from_start(FFMPEG, error))?;
        let log = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                // What cannot be read is not told; the exit code tells that there was an error.
                let _ = stderr.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Self {
            path: path.to_owned(),
            file,
            _registered: registered,
            child,
            log,
            size,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// When it has another size than the video, or FFmpeg does not take it.
    pub fn write(&mut self, frame: &RgbImage) -> Result<(), VideoError> {
        if frame.size() != self.size {
            let (width, height) = self.size;
            let message = format!(
                "a frame of {}x{} pixels does not fit into a video of {width}x{height}",
                frame.width(),
                frame.height()
            );
            return Err(VideoReason::Encoding { message }.at(&self.path));
        }
        let Some(stdin) = self.child.stdin.as_mut() else {
            unreachable!("it is asked for as a pipe and taken by `finish` alone");
        };
        if stdin.write_all(frame.data()).is_ok() {
            return Ok(());
        }
        // FFmpeg has ended early; why it did is in its log.
        let reason = self.end().err().unwrap_or(VideoReason::Encoding {
            message: "ffmpeg ended early".to_owned(),
        });
        Err(reason.at(&self.path))
    }

    /// Puts the video in its place.
    ///
    /// # Errors
    /// When FFmpeg fails, or the file cannot be moved there.
    pub fn finish(mut self) -> Result<(), VideoError> {
        self.end()
            .and_then(|()| {
                let Self { file, path, .. } = &self;
                // The name is what counts: FFmpeg may have replaced the file.
                std::fs::rename(file.path(), path).map_err(|source| VideoReason::Write { source })
            })
            .map_err(|reason| reason.at(&self.path))
    }

    /// Waits for FFmpeg.
    fn end(&mut self) -> Result<(), VideoReason> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|source| FfmpegError::Run {
            program: FFMPEG,
            source,
        })?;
        if status.success() {
            return Ok(());
        }
        let log = self
            .log
            .take()
            .and_then(|log| log.join().ok())
            .unwrap_or_default();
        Err(VideoReason::Encoding {
            message: last_line(&log, self.file.path()),
        })
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        // After `finish` it has ended; before that nobody wants what it makes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::{Sampling, Video};

    fn grey(value: u8) -> RgbImage {
        RgbImage::from_raw(41, 25, vec![value; 41 * 25 * 3]).unwrap()
    }

    #[test]
    fn frames_come_out_as_they_went_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/made.mp4");
        let mut writer = VideoWriter::create(&path, (41, 25), 12.5).unwrap();
        for value in [40, 120, 200] {
            writer.write(&grey(value)).unwrap();
        }
        assert!(!path.exists());
        writer.finish().unwrap();
        let video = Video::open(&path).unwrap();
        assert_eq!(video.metadata().frame_rate, Some(12.5));
        let shown: Vec<u8> = video
            .frames(&Sampling::default())
            .unwrap()
            .map(|frame| frame.unwrap().image.pixel(10, 10)[0])
            .collect();
        for (shown, expected) in shown.iter().zip([40u8, 120, 200]) {
            assert!(shown.abs_diff(expected) < 8, "{shown} instead of {expected}");
        }
        assert_eq!(shown.len(), 3);
    }

    #[test]
    fn a_frame_of_another_size_is_refused_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = VideoWriter::create(folder.path().join("a.mp4"), (40, 24), 10.0).unwrap();
        let error = writer.write(&grey(1)).unwrap_err().to_string();
        assert!(
            error.ends_with("a frame of 41x25 pixels does not fit into a video of 40x24"),
            "{error}"
        );
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

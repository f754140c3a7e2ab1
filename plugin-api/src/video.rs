//! Videos as the host hands them over: a reader that pulls one frame after the other.

use crate::{Error, Host, Image, Result, service};
use serde::{Deserialize, Serialize};

/// What is known of a video before its frames.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VideoInfo {
    /// Columns of a frame, after rotation.
    pub width: usize,
    /// Rows of a frame, after rotation.
    pub height: usize,
    /// Frames in a second, on average.
    pub frame_rate: f64,
    /// How many frames the reader will give, where the container tells.
    pub frame_count: Option<u64>,
    /// Length in seconds, where the container tells.
    pub duration: Option<f64>,
}

/// One frame of a video.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    number: u64,
    time: f64,
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Frame {
    /// A frame of `height` x `width` x 3 bytes (red, green, blue).
    ///
    /// # Errors
    /// When the pixels do not fill the frame.
    pub fn new(number: u64, time: f64, width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        Image::new(width, height, &pixels)?;
        Ok(Self {
            number,
            time,
            width,
            height,
            pixels,
        })
    }

    /// Its number in the video, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When it is shown, in seconds from the start.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// Its pixels.
    ///
    /// # Errors
    /// Never for a frame that [`Frame::new`] made.
    pub fn image(&self) -> Result<Image<'_>> {
        Image::new(self.width, self.height, &self.pixels)
    }
}

/// A video whose frames are pulled from the host, in order. The host decodes ahead only as far as its bounds allow.
#[derive(Debug)]
pub struct Video {
    info: VideoInfo,
    reader: u64,
    host: Host,
}

impl Video {
    /// The video that the host knows as `reader`.
    #[doc(hidden)]
    pub fn new(info: VideoInfo, reader: u64, host: Host) -> Self {
        Self { info, reader, host }
    }

    /// What is known of it before its frames.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// The next frame, or `None` after the last.
    ///
    /// # Errors
    /// When the video is damaged there.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        let arguments = service::FrameRequest { reader: self.reader };
        let (header, mut buffers) = self.host.call_with_buffers(service::NEXT_FRAME, &arguments)?;
        let header: Option<service::FrameHeader> = header;
        header
            .map(|header| {
                let pixels = buffers
                    .pop()
                    .ok_or_else(|| Error::new("the host sent a frame without pixels"))?;
                Frame::new(header.number, header.time, header.width, header.height, pixels)
            })
            .transpose()
    }
}

//! What is known about a picture's file.

use super::format::ImageFormat;
use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

/// Facts about a picture's file, with the names that FiftyOne's `ImageMetadata` gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "_cls", rename = "ImageMetadata")]
pub struct Metadata {
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Media type found from the content, such as `image/jpeg`.
    pub mime_type: String,
    /// Width in pixels, after EXIF orientation.
    pub width: u32,
    /// Height in pixels, after EXIF orientation.
    pub height: u32,
    /// Colour and alpha channels in the file: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha, or CMYK.
    /// A palette counts as the colours it holds.
    pub num_channels: u8,
}

/// What a file's header says of the pixels as they are stored, not turned yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// As in [`Metadata::num_channels`].
    pub num_channels: u8,
}

impl Header {
    /// The facts of a file of so many bytes that is shown turned.
    pub fn metadata(&self, size_bytes: usize, format: ImageFormat, orientation: Orientation) -> Metadata {
        let (width, height) = match orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (self.height, self.width),
            _ => (self.width, self.height),
        };
        Metadata {
            size_bytes: size_bytes as u64,
            mime_type: format.mime_type().to_owned(),
            width,
            height,
            num_channels: self.num_channels,
        }
    }
}

//! A decoded picture and what is known about its file.

use image::DynamicImage;
use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

use super::pixel_box::PixelBox;

/// An 8-bit RGB picture in memory: rows from top to bottom, three bytes a pixel, no padding.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
    /// `height * width * 3` bytes, HWC.
    pub data: Vec<u8>,
}

impl RgbImage {
    /// Wraps pixels. Returns `None` unless `data` holds exactly `width * height * 3` bytes and is not empty.
    pub fn from_raw(width: u32, height: u32, data: Vec<u8>) -> Option<Self> {
        let expected = u64::from(width) * u64::from(height) * 3;
        (expected > 0 && data.len() as u64 == expected).then_some(Self { width, height, data })
    }

    /// The three bytes at column `x`, row `y`. Panics outside of the picture, as indexing a slice does.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let start = (y as usize * self.width as usize + x as usize) * 3;
        [self.data[start], self.data[start + 1], self.data[start + 2]]
    }

    /// The part of the picture within a box.
    ///
    /// # Errors
    /// `None` when the box reaches beyond the picture or is empty.
    pub fn cropped(&self, part: PixelBox) -> Option<Self> {
        let (right, bottom) = (part.x.checked_add(part.width)?, part.y.checked_add(part.height)?);
        if right > self.width || bottom > self.height {
            return None;
        }
        let row_bytes = self.width as usize * 3;
        let data = (part.y as usize..bottom as usize)
            .flat_map(|row| &self.data[row * row_bytes..][part.x as usize * 3..right as usize * 3])
            .copied()
            .collect();
        Self::from_raw(part.width, part.height, data)
    }

    /// The picture turned and mirrored as EXIF's orientation tag asks.
    pub(crate) fn oriented(self, orientation: Orientation) -> Self {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        let Self { width, height, data } = self;
        let Some(buffer) = image::RgbImage::from_raw(width, height, data) else {
            unreachable!("an RgbImage always holds width * height * 3 bytes");
        };
        let mut picture = DynamicImage::ImageRgb8(buffer);
        picture.apply_orientation(orientation);
        let picture = picture.into_rgb8();
        Self {
            width: picture.width(),
            height: picture.height(),
            data: picture.into_raw(),
        }
    }
}

impl std::fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbImage({}x{})", self.width, self.height)
    }
}

/// Facts about a picture's file, with the names that FiftyOne's `ImageMetadata` gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_cut_out_within_the_picture_only() {
        let picture = RgbImage::from_raw(3, 2, (0..18).collect()).expect("fits");
        let part = |x, y, width, height| picture.cropped(PixelBox { x, y, width, height });
        assert_eq!(part(1, 1, 2, 1).expect("inside").data, [12, 13, 14, 15, 16, 17]);
        assert_eq!(part(0, 0, 3, 2), Some(picture.clone()));
        assert_eq!(part(2, 0, 2, 1), None);
        assert_eq!(part(0, 0, 0, 1), None);
        assert_eq!(part(u32::MAX, 0, 2, 1), None);
    }
}

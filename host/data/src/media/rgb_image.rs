//! A picture in memory.

use super::{
    pixel_box::PixelBox,
    pixels::{PixelMemory, Pixels},
};
use image::{DynamicImage, metadata::Orientation};
use std::num::NonZeroU32;

/// An 8-bit RGB picture in memory: rows from top to bottom, three bytes a pixel, no padding. It has one pixel at least,
/// and always as many bytes as its size says.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    data: Pixels,
}

impl RgbImage {
    /// Wraps pixels. Returns `None` unless `data` holds exactly `width * height * 3` bytes and is not empty.
    pub fn from_raw(width: u32, height: u32, data: Vec<u8>) -> Option<Self> {
        Self::from_pixels(width, height, data.into())
    }

    /// The same wherever the pixels lie.
    pub(super) fn from_pixels(width: u32, height: u32, data: Pixels) -> Option<Self> {
        let expected = (u64::from(width) * u64::from(height)).checked_mul(3)?;
        (expected > 0 && data.len() as u64 == expected).then_some(Self { width, height, data })
    }

    /// A picture whose pixels are what `pixel` gives for each column and row.
    pub fn from_fn(width: NonZeroU32, height: NonZeroU32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        let (width, height) = (width.get(), height.get());
        let pixel = &pixel;
        let data: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
            .collect();
        Self {
            width,
            height,
            data: data.into(),
        }
    }

    /// Columns, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Columns and rows.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The pixels: `height * width * 3` bytes, HWC.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The pixels: `height * width * 3` bytes, HWC.
    pub fn into_data(self) -> Vec<u8> {
        self.data.into_vec()
    }

    /// The same picture with its pixels in `memory`, if it has room for them and they are not in such memory already.
    pub fn moved_to(self, memory: &dyn PixelMemory) -> Self {
        Self {
            data: self.data.moved_to(memory),
            ..self
        }
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
    pub(super) fn oriented(self, orientation: Orientation) -> Self {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        let Self { width, height, data } = self;
        let Some(buffer) = image::RgbImage::from_raw(width, height, data.into_vec()) else {
            unreachable!("an RgbImage always holds width * height * 3 bytes");
        };
        let mut picture = DynamicImage::ImageRgb8(buffer);
        picture.apply_orientation(orientation);
        let picture = picture.into_rgb8();
        Self {
            width: picture.width(),
            height: picture.height(),
            data: picture.into_raw().into(),
        }
    }
}

impl std::fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbImage({}x{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::pixels::{Heap, PixelBlock},
        *,
    };
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn only_as_many_bytes_as_the_size_says_are_a_picture() {
        assert!(RgbImage::from_raw(2, 1, vec![0; 6]).is_some());
        for (width, height, bytes) in [
            (2, 1, 5),
            (2, 1, 7),
            (0, 1, 0),
            (0, 0, 0),
            (u32::MAX, u32::MAX, 3),
        ] {
            assert_eq!(RgbImage::from_raw(width, height, vec![0; bytes]), None);
        }
    }

    #[test]
    fn pixels_move_once_and_only_where_there_is_room() {
        struct Room(AtomicUsize);
        impl PixelMemory for Room {
            fn take(&self, bytes: usize) -> Option<Box<dyn PixelBlock>> {
                self.0.fetch_add(1, Ordering::Relaxed);
                Some(Box::new(vec![0; bytes]))
            }
        }
        let picture = RgbImage::from_raw(3, 2, (0..18).collect()).expect("fits");
        let room = Room(AtomicUsize::new(0));
        let moved = picture.clone().moved_to(&room);
        assert_eq!(moved, picture);
        assert_eq!(moved.moved_to(&room), picture);
        assert_eq!(room.0.into_inner(), 1);
        assert_eq!(picture.clone().moved_to(&Heap), picture);
    }

    #[test]
    fn a_part_is_cut_out_within_the_picture_only() {
        let picture = RgbImage::from_raw(3, 2, (0..18).collect()).expect("fits");
        let part = |x, y, width, height| picture.cropped(PixelBox { x, y, width, height });
        assert_eq!(part(1, 1, 2, 1).expect("inside").data(), [12, 13, 14, 15, 16, 17]);
        assert_eq!(part(0, 0, 3, 2), Some(picture.clone()));
        assert_eq!(part(2, 0, 2, 1), None);
        assert_eq!(part(0, 0, 0, 1), None);
        assert_eq!(part(u32::MAX, 0, 2, 1), None);
    }
}

//! What is done to a decoded picture before it is shown.

use super::boxes::{Fault, Reader};
use crate::media::{pixel_box::PixelBox, rgb_image::RgbImage};
use image::metadata::Orientation;

/// A step on the way to the picture as it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Transform {
    Turn(Orientation),
    Crop(Aperture),
}

/// The part that is shown, in fractions: its size, and how far its middle lies from that of the picture (ISO/IEC
/// 14496-12, 12.1.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Aperture {
    size: [f64; 2],
    offset: [f64; 2],
}

impl Aperture {
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut fraction = || -> Result<f64, Fault> {
            let (above, below) = (reader.u32()?, reader.u32()?);
            match below {
                0 => Err(Fault::corrupt("the part that is to be shown is none")),
                below => Ok(f64::from(above.cast_signed()) / f64::from(below)),
            }
        };
        let [width, height, right, down] = [fraction()?, fraction()?, fraction()?, fraction()?];
        Ok(Self {
            size: [width, height],
            offset: [right, down],
        })
    }

    /// The part of a picture of this size.
    fn within(&self, (width, height): (u32, u32)) -> Result<PixelBox, Fault> {
        let side = |side: usize, whole: u32| {
            let (length, whole) = (self.size[side], f64::from(whole));
            let start = self.offset[side] + (whole - length) / 2.0;
            let start = (start + 0.5).floor();
            let end = (start + (length + 0.5).floor()).min(whole);
            let start = start.max(0.0);
            (end - start >= 1.0).then_some((start as u32, (end - start) as u32))
        };
        let ((x, width), (y, height)) = side(0, width)
            .zip(side(1, height))
            .ok_or(Fault::corrupt("the part that is to be shown is none"))?;
        Ok(PixelBox { x, y, width, height })
    }
}

impl Transform {
    /// The size that it makes of a size.
    pub fn size(&self, (width, height): (u32, u32)) -> Result<(u32, u32), Fault> {
        match self {
            Self::Turn(Orientation::Rotate90 | Orientation::Rotate270) => Ok((height, width)),
            Self::Turn(_) => Ok((width, height)),
            Self::Crop(aperture) => {
                let part = aperture.within((width, height))?;
                Ok((part.width, part.height))
            }
        }
    }

    pub fn apply(&self, image: RgbImage) -> Result<RgbImage, Fault> {
        match self {
            Self::Turn(orientation) => Ok(image.oriented(*orientation)),
            Self::Crop(aperture) => {
                let part = aperture.within(image.size())?;
                let cropped = image.cropped(part);
                cropped.ok_or(Fault::corrupt("the part that is to be shown is none"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_is_shown_lies_about_the_middle() {
        let aperture = |numbers: [i32; 8]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
            Aperture::read(&mut Reader(&bytes)).and_then(|aperture| aperture.within((84, 64)))
        };
        let part = aperture([83, 1, 61, 1, -1, 2, -3, 2]).expect("it is within");
        assert_eq!((part.x, part.y, part.width, part.height), (0, 0, 83, 61));
        let middle = aperture([10, 1, 10, 1, 0, 1, 0, 1]).expect("it is within");
        assert_eq!(
            (middle.x, middle.y, middle.width, middle.height),
            (37, 27, 10, 10)
        );
        // Beyond the picture it is cut.
        let wide = aperture([1000, 1, 10, 1, 0, 1, 0, 1]).expect("it is within");
        assert_eq!((wide.x, wide.width), (0, 84));
        for nothing in [
            [10, 0, 10, 1, 0, 1, 0, 1],
            [0, 1, 10, 1, 0, 1, 0, 1],
            [-5, 1, 10, 1, 0, 1, 0, 1],
            [10, 1, 10, 1, 5000, 1, 0, 1],
        ] {
            assert!(aperture(nothing).is_err(), "{nothing:?}");
        }
    }
}

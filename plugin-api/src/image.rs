//! Pictures as the host hands them over.

use crate::{Error, ErrorKind, Result};

/// A picture: unsigned bytes, height x width x 3 (red, green, blue), row by row from the top, without padding.
///
/// The pixels are borrowed from the host for the length of the call; nothing is copied on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    width: usize,
    height: usize,
    pixels: &'a [u8],
}

impl<'a> Image<'a> {
    /// A picture over borrowed pixels.
    ///
    /// # Errors
    /// When the pixels are not `height * width * 3` bytes, or there are none.
    pub fn new(width: usize, height: usize, pixels: &'a [u8]) -> Result<Self> {
        let expected = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3));
        if expected != Some(pixels.len()) || pixels.is_empty() {
            return Err(Error::new(format!(
                "a picture of {width} x {height} pixels cannot have {} bytes",
                pixels.len()
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// Columns, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All bytes, `height * width * 3` of them.
    pub fn pixels(&self) -> &'a [u8] {
        self.pixels
    }

    /// `[red, green, blue]` of the pixel in column `x` and row `y`, or `None` outside of the picture.
    pub fn pixel(&self, x: usize, y: usize) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y * self.width + x) * 3;
        self.pixels.get(start..start + 3)?.try_into().ok()
    }
}

impl std::fmt::Debug for Image<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Image({} x {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_must_fill_the_picture() {
        assert!(Image::new(2, 2, &[0; 12]).is_ok());
        assert!(Image::new(2, 2, &[0; 11]).is_err());
        assert!(Image::new(0, 2, &[]).is_err());
        assert!(Image::new(usize::MAX, 2, &[0; 6]).is_err());
    }

    #[test]
    fn a_pixel_is_found_by_column_and_row() {
        let pixels: Vec<u8> = (0..18).collect();
        let image = Image::new(3, 2, &pixels).unwrap();
        assert_eq!(image.pixel(1, 1), Some([12, 13, 14]));
        assert_eq!(image.pixel(3, 0), None);
    }
}

//! Pictures from files: any common format in, 8-bit RGB out.
//!
//! The format is found from the content, never from the file's name. Pixels are those that Pillow's
//! `Image.open(path).convert("RGB")` gives, followed by `ImageOps.exif_transpose`: JPEG is decoded by libjpeg-turbo
//! with the same settings and is equal bit for bit. The one deliberate difference: 16-bit samples keep their high
//! byte, as OpenCV does; Pillow clips 16-bit greyscale at 255, which turns most such pictures white.

mod decode;
mod error;
mod format;
mod jpeg;
mod pixel_box;
mod raster;
mod rgb_image;

pub use decode::{DEFAULT_MAX_PIXELS, Decoded, Decoder};
pub use error::{DecodeError, MediaError};
pub use format::ImageFormat;
pub use pixel_box::PixelBox;
pub use rgb_image::{Metadata, RgbImage};

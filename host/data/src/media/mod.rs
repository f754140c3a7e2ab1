//! Pictures from files: any common format in, 8-bit RGB out.
//!
//! The format is found from the content, never from the file's name. Pixels are those that Pillow's
//! `Image.open(path).convert("RGB")` gives, followed by `ImageOps.exif_transpose`: JPEG is decoded by libjpeg-turbo
//! with the same settings and is equal bit for bit. The one deliberate difference: samples of more than 8 bits are
//! brought to 8 by a rule of their own ([`Rescale`]); Pillow clips grey ones at 255, which turns most such pictures white.
//!
//! What HEIC and AVIF hold is coded as in videos: FFmpeg's program decodes it, shut in.

mod bytes;
mod decode;
mod depth;
mod error;
mod format;
mod gif;
mod heif;
mod ifd;
mod jpeg;
mod jpeg_2000;
mod jpeg_xl;
mod metadata;
mod orientation;
mod pixel_box;
mod pixels;
mod png;
mod raster;
mod rgb_image;
mod tiff;
mod webp;

#[cfg(feature = "video")]
pub use crate::ffmpeg::{FfmpegError, shut_ffmpeg_in};
pub use decode::{DEFAULT_MAX_PIXELS, Decoded, Decoder};
pub use depth::Rescale;
pub use error::{DecodeError, MediaError};
pub use format::ImageFormat;
pub use metadata::Metadata;
pub use pixel_box::PixelBox;
pub use pixels::{PixelBlock, PixelMemory};
pub use rgb_image::RgbImage;

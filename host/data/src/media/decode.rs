//! From a file or its bytes to pixels and facts.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::metadata::Orientation;

use super::error::{DecodeError, MediaError};
use super::format::ImageFormat;
use super::rgb_image::{Metadata, RgbImage};
use super::{jpeg, raster};

/// The default limit on a picture's pixels: the number at which Pillow refuses a "decompression bomb".
pub const DEFAULT_MAX_PIXELS: u64 = 178_956_970;

/// Decodes pictures. Cheap to make and to copy; one serves any number of threads.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    max_pixels: u64,
}

/// What decoding a file gives.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The pixels, upright.
    pub image: RgbImage,
    /// The file's facts.
    pub metadata: Metadata,
    /// One line about damage that could be decoded over (some of the picture may be wrong), if there was any.
    pub warning: Option<String>,
}

/// What a file's header says, before EXIF orientation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub width: u32,
    pub height: u32,
    pub num_channels: u8,
    pub orientation: Orientation,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            max_pixels: DEFAULT_MAX_PIXELS,
        }
    }
}

impl Decoder {
    /// The same decoder with another limit on `width * height`; beyond it a picture is refused before any memory is
    /// taken for its pixels.
    pub fn with_max_pixels(self, max_pixels: u64) -> Self {
        Self { max_pixels }
    }

    /// Decodes a file.
    pub fn decode_path(&self, path: impl AsRef<Path>) -> Result<Decoded, MediaError> {
        let path = path.as_ref();
        read_file(path)
            .and_then(|bytes| self.decode_bytes(&bytes))
            .map_err(|reason| MediaError {
                path: path.to_owned(),
                reason,
            })
    }

    /// Decodes a file's content.
    pub fn decode_bytes(&self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        let format = ImageFormat::detect(bytes)?;
        let (header, image, warning) = match format {
            ImageFormat::Jpeg => {
                let header = jpeg::read_header(bytes)?;
                self.check_size(&header)?;
                let (image, warning) = jpeg::decode(bytes)?;
                (header, image, warning)
            }
            _ => {
                let mut decoder = raster::Reader::open(bytes, format)?;
                let header = decoder.header()?;
                self.check_size(&header)?;
                (header, decoder.decode(self.max_pixels)?, None)
            }
        };
        let metadata = header.metadata(bytes, format);
        Ok(Decoded {
            image: image.oriented(header.orientation),
            metadata,
            warning,
        })
    }

    /// Reads a file's facts without decoding its pixels.
    pub fn read_metadata(&self, path: impl AsRef<Path>) -> Result<Metadata, MediaError> {
        let path = path.as_ref();
        read_file(path)
            .and_then(|bytes| self.read_metadata_bytes(&bytes))
            .map_err(|reason| MediaError {
                path: path.to_owned(),
                reason,
            })
    }

    /// Reads the facts of a file's content without decoding its pixels.
    pub fn read_metadata_bytes(&self, bytes: &[u8]) -> Result<Metadata, DecodeError> {
        let format = ImageFormat::detect(bytes)?;
        let header = match format {
            ImageFormat::Jpeg => jpeg::read_header(bytes)?,
            _ => raster::Reader::open(bytes, format)?.header()?,
        };
        Ok(header.metadata(bytes, format))
    }

    fn check_size(&self, header: &Header) -> Result<(), DecodeError> {
        let Header { width, height, .. } = *header;
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(DecodeError::TooLarge {
                width,
                height,
                max_pixels: self.max_pixels,
            });
        }
        Ok(())
    }
}

impl Header {
    fn metadata(&self, bytes: &[u8], format: ImageFormat) -> Metadata {
        let (width, height) = match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (self.height, self.width),
            _ => (self.width, self.height),
        };
        Metadata {
            size_bytes: bytes.len() as u64,
            mime_type: format.mime_type().to_owned(),
            width,
            height,
            num_channels: self.num_channels,
        }
    }
}

/// Reads a whole file; a folder is told apart on every system (on some, opening one is "permission denied"). Nothing else
/// is read either: a pipe would be waited for, and a device may have no end.
fn read_file(path: &Path) -> Result<Vec<u8>, DecodeError> {
    let kind = path.metadata()?.file_type();
    if kind.is_dir() {
        return Err(DecodeError::IsFolder);
    }
    if !kind.is_file() {
        return Err(DecodeError::NotAFile);
    }
    let mut file = File::open(path)?;
    let mut bytes = Vec::with_capacity(file.metadata()?.len() as usize);
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

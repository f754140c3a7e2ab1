//! From a file or its bytes to pixels and facts.

use super::{
    depth::Rescale,
    error::{DecodeError, MediaError},
    format::ImageFormat,
    gif, heif, jpeg, jpeg_2000, jpeg_xl,
    metadata::{Header, Metadata},
    orientation,
    pixels::{Heap, PixelMemory},
    raster,
    rgb_image::RgbImage,
    tiff,
};
use crate::panics::contained;
use image::metadata::Orientation;
use std::{fs::File, io::Read, num::NonZeroU32, path::Path};

/// The default limit on a picture's pixels: the number at which Pillow refuses a "decompression bomb".
pub const DEFAULT_MAX_PIXELS: u64 = 178_956_970;

/// Decodes pictures. Cheap to make and to copy; one serves any number of threads.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    max_pixels: u64,
    rescale: Rescale,
    page: NonZeroU32,
}

/// What decoding a file gives.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The pixels, upright. There are fewer than the facts say where these are too many, and a file (TIFF) has a smaller
    /// version itself; the warning says so.
    pub image: RgbImage,
    /// The file's facts.
    pub metadata: Metadata,
    /// One line about damage that could be decoded over (some of the picture may be wrong), if there was any.
    pub warning: Option<String>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            max_pixels: DEFAULT_MAX_PIXELS,
            rescale: Rescale::default(),
            page: NonZeroU32::MIN,
        }
    }
}

impl Decoder {
    /// The same decoder with another limit on `width * height`; beyond it a picture is refused before any memory is
    /// taken for its pixels, but for a TIFF file that has a smaller version itself, which is taken.
    pub fn with_max_pixels(self, max_pixels: u64) -> Self {
        Self { max_pixels, ..self }
    }

    /// The same decoder with another way to bring samples of more than 8 bits to 8.
    pub fn with_rescale(self, rescale: Rescale) -> Self {
        Self { rescale, ..self }
    }

    /// The same decoder for another page of files that have several (TIFF), counted from 1.
    pub fn with_page(self, page: NonZeroU32) -> Self {
        Self { page, ..self }
    }

    /// Decodes a file, or what is behind a URL.
    pub fn decode_path(&self, path: impl AsRef<Path>) -> Result<Decoded, MediaError> {
        self.decode_path_into(path.as_ref(), &Heap)
    }

    /// The same; pixels that can be decoded in place are written to `memory`, if it has room for them.
    pub fn decode_path_into(&self, path: &Path, memory: &dyn PixelMemory) -> Result<Decoded, MediaError> {
        read_file(path)
            .and_then(|bytes| self.decode_bytes_into(&bytes, memory))
            .map_err(|reason| reason.at(path))
    }

    /// Decodes the content of what is called `name`; pixels that can be decoded in place are written to `memory`, if it
    /// has room for them.
    pub fn decode_named_into(
        &self,
        name: &Path,
        bytes: &[u8],
        memory: &dyn PixelMemory,
    ) -> Result<Decoded, MediaError> {
        self.decode_bytes_into(bytes, memory)
            .map_err(|reason| reason.at(name))
    }

    /// Decodes a file's content.
    pub fn decode_bytes(&self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        self.decode_bytes_into(bytes, &Heap)
    }

    fn decode_bytes_into(&self, bytes: &[u8], memory: &dyn PixelMemory) -> Result<Decoded, DecodeError> {
        let format = ImageFormat::detect(bytes)?;
        guarded(format, || {
            let orientation = orientation::of_file(bytes, format);
            let is_upright = orientation == Orientation::NoTransforms;
            let (header, image, warning) = self.pixels(bytes, format, memory, is_upright)?;
            Ok(Decoded {
                image: image.oriented(orientation),
                metadata: header.metadata(bytes.len(), format, orientation),
                warning,
            })
        })
    }

    /// Reads a file's facts without decoding its pixels.
    pub fn read_metadata(&self, path: impl AsRef<Path>) -> Result<Metadata, MediaError> {
        let path = path.as_ref();
        read_file(path)
            .and_then(|bytes| self.read_metadata_bytes(&bytes))
            .map_err(|reason| reason.at(path))
    }

    /// Reads the facts of a file's content without decoding its pixels.
    pub fn read_metadata_bytes(&self, bytes: &[u8]) -> Result<Metadata, DecodeError> {
        let format = ImageFormat::detect(bytes)?;
        guarded(format, || {
            let header = match format {
                ImageFormat::Jpeg => jpeg::Jpeg::open(bytes)?.header()?,
                ImageFormat::Gif => gif::Gif::open(bytes)?.header(),
                ImageFormat::Tiff => tiff::Tiff::open(bytes, self.page)?.header(),
                ImageFormat::Jpeg2000 => jpeg_2000::Jpeg2000::open(bytes)?.header(),
                ImageFormat::JpegXl => jpeg_xl::JpegXl::open(bytes, self.max_pixels)?.header(),
                ImageFormat::Heic | ImageFormat::Avif => heif::Heif::open(bytes, format.name())?.header(),
                ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp => {
                    raster::Reader::open(bytes, format)?.header()
                }
            };
            Ok(header.metadata(bytes.len(), format, orientation::of_file(bytes, format)))
        })
    }

    /// The pixels as they are stored, and a line about damage. The size is checked before any is decoded.
    fn pixels(
        &self,
        bytes: &[u8],
        format: ImageFormat,
        memory: &dyn PixelMemory,
        is_upright: bool,
    ) -> Result<(Header, RgbImage, Option<String>), DecodeError> {
        let announced = |header: Header| {
            // Four channels are mixed to three elsewhere.
            let is_in_place = format == ImageFormat::Jpeg && is_upright && header.num_channels != 4;
            memory.announce(header.width, header.height, is_in_place);
            header
        };
        match format {
            ImageFormat::Jpeg => {
                let jpeg = jpeg::Jpeg::open(bytes)?;
                let header = announced(self.checked(jpeg.header()?)?);
                let (image, warning) = jpeg.decode(memory)?;
                Ok((header, image, warning))
            }
            ImageFormat::Gif => {
                let gif = gif::Gif::open(bytes)?;
                let header = announced(self.checked(gif.header())?);
                Ok((header, gif.decode()?, None))
            }
            ImageFormat::Tiff => {
                let tiff = tiff::Tiff::open(bytes, self.page)?;
                let header = tiff.header();
                match self.checked(header) {
                    Ok(_) => Ok((announced(header), tiff.decode(self.rescale)?, None)),
                    Err(error) => {
                        let Some(smaller) = tiff.reduced(self.max_pixels) else {
                            return Err(error);
                        };
                        let Header { width, height, .. } = announced(smaller.header());
                        let warning =
                            format!("{error}: its own smaller version of {width}x{height} is taken");
                        Ok((header, smaller.decode(self.rescale)?, Some(warning)))
                    }
                }
            }
            ImageFormat::Jpeg2000 => {
                let picture = jpeg_2000::Jpeg2000::open(bytes)?;
                let header = announced(self.checked(picture.header())?);
                Ok((header, picture.decode(self.rescale)?, None))
            }
            ImageFormat::JpegXl => {
                let picture = jpeg_xl::JpegXl::open(bytes, self.max_pixels)?;
                let header = announced(self.checked(picture.header())?);
                Ok((header, picture.decode(self.rescale)?, None))
            }
            ImageFormat::Heic | ImageFormat::Avif => {
                let picture = heif::Heif::open(bytes, format.name())?;
                let header = announced(self.checked(picture.header())?);
                let (image, warning) = picture.decode(self.max_pixels, self.rescale)?;
                Ok((header, image, warning))
            }
            ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp => {
                let reader = raster::Reader::open(bytes, format)?;
                let header = announced(self.checked(reader.header())?);
                let (image, warning) = reader.decode(self.max_pixels, self.rescale)?;
                Ok((header, image, warning))
            }
        }
    }

    fn checked(&self, header: Header) -> Result<Header, DecodeError> {
        let Header { width, height, .. } = header;
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(DecodeError::TooLarge {
                width,
                height,
                max_pixels: self.max_pixels,
            });
        }
        Ok(header)
    }
}

/// A decoder's own fault costs the file that it met it in.
fn guarded<T>(
    format: ImageFormat,
    decode: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    contained(decode).unwrap_or_else(|fault| {
        Err(DecodeError::Fault {
            format: format.name(),
            fault,
        })
    })
}

/// Reads a whole file; a folder is told apart on every system (on some, opening one is "permission denied"). Nothing else
/// is read either: a pipe would be waited for, and a device may have no end.
fn read_file(path: &Path) -> Result<Vec<u8>, DecodeError> {
    if modelzoo_storage::is_url(path) {
        return Ok(modelzoo_storage::read(path)?);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_decoder_is_an_error_of_its_file() {
        let error =
            guarded::<()>(ImageFormat::Tiff, || panic!("index out of\n bounds")).expect_err("it panics");
        assert_eq!(
            error.to_string(),
            "the TIFF decoder met a fault of its own (index out of bounds): please report it with the file; until \
             then, convert the file to JPEG or PNG"
        );
    }
}

//! JPEG by libjpeg-turbo.
//!
//! With the library's defaults (accurate integer DCT, smooth chroma upsampling), which are also Pillow's.

mod segments;

use super::{
    error::DecodeError,
    metadata::Header,
    pixels::{Heap, PixelMemory, Pixels},
    rgb_image::RgbImage,
};
use std::borrow::Cow;
use turbojpeg::{Colorspace, DecompressHeader, Decompressor, Image, PixelFormat};

pub(super) use segments::{StoredColors, exif_and_xmp, with_tables};

const FORMAT: &str = "JPEG";

/// A file whose header has been read.
pub(super) struct Jpeg<'a> {
    bytes: Cow<'a, [u8]>,
    header: DecompressHeader,
    decompressor: Decompressor,
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut decompressor = Decompressor::new().map_err(|error| fatal(bytes, &error))?;
        let (bytes, header) = match decompressor.read_header(bytes) {
            Ok(header) => (Cow::Borrowed(bytes), header),
            // The library takes any warning in a header for a failure, though it would decode the picture.
            Err(error) if is_warning(&libjpeg_message(&error)) => {
                let plain = segments::plain(bytes);
                let header = decompressor
                    .read_header(&plain)
                    .map_err(|error| fatal(bytes, &error))?;
                (Cow::Owned(plain), header)
            }
            Err(error) => return Err(fatal(bytes, &error)),
        };
        Ok(Self {
            bytes,
            header,
            decompressor,
        })
    }

    /// The picture's size and channels.
    pub(super) fn header(&self) -> Result<Header, DecodeError> {
        let [Ok(width), Ok(height)] = [self.header.width, self.header.height].map(u32::try_from) else {
            return Err(DecodeError::corrupt(FORMAT, "the size is out of range"));
        };
        Ok(Header {
            width,
            height,
            num_channels: match self.header.colorspace {
                Colorspace::Gray => 1,
                _ if self.is_cmyk() => 4,
                _ => 3,
            },
        })
    }

    /// Decodes to RGB as stored, into `memory`, and tells about damage that the decoder could pass over.
    pub(super) fn decode(
        mut self,
        memory: &dyn PixelMemory,
    ) -> Result<(RgbImage, Option<String>), DecodeError> {
        let Header { width, height, .. } = self.header()?;
        let (data, warning) = if self.is_cmyk() {
            let (pixels, warning) = self.samples(PixelFormat::CMYK, &Heap)?;
            (inverted_cmyk_to_rgb(&pixels).into(), warning)
        } else {
            self.samples(PixelFormat::RGB, memory)?
        };
        let image = RgbImage::from_pixels(width, height, data)
            .ok_or_else(|| DecodeError::corrupt(FORMAT, "it has no pixels"))?;
        Ok((image, warning))
    }

    /// Decodes to the samples themselves: grey, RGB, or four as they are stored.
    pub(super) fn into_samples(mut self) -> Result<JpegSamples, DecodeError> {
        let Header {
            width, num_channels, ..
        } = self.header()?;
        let format = match num_channels {
            1 => PixelFormat::GRAY,
            4 => PixelFormat::CMYK,
            _ => PixelFormat::RGB,
        };
        let (samples, _) = self.samples(format, &Heap)?;
        Ok(JpegSamples {
            samples: samples.into_vec(),
            width,
            num_samples: usize::from(num_channels),
        })
    }

    fn is_cmyk(&self) -> bool {
        matches!(self.header.colorspace, Colorspace::CMYK | Colorspace::YCCK)
    }

    fn samples(
        &mut self,
        format: PixelFormat,
        memory: &dyn PixelMemory,
    ) -> Result<(Pixels, Option<String>), DecodeError> {
        let (width, height) = (self.header.width, self.header.height);
        let pitch = width * format.size();
        let mut pixels = Pixels::in_memory(memory, pitch * height);
        let Err(error) = self.decompress(&mut pixels, format) else {
            return Ok((pixels, None));
        };
        let warning = damage(&self.bytes, &error)?;
        // What the library left out must not show what was in the memory before.
        pixels.fill(0);
        // It gives the same warning again.
        let _ = self.decompress(&mut pixels, format);
        Ok((pixels, Some(warning)))
    }

    fn decompress(&mut self, pixels: &mut [u8], format: PixelFormat) -> turbojpeg::Result<()> {
        let (width, height) = (self.header.width, self.header.height);
        let output = Image {
            pixels,
            width,
            pitch: width * format.size(),
            height,
            format,
        };
        self.decompressor.decompress(&self.bytes, output)
    }
}

/// What a JPEG within another file holds.
pub(super) struct JpegSamples {
    /// Row by row, `num_samples` of them a pixel.
    pub samples: Vec<u8>,
    /// Columns.
    pub width: u32,
    /// Samples a pixel.
    pub num_samples: usize,
}

/// How libjpeg's warnings begin: the binding gives warnings and errors alike as a message. Like Pillow, a picture with
/// a warning is used.
const WARNINGS: [&str; 6] = [
    "Corrupt JPEG data:",
    "Inconsistent progression sequence",
    "Invalid SOS parameters for sequential JPEG",
    "Unknown Adobe color transform code",
    "Warning: unknown JFIF revision number",
    "Application transferred too many scanlines",
];

fn is_warning(message: &str) -> bool {
    WARNINGS.iter().any(|warning| message.starts_with(warning))
}

/// The warning that `error` is, or the error if the picture cannot be used.
fn damage(bytes: &[u8], error: &turbojpeg::Error) -> Result<String, DecodeError> {
    let message = libjpeg_message(error);
    // Only the first warning is reported, so a file that is damaged and ends early must be recognised by its end.
    if is_warning(&message) && segments::has_end(bytes) {
        Ok(format!(
            "the JPEG data is damaged, parts of the picture may be wrong: {message}"
        ))
    } else {
        Err(fatal(bytes, error))
    }
}

fn fatal(bytes: &[u8], error: &turbojpeg::Error) -> DecodeError {
    let message = libjpeg_message(error);
    if message.starts_with("Unsupported JPEG data precision") || message.contains("8-bit data precision") {
        return DecodeError::unsupported("JPEG pictures with more than 8 bits a sample");
    }
    if let Some(components) = segments::num_components(bytes).filter(|count| ![1, 3, 4].contains(count)) {
        return DecodeError::unsupported(format!("JPEG pictures with {components} components a pixel"));
    }
    if message.starts_with("Premature end of JPEG file") || !segments::has_end(bytes) {
        return DecodeError::Truncated {
            format: FORMAT,
            size_bytes: bytes.len() as u64,
        };
    }
    DecodeError::corrupt(FORMAT, message)
}

/// What libjpeg said, without the binding's own words around it.
fn libjpeg_message(error: &turbojpeg::Error) -> String {
    match error {
        turbojpeg::Error::TurboJpegError(message) => message.clone(),
        other => other.to_string(),
    }
}

/// Adobe's programs store CMYK inverted, and every decoder takes four channels to mean that. The rounding of the
/// products is Pillow's: `(a * b + 128) * 257 / 65536` in integers.
fn inverted_cmyk_to_rgb(pixels: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(pixels.len() / 4 * 3);
    for pixel in pixels.chunks_exact(4) {
        let light = i32::from(pixel[3]);
        for &stored in &pixel[..3] {
            let product = (255 - i32::from(stored)) * light + 128;
            let ink = ((product >> 8) + product) >> 8;
            rgb.push((light - ink).clamp(0, 255) as u8);
        }
    }
    rgb
}

//! PNG, WebP, GIF, BMP and TIFF by the `image` crate, converted to 8-bit RGB.

use std::error::Error;
use std::io::{self, Cursor};

use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder,
};
use image::error::UnsupportedErrorKind;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, Limits};

use super::decode::Header;
use super::error::DecodeError;
use super::format::ImageFormat;
use super::rgb_image::RgbImage;

/// Beside a picture's own pixels, what a decoder may allocate for its tables and for metadata in the file.
const DECODER_OVERHEAD: u64 = 64 << 20;

/// Bytes of the largest pixel: four channels of 16 bits.
const LARGEST_PIXEL: u64 = 8;

/// A file whose header has been read.
pub(super) struct Reader<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    format: ImageFormat,
    size_bytes: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn open(bytes: &'a [u8], format: ImageFormat) -> Result<Self, DecodeError> {
        let size_bytes = bytes.len() as u64;
        let input = Cursor::new(bytes);
        let decoder: Result<Box<dyn ImageDecoder + 'a>, ImageError> = match format {
            ImageFormat::Png => PngDecoder::new(input).map(|decoder| Box::new(decoder) as _),
            ImageFormat::WebP => WebPDecoder::new(input).map(|decoder| Box::new(decoder) as _),
            ImageFormat::Gif => GifDecoder::new(input).map(|decoder| Box::new(decoder) as _),
            ImageFormat::Bmp => BmpDecoder::new(input).map(|decoder| Box::new(decoder) as _),
            ImageFormat::Tiff => TiffDecoder::new(input).map(|decoder| Box::new(decoder) as _),
            ImageFormat::Jpeg => unreachable!("JPEG has a decoder of its own"),
        };
        match decoder {
            Ok(decoder) => Ok(Self {
                decoder,
                format,
                size_bytes,
            }),
            Err(error) => Err(decode_error(&error, format, size_bytes)),
        }
    }

    pub(super) fn header(&mut self) -> Result<Header, DecodeError> {
        let (width, height) = self.decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(DecodeError::corrupt(
                self.format.name(),
                format!("the size is {width}x{height}"),
            ));
        }
        let num_channels = match self.format {
            // Always decoded with alpha, which says nothing about the file.
            ImageFormat::Gif => 3,
            _ => self.decoder.original_color_type().channel_count(),
        };
        Ok(Header {
            width,
            height,
            num_channels,
            // Metadata that cannot be read does not make the picture unreadable.
            orientation: self.decoder.orientation().unwrap_or(Orientation::NoTransforms),
        })
    }

    pub(super) fn decode(self, max_pixels: u64) -> Result<RgbImage, DecodeError> {
        let (width, height) = self.decoder.dimensions();
        let color = self.decoder.color_type();
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(
            max_pixels
                .saturating_mul(LARGEST_PIXEL)
                .saturating_add(DECODER_OVERHEAD),
        );
        let Self {
            mut decoder,
            format,
            size_bytes,
        } = self;
        let mut pixels = vec![0; decoder.total_bytes() as usize];
        decoder
            .set_limits(limits)
            .and_then(|()| decoder.read_image_boxed(&mut pixels))
            .map_err(|error| decode_error(&error, format, size_bytes))?;
        Ok(RgbImage {
            width,
            height,
            data: to_rgb8(pixels, color)?,
        })
    }
}

/// Converts to 8-bit RGB: grey is repeated, alpha dropped, 16-bit samples keep their high byte.
fn to_rgb8(pixels: Vec<u8>, color: ColorType) -> Result<Vec<u8>, DecodeError> {
    let samples = match color {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => pixels,
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => pixels
            .chunks_exact(2)
            .map(|sample| (u16::from_ne_bytes([sample[0], sample[1]]) >> 8) as u8)
            .collect(),
        _ => {
            return Err(DecodeError::Unsupported {
                what: "pictures with floating-point pixels".to_owned(),
            });
        }
    };
    Ok(match color.channel_count() {
        1 => samples.into_iter().flat_map(|grey| [grey; 3]).collect(),
        2 => samples.chunks_exact(2).flat_map(|pixel| [pixel[0]; 3]).collect(),
        4 => samples
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect(),
        _ => samples,
    })
}

fn decode_error(error: &ImageError, format: ImageFormat, size_bytes: u64) -> DecodeError {
    let format = format.name();
    if ends_early(error) {
        return DecodeError::Truncated { format, size_bytes };
    }
    match error {
        ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::GenericFeature(feature) => DecodeError::Unsupported {
                what: format!("{format} pictures of this kind ({feature})"),
            },
            UnsupportedErrorKind::Color(color) => DecodeError::Unsupported {
                what: format!("{format} pictures with pixels of type {color:?}"),
            },
            _ => DecodeError::Unsupported {
                what: format!("{format} pictures of this kind"),
            },
        },
        // The wrapper's own text repeats the format's name.
        ImageError::Decoding(decoding) => match decoding.source() {
            Some(cause) => DecodeError::corrupt(format, cause),
            None => DecodeError::corrupt(format, decoding),
        },
        other => DecodeError::corrupt(format, other),
    }
}

/// Whether an end of file is anywhere among the causes.
fn ends_early(error: &ImageError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && error.kind() == io::ErrorKind::UnexpectedEof
        {
            return true;
        }
        cause = error.source();
    }
    false
}

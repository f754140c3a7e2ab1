//! PNG, WebP and BMP by the `image` crate, converted to 8-bit RGB.

use super::{
    depth::{Rescale, Samples},
    error::DecodeError,
    format::ImageFormat,
    metadata::Header,
    png,
    rgb_image::RgbImage,
};
use image::{
    ColorType, ImageDecoder, ImageError, Limits,
    codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder},
    error::UnsupportedErrorKind,
};
use std::{
    borrow::Cow,
    error::Error,
    io::{self, Cursor},
};

/// Beside a picture's own pixels, what a decoder may allocate for its tables and for metadata in the file.
const DECODER_OVERHEAD: u64 = 64 << 20;

/// Bytes of the largest pixel: four channels of 16 bits.
const LARGEST_PIXEL: u64 = 8;

/// What is told of a picture that is there although its file is not as it was.
const PNG_DAMAGE: &str = "the PNG data is damaged, parts of the picture may be wrong: a check sum differs";

/// Decodes a file: its header for a look, then its pixels.
pub(super) struct Reader<'a> {
    bytes: Cow<'a, [u8]>,
    format: ImageFormat,
    header: Header,
    warning: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn open(bytes: &'a [u8], format: ImageFormat) -> Result<Self, DecodeError> {
        if format == ImageFormat::Png && png::is_of_apples_kind(bytes) {
            return Err(DecodeError::unsupported("PNG pictures of Apple's kind (CgBI)"));
        }
        let reader = |bytes: Cow<'a, [u8]>, header, warning| Self {
            bytes,
            format,
            header,
            warning,
        };
        match decoder(bytes, format).and_then(|decoder| header(decoder.as_ref(), format)) {
            Ok(header) => Ok(reader(Cow::Borrowed(bytes), header, None)),
            Err(error) => {
                let Some((plain, warning)) = mended(bytes, format) else {
                    return Err(error);
                };
                let Ok(header) = decoder(&plain, format).and_then(|decoder| header(decoder.as_ref(), format))
                else {
                    return Err(error);
                };
                Ok(reader(Cow::Owned(plain), header, warning))
            }
        }
    }

    pub(super) fn header(&self) -> Header {
        self.header
    }

    /// The pixels, and a line about damage that does not keep them from being decoded.
    pub(super) fn decode(
        self,
        max_pixels: u64,
        rescale: Rescale,
    ) -> Result<(RgbImage, Option<String>), DecodeError> {
        match (decode(&self.bytes, self.format, max_pixels, rescale), self.bytes) {
            (Ok(image), _) => Ok((image, self.warning)),
            (Err(error), Cow::Borrowed(bytes)) => {
                let Some((plain, warning)) = mended(bytes, self.format) else {
                    return Err(error);
                };
                match decode(&plain, self.format, max_pixels, rescale) {
                    Ok(image) => Ok((image, warning)),
                    Err(_) => Err(error),
                }
            }
            (Err(error), Cow::Owned(_)) => Err(error),
        }
    }
}

/// A copy of a file of a format that can be mended, and what is to be told of it.
fn mended(bytes: &[u8], format: ImageFormat) -> Option<(Vec<u8>, Option<String>)> {
    (format == ImageFormat::Png).then(|| {
        let (plain, is_intact) = png::plain(bytes);
        (plain, (!is_intact).then(|| PNG_DAMAGE.to_owned()))
    })
}

fn decoder<'a>(bytes: &'a [u8], format: ImageFormat) -> Result<Box<dyn ImageDecoder + 'a>, DecodeError> {
    let input = Cursor::new(bytes);
    let decoder: Result<Box<dyn ImageDecoder + 'a>, ImageError> = match format {
        ImageFormat::Png => PngDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        ImageFormat::WebP => WebPDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        ImageFormat::Bmp => BmpDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        ImageFormat::Jpeg
        | ImageFormat::Gif
        | ImageFormat::Tiff
        | ImageFormat::Jpeg2000
        | ImageFormat::JpegXl
        | ImageFormat::Heic
        | ImageFormat::Avif => {
            unreachable!("they have decoders of their own")
        }
    };
    decoder.map_err(|error| decode_error(&error, format, bytes.len()))
}

fn header(decoder: &dyn ImageDecoder, format: ImageFormat) -> Result<Header, DecodeError> {
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(DecodeError::corrupt(
            format.name(),
            format!("the size is {width}x{height}"),
        ));
    }
    Ok(Header {
        width,
        height,
        num_channels: decoder.original_color_type().channel_count(),
    })
}

fn decode(
    bytes: &[u8],
    format: ImageFormat,
    max_pixels: u64,
    rescale: Rescale,
) -> Result<RgbImage, DecodeError> {
    let mut decoder = decoder(bytes, format)?;
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(
        max_pixels
            .saturating_mul(LARGEST_PIXEL)
            .saturating_add(DECODER_OVERHEAD),
    );
    let mut pixels = vec![0; decoder.total_bytes() as usize];
    decoder
        .set_limits(limits)
        .and_then(|()| decoder.read_image_boxed(&mut pixels))
        .map_err(|error| decode_error(&error, format, bytes.len()))?;
    RgbImage::from_raw(width, height, to_rgb8(pixels, color, rescale)?)
        .ok_or_else(|| DecodeError::corrupt(format.name(), "it has no pixels"))
}

/// Converts to 8-bit RGB: grey is repeated, alpha dropped.
fn to_rgb8(pixels: Vec<u8>, color: ColorType, rescale: Rescale) -> Result<Vec<u8>, DecodeError> {
    let samples = match color {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => pixels,
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let words = pixels
                .as_chunks()
                .0
                .iter()
                .map(|&word| u16::from_ne_bytes(word))
                .collect();
            Samples::Words(words).into_bytes(rescale, !color.has_color())
        }
        _ => return Err(DecodeError::unsupported("pictures with floating-point pixels")),
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

fn decode_error(error: &ImageError, format: ImageFormat, size_bytes: usize) -> DecodeError {
    let format = format.name();
    if ends_early(error) {
        return DecodeError::Truncated {
            format,
            size_bytes: size_bytes as u64,
        };
    }
    match error {
        ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::GenericFeature(feature) => DecodeError::Unsupported {
                what: format!("{format} pictures of this kind ({feature})"),
            },
            UnsupportedErrorKind::Color(color) => DecodeError::Unsupported {
                what: format!("{format} pictures with {} bits a pixel", color.bits_per_pixel()),
            },
            _ => DecodeError::Unsupported {
                what: format!("{format} pictures of this kind"),
            },
        },
        // The wrapper's own text repeats the format's name.
        ImageError::Decoding(decoding) => match decoding.source() {
            Some(cause) => DecodeError::corrupt(format, in_words(&cause.to_string())),
            None => DecodeError::corrupt(format, in_words(&decoding.to_string())),
        },
        other => DecodeError::corrupt(format, in_words(&other.to_string())),
    }
}

/// A message without Rust's way of showing structures: of each that it shows, its first value alone stays, so that
/// `ChunkType { type: IDAT, critical: true }` becomes `IDAT`, and `Unknown(24)` becomes `24`.
fn in_words(message: &str) -> String {
    let mut words = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(open) = rest.find(['{', '(']) {
        let (before, inner) = (&rest[..open], &rest[open + 1..]);
        let close = match rest.as_bytes()[open] {
            b'{' => '}',
            _ => ')',
        };
        let name_length = before
            .trim_end()
            .bytes()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let name_start = before.trim_end().len() - name_length;
        let is_structure = before[name_start..].starts_with(|first: char| first.is_ascii_uppercase())
            && (close == '}' || before.len() == before.trim_end().len());
        let (Some(end), true) = (inner.find(close), is_structure) else {
            words.push_str(&rest[..=open]);
            rest = inner;
            continue;
        };
        words.push_str(&before[..name_start]);
        let first = inner[..end].split(',').next().unwrap_or_default();
        let value = first.split_once(": ").map_or(first, |(_, value)| value);
        words.push_str(value.trim());
        rest = &inner[end + 1..];
    }
    words + rest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_in_words() {
        for (message, expected) in [
            (
                "Chunk ChunkType { type: IDAT, critical: true, private: false } is invalid",
                "Chunk IDAT is invalid",
            ),
            ("color Unknown(24) is not supported", "color 24 is not supported"),
            (
                "8 byte(s) were provided (not 9)",
                "8 byte(s) were provided (not 9)",
            ),
            ("Some(Bad(3", "Some(Bad(3"),
            ("plain", "plain"),
        ] {
            assert_eq!(in_words(message), expected);
        }
    }
}

//! JPEG by libjpeg-turbo.
//!
//! With the library's defaults (accurate integer DCT, smooth chroma upsampling), which are also Pillow's.

use std::io::Cursor;

use exif::{In, Tag};
use image::metadata::Orientation;
use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat};

use super::decode::Header;
use super::error::DecodeError;
use super::rgb_image::RgbImage;

const FORMAT: &str = "JPEG";

/// Reads dimensions, channels and orientation.
pub(super) fn read_header(bytes: &[u8]) -> Result<Header, DecodeError> {
    let header = match Decompressor::new().and_then(|mut decompressor| decompressor.read_header(bytes)) {
        Ok(header) => header,
        Err(error) => return Err(fatal(bytes, &error)),
    };
    let num_channels = match header.colorspace {
        Colorspace::Gray => 1,
        Colorspace::CMYK | Colorspace::YCCK => 4,
        _ => 3,
    };
    Ok(Header {
        width: header.width as u32,
        height: header.height as u32,
        num_channels,
        orientation: read_orientation(bytes),
    })
}

/// Decodes to RGB as stored, and tells about damage that the decoder could pass over.
pub(super) fn decode(bytes: &[u8]) -> Result<(RgbImage, Option<String>), DecodeError> {
    let mut decompressor = Decompressor::new().map_err(|error| fatal(bytes, &error))?;
    let header = decompressor
        .read_header(bytes)
        .map_err(|error| fatal(bytes, &error))?;
    let format = match header.colorspace {
        Colorspace::CMYK | Colorspace::YCCK => PixelFormat::CMYK,
        _ => PixelFormat::RGB,
    };
    let (width, height) = (header.width, header.height);
    let pitch = width * format.size();
    let mut pixels = vec![0; pitch * height];
    let output = Image {
        pixels: pixels.as_mut_slice(),
        width,
        pitch,
        height,
        format,
    };
    let warning = match decompressor.decompress(bytes, output) {
        Ok(()) => None,
        Err(error) => Some(damage(bytes, &error)?),
    };
    let data = if format == PixelFormat::CMYK {
        inverted_cmyk_to_rgb(&pixels)
    } else {
        pixels
    };
    Ok((
        RgbImage {
            width: width as u32,
            height: height as u32,
            data,
        },
        warning,
    ))
}

/// libjpeg's warnings, by how they begin: the whole picture was decoded, some of it from damaged data. The binding
/// gives warnings and errors alike as a message. Like Pillow, a picture with a warning is used.
const WARNINGS: [&str; 6] = [
    "Corrupt JPEG data:",
    "Inconsistent progression sequence",
    "Invalid SOS parameters for sequential JPEG",
    "Unknown Adobe color transform code",
    "Warning: unknown JFIF revision number",
    "Application transferred too many scanlines",
];

/// The warning that `error` is, or the error if the picture cannot be used.
fn damage(bytes: &[u8], error: &turbojpeg::Error) -> Result<String, DecodeError> {
    let message = libjpeg_message(error);
    // Only the first warning is reported, so a file that is damaged and ends early must be recognised by its end.
    if WARNINGS.iter().any(|warning| message.starts_with(warning)) && has_end_marker(bytes) {
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
        return DecodeError::Unsupported {
            what: "JPEG pictures with more than 8 bits a sample".to_owned(),
        };
    }
    if message.starts_with("Premature end of JPEG file") || !has_end_marker(bytes) {
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

/// Whether an end-of-image marker follows the last scan's header. Inside of entropy-coded data the byte FF is always
/// followed by 00 or a restart marker, so neither is found by chance; starting at the last scan passes over thumbnails.
fn has_end_marker(bytes: &[u8]) -> bool {
    const START_OF_SCAN: [u8; 2] = [0xff, 0xda];
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    bytes
        .windows(2)
        .rposition(|pair| pair == START_OF_SCAN)
        .is_some_and(|scan| bytes[scan..].windows(2).any(|pair| pair == END_OF_IMAGE))
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

/// EXIF's orientation; upright when there is none or it cannot be read, as everywhere.
fn read_orientation(bytes: &[u8]) -> Orientation {
    exif::Reader::new()
        .read_from_container(&mut Cursor::new(bytes))
        .ok()
        .and_then(|exif| exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0))
        .and_then(|value| Orientation::from_exif(u8::try_from(value).ok()?))
        .unwrap_or(Orientation::NoTransforms)
}

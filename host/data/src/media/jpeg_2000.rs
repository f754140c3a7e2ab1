//! JPEG 2000, by the crate `hayro-jpeg2000`: files (JP2) and bare code streams.

use super::{
    depth::{Rescale, Samples},
    error::DecodeError,
    metadata::Header,
    rgb_image::RgbImage,
};
use hayro_jpeg2000::{ColorSpace, ComponentData, DecodeSettings, DecoderContext, Image};

const FORMAT: &str = "JPEG 2000";

/// What every code stream ends with.
const END: &[u8] = b"\xff\xd9";

/// A file whose header has been read.
pub(super) struct Jpeg2000<'a> {
    image: Image<'a>,
    bytes: &'a [u8],
}

impl<'a> Jpeg2000<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let settings = DecodeSettings {
            resolve_palette_indices: true,
            strict: false,
            target_resolution: None,
        };
        let image = Image::new(bytes, &settings).map_err(|error| DecodeError::corrupt(FORMAT, error))?;
        Ok(Self { image, bytes })
    }

    pub(super) fn header(&self) -> Header {
        let num_colors = self.image.color_space().num_channels();
        Header {
            width: self.image.width(),
            height: self.image.height(),
            num_channels: num_colors + u8::from(self.image.has_alpha()),
        }
    }

    pub(super) fn decode(&self, rescale: Rescale) -> Result<RgbImage, DecodeError> {
        let num_colors = match self.image.color_space() {
            ColorSpace::Gray => 1,
            ColorSpace::RGB => 3,
            ColorSpace::CMYK => return Err(DecodeError::unsupported("JPEG 2000 pictures in CMYK")),
            ColorSpace::Unknown { num_channels } | ColorSpace::Icc { num_channels, .. } => {
                match usize::from(*num_channels) {
                    known @ (1 | 3) => known,
                    other => {
                        return Err(DecodeError::unsupported(format!(
                            "JPEG 2000 pictures with {other} colours"
                        )));
                    }
                }
            }
        };
        // The decoder fills up what is missing.
        if !self.bytes.windows(END.len()).rev().any(|end| end == END) {
            return Err(DecodeError::Truncated {
                format: FORMAT,
                size_bytes: self.bytes.len() as u64,
            });
        }
        let mut context = DecoderContext::default();
        let decoded = self
            .image
            .decode(&mut context)
            .map_err(|error| DecodeError::corrupt(FORMAT, error))?;
        let (width, height) = (self.image.width(), self.image.height());
        let length = width as usize * height as usize;
        let colors = decoded.components().get(..num_colors);
        let colors = colors.filter(|colors| colors.iter().all(|color| color.samples().len() >= length));
        let colors = colors.ok_or_else(|| DecodeError::corrupt(FORMAT, "its colours differ in size"))?;
        let depth = colors.iter().map(|color| color.bit_depth()).max().unwrap_or(8);
        let pixels = || (0..length).flat_map(|place| colors.iter().map(move |color| (color, place)));
        let samples = if depth > 8 {
            let words = pixels().map(|(color, place)| color.samples()[place].round() as u16);
            Samples::Words(words.collect())
        } else {
            let scaled = |(color, place): (&ComponentData, usize)| {
                let greatest = (1_u32 << color.bit_depth()) - 1;
                (color.samples()[place] * 255.0 / greatest as f32).round() as u8
            };
            Samples::Bytes(pixels().map(scaled).collect())
        };
        let bytes = samples.into_bytes(rescale, num_colors == 1);
        let rgb = match num_colors {
            1 => bytes.into_iter().flat_map(|grey| [grey; 3]).collect(),
            _ => bytes,
        };
        RgbImage::from_raw(width, height, rgb).ok_or_else(|| DecodeError::corrupt(FORMAT, "it has no pixels"))
    }
}

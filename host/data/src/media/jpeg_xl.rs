//! JPEG XL, by the crate `jxl-oxide`: the first frame.

use super::{
    depth::{Rescale, Samples},
    error::DecodeError,
    metadata::Header,
    rgb_image::RgbImage,
};
use jxl_oxide::{AllocTracker, FrameBufferSample, JxlImage, PixelFormat, Render};

const FORMAT: &str = "JPEG XL";

/// What the decoder may take for each pixel: several channels of 32 bits, and as much again while they are filtered.
const BYTES_PER_PIXEL: u64 = 64;

/// What it may take for a small picture.
const LEAST_MEMORY: u64 = 64 << 20;

/// A file whose header has been read.
pub(super) struct JpegXl {
    image: JxlImage,
    size_bytes: u64,
}

impl JpegXl {
    /// Reads the header, and where the frames are.
    pub(super) fn open(bytes: &[u8], max_pixels: u64) -> Result<Self, DecodeError> {
        let memory = max_pixels
            .saturating_mul(BYTES_PER_PIXEL)
            .saturating_add(LEAST_MEMORY);
        let tracker = AllocTracker::with_limit(usize::try_from(memory).unwrap_or(usize::MAX));
        let image = JxlImage::builder()
            .alloc_tracker(tracker)
            .read(bytes)
            .map_err(|error| DecodeError::corrupt(FORMAT, error))?;
        Ok(Self {
            image,
            size_bytes: bytes.len() as u64,
        })
    }

    /// The size is that of the upright picture: the decoder turns it.
    pub(super) fn header(&self) -> Header {
        Header {
            width: self.image.width(),
            height: self.image.height(),
            num_channels: self.image.pixel_format().channels() as u8,
        }
    }

    pub(super) fn decode(&self, rescale: Rescale) -> Result<RgbImage, DecodeError> {
        let format = self.image.pixel_format();
        if matches!(format, PixelFormat::Cmyk | PixelFormat::Cmyka) {
            return Err(DecodeError::unsupported("JPEG XL pictures in CMYK"));
        }
        if self.image.num_loaded_keyframes() == 0 {
            return Err(DecodeError::Truncated {
                format: FORMAT,
                size_bytes: self.size_bytes,
            });
        }
        let frame = self
            .image
            .render_frame(0)
            .map_err(|error| DecodeError::corrupt(FORMAT, error))?;
        let (width, height) = (self.image.width(), self.image.height());
        let is_grey = format.is_grayscale();
        let is_deep = self.image.image_header().metadata.bit_depth.bits_per_sample() > 8;
        let samples = if is_deep && rescale != Rescale::Bits {
            Samples::Words(samples(&frame))
        } else {
            Samples::Bytes(samples(&frame))
        };
        let bytes = samples.into_bytes(rescale, is_grey);
        let rgb = match is_grey {
            true => bytes.into_iter().flat_map(|grey| [grey; 3]).collect(),
            false => bytes,
        };
        RgbImage::from_raw(width, height, rgb)
            .ok_or_else(|| DecodeError::corrupt(FORMAT, "the first frame has another size"))
    }
}

/// The samples of a frame's colours, pixel by pixel, brought to the whole range of their type.
fn samples<T: FrameBufferSample + Clone + Default>(frame: &Render) -> Vec<T> {
    let mut stream = frame.stream_no_alpha();
    let length = stream.width() as usize * stream.height() as usize * stream.channels() as usize;
    let mut samples = vec![T::default(); length];
    stream.write_to_buffer(&mut samples);
    samples
}

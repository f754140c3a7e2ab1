//! GIF: the first frame, on the canvas that Pillow gives it.

use super::{error::DecodeError, metadata::Header, rgb_image::RgbImage};
use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};

const FORMAT: &str = "GIF";

/// Colours of a palette, at the most.
const COLORS: usize = 256;

/// A file whose first frame has been found.
pub(super) struct Gif<'a> {
    decoder: Decoder<&'a [u8]>,
    size_bytes: u64,
    /// The canvas, which is larger than the screen where the frame is.
    size: (u32, u32),
    frame: Place,
    transparent: Option<u8>,
}

/// Where a frame is on the canvas.
#[derive(Clone, Copy, Debug)]
struct Place {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl<'a> Gif<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let size_bytes = bytes.len() as u64;
        let failed = |error| decode_error(&error, size_bytes);
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        options.allow_unknown_blocks(true);
        // The canvas is checked before its pixels are asked for.
        options.set_memory_limit(MemoryLimit::Unlimited);
        let mut decoder = options.read_info(bytes).map_err(failed)?;
        let screen = (decoder.width(), decoder.height());
        let Some(frame) = decoder.next_frame_info().map_err(failed)? else {
            return Err(DecodeError::corrupt(FORMAT, "there is no picture in it"));
        };
        let place = Place {
            left: frame.left.into(),
            top: frame.top.into(),
            width: frame.width.into(),
            height: frame.height.into(),
        };
        let transparent = frame.transparent;
        let length = |screen: u16, start: u16, length: u16| {
            u32::from(screen).max(u32::from(start) + u32::from(length))
        };
        let size = (
            length(screen.0, frame.left, frame.width),
            length(screen.1, frame.top, frame.height),
        );
        if size.0 == 0 || size.1 == 0 {
            return Err(DecodeError::corrupt(
                FORMAT,
                format!("the size is {}x{}", size.0, size.1),
            ));
        }
        Ok(Self {
            decoder,
            size_bytes,
            size,
            frame: place,
            transparent,
        })
    }

    pub(super) fn header(&self) -> Header {
        Header {
            width: self.size.0,
            height: self.size.1,
            num_channels: 3,
        }
    }

    /// Around the frame is the transparent colour, or the palette's first where none is; alpha is dropped.
    pub(super) fn decode(mut self) -> Result<RgbImage, DecodeError> {
        let Place {
            left,
            top,
            width,
            height,
        } = self.frame;
        let mut indices = vec![0; width * height];
        self.decoder
            .read_into_buffer(&mut indices)
            .map_err(|error| decode_error(&error, self.size_bytes))?;
        let palette = self.palette();
        let around = palette[usize::from(self.transparent.unwrap_or_default())];
        let mut data: Vec<u8> = around
            .into_iter()
            .cycle()
            .take(self.size.0 as usize * self.size.1 as usize * 3)
            .collect();
        let row_bytes = self.size.0 as usize * 3;
        for (row, indices) in indices.chunks_exact(width.max(1)).enumerate() {
            let start = (top + row) * row_bytes + left * 3;
            let pixels = data[start..].chunks_exact_mut(3);
            for (pixel, &index) in pixels.zip(indices) {
                pixel.copy_from_slice(&palette[usize::from(index)]);
            }
        }
        RgbImage::from_raw(self.size.0, self.size.1, data)
            .ok_or_else(|| DecodeError::corrupt(FORMAT, "it has no pixels"))
    }

    /// The frame's colours, or the file's, or shades of grey. Those that a palette lacks are black.
    fn palette(&self) -> [[u8; 3]; COLORS] {
        let mut palette = [[0; 3]; COLORS];
        match self.decoder.palette() {
            Ok(stored) => {
                for (color, stored) in palette.iter_mut().zip(stored.chunks_exact(3)) {
                    color.copy_from_slice(stored);
                }
            }
            Err(_) => {
                for (grey, color) in (0..=u8::MAX).zip(&mut palette) {
                    *color = [grey; 3];
                }
            }
        }
        palette
    }
}

fn decode_error(error: &DecodingError, size_bytes: u64) -> DecodeError {
    match error {
        DecodingError::UnexpectedEof => DecodeError::Truncated {
            format: FORMAT,
            size_bytes,
        },
        other => DecodeError::corrupt(FORMAT, other),
    }
}

//! TIFF: what scanners, microscopes and maps write.
//!
//! The file's structure, its ways to store samples and its colours are read here; what is compressed is decompressed
//! by the crates for it, JPEG by the library that all JPEGs are decoded by, so that pixels are those of libtiff, which
//! Pillow uses. Strips and tiles are decoded one by one: memory holds the file, one of them, and the picture.

mod color;
mod compression;
mod fax;
mod levels;
mod page;
mod samples;
mod ycbcr;

use self::{
    compression::{Shape, decompress, too_short},
    page::{Compression, Page, Photometric},
    samples::{Target, take_row, undo_prediction},
};
use super::{
    depth::{Rescale, Samples},
    error::DecodeError,
    ifd::{ByteOrder, Directory, Structure},
    jpeg,
    metadata::Header,
    pixels::Heap,
    rgb_image::RgbImage,
};
use std::num::NonZeroU32;

const FORMAT: &str = "TIFF";

/// Bytes of a strip or tile that may lie around the picture without any of its pixels, as in a picture that is
/// smaller than a tile.
const MOST_AROUND: usize = 256 << 20;

/// A file of which one directory has been read.
pub(super) struct Tiff<'a> {
    page: Page<'a>,
    directory: Directory<'a>,
}

impl<'a> Tiff<'a> {
    /// Reads the directory of a page, counted from 1.
    pub(super) fn open(bytes: &'a [u8], page: NonZeroU32) -> Result<Self, DecodeError> {
        let structure =
            Structure::parse(bytes).ok_or_else(|| DecodeError::corrupt(FORMAT, "it has no header"))?;
        let at = |offset: Option<u64>| offset.and_then(|offset| structure.directory(offset));
        let mut directory = at(structure.first()).ok_or(DecodeError::Truncated {
            format: FORMAT,
            size_bytes: bytes.len() as u64,
        })?;
        for pages in 1..page.get() {
            directory = at(directory.next()).ok_or(DecodeError::NoSuchPage { page, pages })?;
        }
        let page = Page::read(structure, &directory)?;
        Ok(Self { page, directory })
    }

    pub(super) fn header(&self) -> Header {
        Header {
            width: self.page.width,
            height: self.page.height,
            num_channels: self.page.num_channels(),
        }
    }

    /// The greatest smaller version of the picture in the file that has at most so many pixels.
    pub(super) fn reduced(self, max_pixels: u64) -> Option<Self> {
        let page = levels::largest(&self.page, &self.directory, max_pixels)?;
        Some(Self { page, ..self })
    }

    pub(super) fn decode(self, rescale: Rescale) -> Result<RgbImage, DecodeError> {
        let page = self.page;
        if page.compression == Compression::OldJpeg {
            return old_jpeg(&page);
        }
        let kept = color::num_kept(&page);
        let samples = all_samples(&page, kept)?;
        let is_grey = page.photometric.num_colors() == 1;
        let rgb = color::to_rgb(&page, samples.into_bytes(rescale, is_grey));
        RgbImage::from_raw(page.width, page.height, rgb)
            .ok_or_else(|| DecodeError::corrupt(FORMAT, "it has no pixels"))
    }
}

/// What TIFF 6.0 called JPEG is a JPEG file within, where the programs that wrote it did it well.
fn old_jpeg(page: &Page<'_>) -> Result<RgbImage, DecodeError> {
    let start = page.jpeg_offset.and_then(|offset| usize::try_from(offset).ok());
    let stream = start
        .and_then(|start| page.structure.bytes().get(start..))
        .filter(|stream| stream.starts_with(b"\xff\xd8"))
        .ok_or_else(|| DecodeError::unsupported("TIFF pictures with old-style JPEG compression"))?;
    let (image, _) = jpeg::Jpeg::open(stream)?.decode(&Heap)?;
    match image.size() == (page.width, page.height) {
        true => Ok(image),
        false => Err(DecodeError::corrupt(FORMAT, "the JPEG in it has another size")),
    }
}

/// The samples that colours are made of, `kept` of them a pixel.
fn all_samples(page: &Page<'_>, kept: usize) -> Result<Samples, DecodeError> {
    let (width, height) = (page.width as usize, page.height as usize);
    let count = width
        .checked_mul(height)
        .and_then(|pixels| pixels.checked_mul(kept))
        .ok_or_else(|| DecodeError::corrupt(FORMAT, "the size is out of range"))?;
    let mut samples = samples::empty(page, count);
    let across = page.width.div_ceil(page.chunk.0);
    let down = page.height.div_ceil(page.chunk.1);
    let planes = if page.is_planar { kept } else { 1 };
    for plane in 0..planes {
        for row in 0..down {
            for column in 0..across {
                let index = (plane * down as usize + row as usize) * across as usize + column as usize;
                let place = (column * page.chunk.0, row * page.chunk.1);
                let chunk = Chunk::read(page, index, place)?;
                chunk.put(page, plane, kept, &mut samples);
            }
        }
    }
    Ok(samples)
}

/// A strip or tile, decompressed.
struct Chunk {
    rows: Vec<u8>,
    row_bytes: usize,
    order: ByteOrder,
    num_samples: usize,
    /// Where it is in the picture.
    left: u32,
    top: u32,
    /// How much of it is within the picture.
    width: u32,
    height: u32,
}

impl Chunk {
    fn read(page: &Page<'_>, index: usize, (left, top): (u32, u32)) -> Result<Self, DecodeError> {
        let (chunk_width, chunk_height) = match page.is_tiled {
            true => page.chunk,
            // The last strip ends with the picture.
            false => (page.chunk.0, page.chunk.1.min(page.height - top)),
        };
        let num_samples = if page.is_planar { 1 } else { page.num_samples };
        let is_subsampled = page.photometric == Photometric::YCbCr && page.compression != Compression::Jpeg;
        if page.photometric == Photometric::YCbCr && page.is_planar {
            return Err(DecodeError::unsupported("TIFF pictures with YCbCr in planes"));
        }
        let row_bytes = (chunk_width as usize)
            .checked_mul(num_samples)
            .and_then(|samples| samples.checked_mul(page.bits as usize))
            .ok_or_else(|| DecodeError::corrupt(FORMAT, "the size is out of range"))?
            .div_ceil(8);
        let length = match is_subsampled {
            true => ycbcr::length(page, chunk_width, chunk_height),
            false => row_bytes.saturating_mul(chunk_height as usize),
        };
        let around = u64::from(chunk_width) * u64::from(chunk_height)
            > (u64::from(page.width) * u64::from(page.height)).saturating_mul(4);
        if around && length > MOST_AROUND {
            return Err(DecodeError::corrupt(
                FORMAT,
                format!("its tiles of {chunk_width}x{chunk_height} pixels are far larger than itself"),
            ));
        }
        let shape = Shape {
            width: chunk_width,
            height: chunk_height,
            num_samples,
            length,
        };
        let mut rows = match stored(page, index, length)? {
            Some(data) => decompress(page, data, shape)?.into_owned(),
            None => vec![0; length],
        };
        rows.truncate(length);
        let mut chunk = Self {
            rows,
            row_bytes,
            order: page.order(),
            num_samples,
            left,
            top,
            width: chunk_width.min(page.width - left),
            height: chunk_height.min(page.height - top),
        };
        if is_subsampled {
            chunk.rows = ycbcr::to_rgb(page, &chunk.rows, chunk_width, chunk_height);
            chunk.row_bytes = chunk_width as usize * 3;
            chunk.num_samples = 3;
        } else if !matches!(page.compression, Compression::Jpeg | Compression::WebP) {
            chunk.order = undo_prediction(page, &mut chunk.rows, row_bytes, num_samples)?;
        }
        Ok(chunk)
    }

    /// Puts its samples into the picture's.
    fn put(&self, page: &Page<'_>, plane: usize, kept: usize, samples: &mut Samples) {
        let which = if page.is_planar { plane..plane + 1 } else { 0..kept };
        for (row, bytes) in self
            .rows
            .chunks_exact(self.row_bytes)
            .take(self.height as usize)
            .enumerate()
        {
            let first = (self.top as usize + row) * page.width as usize + self.left as usize;
            for sample in which.clone() {
                let from = if page.is_planar { 0 } else { sample };
                let target = Target {
                    start: first * kept + sample,
                    step: kept,
                };
                let from = (from, self.num_samples);
                take_row(
                    page,
                    self.order,
                    bytes,
                    from,
                    self.width as usize,
                    samples,
                    target,
                );
            }
        }
    }
}

/// The bytes of a strip or tile as they are stored; `None` for one that is left out, which is black.
fn stored<'a>(page: &Page<'a>, index: usize, length: usize) -> Result<Option<&'a [u8]>, DecodeError> {
    let bytes = page.structure.bytes();
    let Some(&offset) = page.offsets.get(index) else {
        return Err(DecodeError::corrupt(
            FORMAT,
            format!(
                "it lacks {} of its strips or tiles",
                index + 1 - page.offsets.len()
            ),
        ));
    };
    let count = page.byte_counts.get(index).copied();
    if offset == 0 && count == Some(0) {
        return Ok(None);
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = bytes.get(start..).ok_or_else(|| too_short(page))?;
    let end = match (page.compression, count) {
        // Their lengths are known, and often wrong in the file.
        (Compression::None, _) => length,
        // Up to the end, where the file does not say.
        (_, None | Some(0)) => rest.len(),
        (_, Some(count)) => usize::try_from(count).unwrap_or(usize::MAX),
    };
    Ok(Some(&rest[..end.min(rest.len())]))
}

//! From a strip's or tile's bytes in the file to its samples as they would lie there uncompressed.

use super::{
    FORMAT,
    fax::{self, Scheme},
    page::{Compression, Page, Photometric},
};
use crate::media::{
    error::DecodeError,
    jpeg::{self, StoredColors},
};
use flate2::read::ZlibDecoder;
use image::{ImageDecoder, codecs::webp::WebPDecoder};
use lzma_rust2::XzReader;
use std::{
    borrow::Cow,
    io::{self, Read},
};
use weezl::{BitOrder, LzwStatus, decode::Decoder as LzwDecoder};

/// The most that LZMA's dictionary may take, in KiB.
const MOST_DICTIONARY: u32 = 1 << 17;

/// The size of a strip or tile in pixels, and how many samples a pixel has in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub width: u32,
    pub height: u32,
    pub num_samples: usize,
    /// All of it, uncompressed.
    pub length: usize,
}

/// Decompresses a strip or tile.
///
/// # Errors
/// When its data are damaged, or fewer than its shape asks for.
pub(super) fn decompress<'a>(
    page: &Page<'_>,
    data: &'a [u8],
    shape: Shape,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    let data = match page.is_reversed && page.compression != Compression::Jpeg {
        true => Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect()),
        false => Cow::Borrowed(data),
    };
    let out = match page.compression {
        Compression::None => data,
        Compression::PackBits => unpack_bits(&data, shape.length).into(),
        Compression::Lzw => lzw(&data, shape.length).into(),
        Compression::Deflate => read(ZlibDecoder::new(&*data), shape.length)?.into(),
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(&*data);
            read(decoder.map_err(corrupt)?, shape.length)?.into()
        }
        Compression::Lzma => read(
            XzReader::new_mem_limit(&*data, false, MOST_DICTIONARY),
            shape.length,
        )?
        .into(),
        Compression::FaxBytes => facsimile(page, &data, shape, Scheme::Bytes)?.into(),
        Compression::FaxWords => facsimile(page, &data, shape, Scheme::Words)?.into(),
        Compression::Group3 => {
            let is_mixed = page.t4_options & 1 != 0;
            facsimile(page, &data, shape, Scheme::Group3 { is_mixed })?.into()
        }
        Compression::Group4 => facsimile(page, &data, shape, Scheme::Group4)?.into(),
        Compression::Jpeg => jpeg(page, &data, shape)?.into(),
        Compression::WebP => webp(&data, shape)?.into(),
        Compression::OldJpeg => {
            return Err(DecodeError::unsupported(
                "TIFF pictures with old-style JPEG compression",
            ));
        }
    };
    match out.len() < shape.length {
        true => Err(too_short(page)),
        false => Ok(out),
    }
}

pub(super) fn too_short(page: &Page<'_>) -> DecodeError {
    DecodeError::Truncated {
        format: FORMAT,
        size_bytes: page.structure.bytes().len() as u64,
    }
}

fn corrupt(error: io::Error) -> DecodeError {
    DecodeError::corrupt(FORMAT, error)
}

/// Reads so many bytes, or as many as there are.
fn read(reader: impl Read, length: usize) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    match reader.take(length as u64).read_to_end(&mut out) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(corrupt(error)),
        _ => Ok(out),
    }
}

/// Runs: a length below 128 is followed by one byte more than that, one above by a byte that is repeated.
fn unpack_bits(data: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = data;
    while let Some((&head, tail)) = rest.split_first().filter(|_| out.len() < length) {
        rest = tail;
        match head.cast_signed() {
            -128 => {}
            count @ 0.. => {
                let (run, tail) = rest.split_at(rest.len().min(count as usize + 1));
                out.extend(run);
                rest = tail;
            }
            count => {
                let Some((&byte, tail)) = rest.split_first() else {
                    break;
                };
                out.extend(std::iter::repeat_n(byte, usize::from(count.unsigned_abs()) + 1));
                rest = tail;
            }
        }
    }
    out
}

/// Codes from the highest bit on; files from before TIFF 6.0 have them the other way round, and begin with 00 01.
fn lzw(data: &[u8], length: usize) -> Vec<u8> {
    let is_old = matches!(data, [0, second, ..] if second & 1 == 1);
    let mut decoder = match is_old {
        true => LzwDecoder::new(BitOrder::Lsb, 8),
        false => LzwDecoder::with_tiff_size_switch(BitOrder::Msb, 8),
    };
    let mut out = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while written < length {
        let step = decoder.decode_bytes(&data[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        if !matches!(step.status, Ok(LzwStatus::Ok)) {
            break;
        }
    }
    out.truncate(written);
    out
}

fn facsimile(page: &Page<'_>, data: &[u8], shape: Shape, scheme: Scheme) -> Result<Vec<u8>, DecodeError> {
    if page.bits != 1 || shape.num_samples != 1 {
        return Err(DecodeError::corrupt(
            FORMAT,
            "a facsimile has more than one bit a pixel",
        ));
    }
    fax::decode(data, shape.width, shape.height, scheme).ok_or_else(|| too_short(page))
}

/// YCbCr comes out as RGB, everything else as it is stored.
fn jpeg(page: &Page<'_>, data: &[u8], shape: Shape) -> Result<Vec<u8>, DecodeError> {
    if page.bits != 8 {
        return Err(DecodeError::unsupported(format!(
            "TIFF pictures with JPEG compression and {} bits a sample",
            page.bits
        )));
    }
    let colors = match (page.photometric, page.is_planar) {
        (Photometric::YCbCr, false) => StoredColors::YCbCr,
        _ => StoredColors::AsTheyAre,
    };
    let stream = jpeg::with_tables(page.jpeg_tables.unwrap_or_default(), data, colors);
    let decoded = jpeg::Jpeg::open(&stream)?.into_samples()?;
    if decoded.num_samples != shape.num_samples {
        return Err(DecodeError::corrupt(
            FORMAT,
            format!(
                "a JPEG in it has {} samples a pixel, not {}",
                decoded.num_samples, shape.num_samples
            ),
        ));
    }
    Ok(fitted(
        &decoded.samples,
        decoded.width as usize * decoded.num_samples,
        shape,
    ))
}

fn webp(data: &[u8], shape: Shape) -> Result<Vec<u8>, DecodeError> {
    let failed = |error: image::ImageError| DecodeError::corrupt(FORMAT, error);
    let decoder = WebPDecoder::new(io::Cursor::new(data)).map_err(failed)?;
    let (width, _) = decoder.dimensions();
    let num_samples = usize::from(decoder.color_type().channel_count());
    let most = (shape.length as u64).saturating_mul(2);
    if num_samples > shape.num_samples || decoder.total_bytes() > most {
        return Err(DecodeError::corrupt(FORMAT, "a WebP in it is of another size"));
    }
    let mut samples = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut samples).map_err(failed)?;
    if num_samples < shape.num_samples {
        // What is opaque is stored without alpha.
        let pixels = samples.chunks_exact(num_samples);
        let padding = shape.num_samples - num_samples;
        samples = pixels
            .flat_map(|pixel| pixel.iter().copied().chain(std::iter::repeat_n(255, padding)))
            .collect();
    }
    Ok(fitted(&samples, width as usize * shape.num_samples, shape))
}

/// Rows of another width, brought to that of the strip or tile: what is beyond is cut, what is missing stays black.
fn fitted(samples: &[u8], row_bytes: usize, shape: Shape) -> Vec<u8> {
    let wanted = shape.width as usize * shape.num_samples;
    if row_bytes == wanted {
        return samples.to_vec();
    }
    let mut out = vec![0; wanted * (samples.len() / row_bytes.max(1))];
    let common = wanted.min(row_bytes);
    for (to, from) in out.chunks_exact_mut(wanted).zip(samples.chunks_exact(row_bytes)) {
        to[..common].copy_from_slice(&from[..common]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_unpacked() {
        let packed = [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0x80, 0xfd, 0xaa];
        assert_eq!(
            unpack_bits(&packed, 10),
            [0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa]
        );
        assert_eq!(unpack_bits(&[5, 1, 2], 6), [1, 2]);
        assert_eq!(unpack_bits(&[0xfe], 3), [0; 0]);
    }
}

//! From an item to decoded planes, through FFmpeg.

use super::{
    boxes::Fault,
    item::{Item, Source},
    meta::Meta,
    planes::Planes,
    property::Properties,
    stream::{Coding, Stream},
};
use crate::media::error::DecodeError;
use std::collections::BTreeMap;

/// What is stored once may stand in the stream once for each tile: what the decoder has to know beforehand. That is small;
/// more than this many times the file is made to fill memory.
const MOST_GROWTH: usize = 8;

/// What came of an item.
pub(super) struct Decoded {
    /// The picture as it is stored.
    pub planes: Planes,
    /// The first complaint of the decoder, if it had any.
    pub complaint: Option<String>,
}

/// Decodes an item; `named` makes an error of what is wrong with the file.
pub(super) fn decode(
    meta: &Meta<'_>,
    item: &Item,
    named: impl Fn(Fault) -> DecodeError,
) -> Result<Decoded, DecodeError> {
    match &item.source {
        Source::Coded(coding, id) => {
            let (mut pictures, complaint) = pictures(meta, *coding, &[*id], item.size, &named)?;
            let planes = pictures
                .pop()
                .ok_or_else(|| named(Fault::corrupt("it has no picture")))?;
            Ok(Decoded { planes, complaint })
        }
        Source::Grid {
            coding,
            columns,
            tile,
            tiles,
        } => {
            let mut ids = tiles.clone();
            ids.sort_unstable();
            ids.dedup();
            let (pictures, complaint) = pictures(meta, *coding, &ids, *tile, &named)?;
            let pictures: BTreeMap<u32, Planes> = ids.into_iter().zip(pictures).collect();
            let planes = assembled(&pictures, item.size, *columns, *tile, tiles).map_err(named)?;
            Ok(Decoded { planes, complaint })
        }
    }
}

/// Puts tiles together.
fn assembled(
    pictures: &BTreeMap<u32, Planes>,
    size: (u32, u32),
    columns: u32,
    (width, height): (u32, u32),
    tiles: &[u32],
) -> Result<Planes, Fault> {
    let first = pictures.values().next();
    let first = first.ok_or(Fault::corrupt("a grid has no tiles"))?;
    let (across, down) = first.layout().colors.unwrap_or_default();
    let is_aligned = |side: u32, shift: u32| side.is_multiple_of(1 << shift);
    if tiles.len() > 1 && !(is_aligned(width, across) && is_aligned(height, down)) {
        return Err(Fault::Unsupported("whose tiles share samples".to_owned()));
    }
    let mut whole = Planes::like(first, size);
    for (place, id) in (0..).zip(tiles) {
        if let Some(tile) = pictures.get(id) {
            whole.paste(tile, (place % columns * width, place / columns * height));
        }
    }
    Ok(whole)
}

/// Decodes items of one size, each of which is a picture, and gives them in their order.
fn pictures(
    meta: &Meta<'_>,
    coding: Coding,
    ids: &[u32],
    size: (u32, u32),
    named: impl Fn(Fault) -> DecodeError,
) -> Result<(Vec<Planes>, Option<String>), DecodeError> {
    let stream = stream(meta, coding, ids, size).map_err(&named)?;
    let (mut pictures, complaint) = planes(stream, ids.len(), size, &named)?;
    // Of a picture in layers the last is the best.
    if ids.len() == 1 && pictures.len() > 1 {
        pictures = pictures.split_off(pictures.len() - 1);
    }
    if pictures.len() != ids.len() {
        let (found, wanted) = (pictures.len(), ids.len());
        let reason = complaint.unwrap_or_else(|| "the decoder gave no reason".to_owned());
        return Err(named(Fault::corrupt(match wanted {
            1 => format!("the picture cannot be decoded: {reason}"),
            _ => format!("{found} of {wanted} tiles can be decoded: {reason}"),
        })));
    }
    let pictures = pictures.into_iter().map(|picture| cut(picture, size));
    let pictures: Vec<Planes> = pictures.collect::<Result<_, _>>().map_err(&named)?;
    let is_alike = |pair: &[Planes]| pair[0].layout() == pair[1].layout();
    match pictures.windows(2).all(is_alike) {
        true => Ok((pictures, complaint)),
        false => Err(named(Fault::corrupt("the tiles of a grid differ"))),
    }
}

/// Writes the coded data of items one behind the other.
fn stream(meta: &Meta<'_>, coding: Coding, ids: &[u32], size: (u32, u32)) -> Result<Stream, Fault> {
    let mut stream = Stream::new(coding, size);
    let most_bytes = meta.size_bytes().saturating_mul(MOST_GROWTH);
    for &id in ids {
        let tile = Item::of(meta, id)?;
        if tile.size != size || !matches!(tile.source, Source::Coded(other, _) if other == coding) {
            return Err(Fault::corrupt("the tiles of a grid differ"));
        }
        let data = meta.data(id)?;
        let configuration = Properties::of(meta, id)?.configuration.unwrap_or_default();
        stream.push(configuration, &data)?;
        if stream.len() > most_bytes {
            return Err(Fault::corrupt("the data of its items overlap"));
        }
    }
    Ok(stream)
}

/// A picture as large as the file says; what is coded may be larger.
fn cut(picture: Planes, size: (u32, u32)) -> Result<Planes, Fault> {
    let (width, height) = picture.size();
    if picture.size() == size {
        return Ok(picture);
    }
    if width < size.0 || height < size.1 {
        let (wanted, high) = size;
        return Err(Fault::corrupt(format!(
            "a picture of {wanted}x{high} pixels is coded as one of {width}x{height}"
        )));
    }
    let mut part = Planes::like(&picture, size);
    part.paste(&picture, (0, 0));
    Ok(part)
}

/// Lets FFmpeg decode a stream of so many pictures of this size.
#[cfg(feature = "video")]
fn planes(
    stream: Stream,
    count: usize,
    (width, height): (u32, u32),
    named: impl Fn(Fault) -> DecodeError,
) -> Result<(Vec<Planes>, Option<String>), DecodeError> {
    use crate::ffmpeg::{PictureLimits, StreamFormat, decode_pictures};
    // Coding is done in blocks; what comes out may still be a little larger than what is stored of it.
    const BLOCK: u64 = 64;
    const PADDING: u64 = 8;
    const MOST_BYTES_A_PIXEL: u64 = 3 * 2;
    let (width, height) = (u64::from(width), u64::from(height));
    let in_blocks = |side: u64| side.next_multiple_of(BLOCK) + BLOCK;
    let limits = PictureLimits {
        pixels: in_blocks(width) * in_blocks(height),
        bytes: (width + PADDING) * (height + PADDING) * MOST_BYTES_A_PIXEL,
    };
    let (coding, bytes) = stream.into_parts();
    let format = match coding {
        Coding::Hevc => StreamFormat::Hevc,
        Coding::Av1 => StreamFormat::Ivf,
    };
    let decoded = decode_pictures(format, bytes, count, limits)?;
    let planes = decoded.pictures.into_iter().map(|picture| {
        let size = (picture.width, picture.height);
        let color = (&*picture.range, &*picture.matrix);
        Planes::new(size, &picture.pixel_format, color, &picture.samples)
    });
    let planes: Vec<Planes> = planes.collect::<Result<_, _>>().map_err(named)?;
    Ok((planes, decoded.complaint))
}

/// Without FFmpeg there is no decoder.
#[cfg(not(feature = "video"))]
fn planes(
    stream: Stream,
    _count: usize,
    _size: (u32, u32),
    named: impl Fn(Fault) -> DecodeError,
) -> Result<(Vec<Planes>, Option<String>), DecodeError> {
    let (coding, _) = stream.into_parts();
    let kind = format!("coded in {coding:?} (this program was built without FFmpeg)");
    Err(named(Fault::Unsupported(kind)))
}

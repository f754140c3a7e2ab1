//! HEIC and AVIF: pictures in ISO's base media format, coded in HEVC or AV1 (ISO/IEC 23008-12; AV1 Image File Format).
//!
//! The boxes are read here: which item is the picture, of which coded pictures it is made, and how it is turned. What is
//! coded FFmpeg decodes, in a process that is shut in; it never sees the file. Its planes become pixels here, by the
//! numbers of libavif and libheif.

mod boxes;
mod color;
mod decoder;
mod item;
mod meta;
mod planes;
mod property;
mod stream;
mod transform;

#[cfg(test)]
mod tests;

use super::{
    depth::{Rescale, Samples},
    error::DecodeError,
    metadata::Header,
    rgb_image::RgbImage,
};
use boxes::Fault;
use color::{Arithmetic, Cicp, Converter, IDENTITY};
use decoder::{Decoded, decode};
use item::{Item, alpha};
use meta::Meta;
use planes::{Planes, Upsampling};
use stream::Coding;

/// A file whose boxes have been read.
pub(super) struct Heif<'a> {
    meta: Meta<'a>,
    item: Item,
    /// The item with the alpha plane, and whether colours are multiplied by it.
    alpha: Option<(u32, bool)>,
    shown: (u32, u32),
    format: &'static str,
    size_bytes: usize,
}

impl<'a> Heif<'a> {
    /// Reads the boxes of a file of a format that goes by this name.
    pub(super) fn open(bytes: &'a [u8], format: &'static str) -> Result<Self, DecodeError> {
        Self::read(bytes, format).map_err(|fault| fault.of(format, bytes.len()))
    }

    fn read(bytes: &'a [u8], format: &'static str) -> Result<Self, Fault> {
        let meta = Meta::read(bytes)?;
        let item = Item::of(&meta, meta.primary)?;
        let size = item
            .transforms
            .iter()
            .try_fold(item.size, |size, step| step.size(size));
        Ok(Self {
            alpha: alpha(&meta, meta.primary),
            shown: size?,
            meta,
            item,
            format,
            size_bytes: bytes.len(),
        })
    }

    /// The size is that of the upright picture: the file says how it is turned.
    pub(super) fn header(&self) -> Header {
        Header {
            width: self.shown.0,
            height: self.shown.1,
            num_channels: self.item.num_colors + u8::from(self.alpha.is_some()),
        }
    }

    /// The pixels, and a line about damage that could be decoded over.
    pub(super) fn decode(
        &self,
        max_pixels: u64,
        rescale: Rescale,
    ) -> Result<(RgbImage, Option<String>), DecodeError> {
        let (width, height) = self.item.size;
        // What is shown may be less.
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(DecodeError::TooLarge {
                width,
                height,
                max_pixels,
            });
        }
        let named = |fault: Fault| fault.of(self.format, self.size_bytes);
        let Decoded { planes, complaint } = decode(&self.meta, &self.item, named)?;
        let mut image = self.pixels(planes, rescale).map_err(named)?;
        if let Some((id, is_multiplied)) = self.alpha {
            image = self.without_alpha(image, id, is_multiplied)?;
        }
        for transform in &self.item.transforms {
            image = transform.apply(image).map_err(named)?;
        }
        let warning = complaint.map(|complaint| {
            let format = self.format;
            format!("the {format} data is damaged, parts of the picture may be wrong: {complaint}")
        });
        Ok((image, warning))
    }

    /// The picture without its alpha plane, which must be there all the same.
    fn without_alpha(&self, image: RgbImage, id: u32, is_multiplied: bool) -> Result<RgbImage, DecodeError> {
        let named = |fault: Fault| fault.of(self.format, self.size_bytes);
        let alpha = Item::of(&self.meta, id).map_err(named)?;
        if !is_multiplied {
            let mut items = alpha.source.coded_items().iter();
            items
                .try_for_each(|&item| self.meta.data(item).map(drop))
                .map_err(named)?;
            return Ok(image);
        }
        if alpha.size != image.size() {
            let kind = "with alpha of another size".to_owned();
            return Err(named(Fault::Unsupported(kind)));
        }
        let alpha = decode(&self.meta, &alpha, named)?.planes.in_bytes();
        Ok(divided(image, alpha.light()))
    }

    /// Turns planes into pixels as they are stored.
    fn pixels(&self, planes: Planes, rescale: Rescale) -> Result<RgbImage, Fault> {
        let (layout, coding) = (planes.layout(), self.item.source.coding());
        let color = meaning(self.item.color, planes.color, coding);
        let stretches = layout.depth > 8 && rescale != Rescale::Bits;
        // Where the two libraries do not take the upper bits first, they take those of the result, or round to 8 bits.
        let is_fast = color.is_full_range && layout.colors == Some((1, 1));
        let is_plain = layout.colors.is_none() || color.matrix == IDENTITY;
        let (arithmetic, upsampling) = match coding {
            _ if is_plain => (Arithmetic::Exact, Upsampling::Nearest),
            Coding::Av1 => (Arithmetic::Libyuv, Upsampling::Bilinear),
            Coding::Hevc if is_fast => (Arithmetic::Libheif, Upsampling::Nearest),
            Coding::Hevc => (Arithmetic::Exact, Upsampling::Nearest),
        };
        let planes = match arithmetic {
            Arithmetic::Libyuv | Arithmetic::Libheif if !stretches => planes.in_bytes(),
            _ => planes,
        };
        let depth = planes.layout().depth;
        let (greatest, unused_bits) = match coding {
            _ if stretches => (u16::MAX, 0),
            Coding::Av1 => (u8::MAX.into(), 0),
            Coding::Hevc => (u16::MAX >> (16 - depth), depth - 8),
        };
        let converter = Converter::new(color, arithmetic, depth, greatest)?;
        let (width, height) = planes.size();
        let length = width as usize * height as usize * if layout.colors.is_some() { 3 } else { 1 };
        let samples = if stretches {
            let mut words = Vec::with_capacity(length);
            planes.convert(&converter, upsampling, |value| words.push(value));
            Samples::Words(words)
        } else {
            let mut bytes = Vec::with_capacity(length);
            planes.convert(&converter, upsampling, |value| {
                bytes.push((value >> unused_bits) as u8)
            });
            Samples::Bytes(bytes)
        };
        let bytes = samples.into_bytes(rescale, layout.colors.is_none());
        let rgb = match layout.colors {
            None => bytes.into_iter().flat_map(|grey| [grey; 3]).collect(),
            Some(_) => bytes,
        };
        RgbImage::from_raw(width, height, rgb).ok_or(Fault::corrupt("it has no pixels"))
    }
}

/// What the numbers mean: as the file says, or else the stream. Some cameras' files say of HEVC that its range is limited
/// where the stream knows better.
fn meaning(file: Option<Cicp>, stream: Cicp, coding: Coding) -> Cicp {
    let Some(file) = file else {
        return stream;
    };
    Cicp {
        is_full_range: file.is_full_range || (coding == Coding::Hevc && stream.is_full_range),
        ..file
    }
}

/// Colours that are not multiplied by alpha any more.
fn divided(image: RgbImage, alpha: impl Iterator<Item = u16>) -> RgbImage {
    let (width, height) = image.size();
    let mut data = image.into_data();
    for (pixel, alpha) in data.as_chunks_mut::<3>().0.iter_mut().zip(alpha) {
        let alpha = u32::from(alpha);
        // Of what cannot be seen no colour is left.
        let whole = |color: u8| (u32::from(color) * 255 + alpha / 2).checked_div(alpha);
        *pixel = pixel.map(|color| whole(color).unwrap_or(0).min(255) as u8);
    }
    let Some(image) = RgbImage::from_raw(width, height, data) else {
        unreachable!("it has as many bytes as before");
    };
    image
}

//! What is true of an item: its size, how it is coded, what its numbers mean, and how it is to be turned (ISO/IEC 23008-12,
//! 6.5; ISO/IEC 14496-12, 12.1; ISO/IEC 14496-15, 8.3; AV1-ISOBMFF, 2.3).

use super::{
    boxes::{Fault, IsoBox, Reader, text},
    color::Cicp,
    meta::Meta,
    transform::{Aperture, Transform},
};
use image::metadata::Orientation;

/// What an alpha plane says that it is, in any of the codings.
const ALPHA: [&[u8]; 3] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
    b"urn:mpeg:avc:2015:auxid:1",
];

/// There are three kinds of them, each of which makes sense once.
const MOST_TRANSFORMS: usize = 8;

/// What is true of an item, as far as it matters here.
#[derive(Debug, Default)]
pub(super) struct Properties<'a> {
    /// The size as it is stored.
    pub size: Option<(u32, u32)>,
    /// What the decoder has to know beforehand (`hvcC`, `av1C`).
    pub configuration: Option<&'a [u8]>,
    /// How many colours there are.
    pub num_colors: Option<u8>,
    pub color: Option<Cicp>,
    pub is_alpha: bool,
    /// What is to be done to it, in this order.
    pub transforms: Vec<Transform>,
}

impl<'a> Properties<'a> {
    /// Reads the properties of an item.
    pub fn of(meta: &Meta<'a>, item: u32) -> Result<Self, Fault> {
        let mut properties = Self::default();
        for (property, is_essential) in meta.properties(item) {
            if !properties.read(property)? && is_essential {
                let name = text(property.name);
                return Err(Fault::Unsupported(format!("with the property `{name}`")));
            }
        }
        match properties.transforms.len() {
            ..=MOST_TRANSFORMS => Ok(properties),
            _ => Err(Fault::corrupt("a picture is turned again and again")),
        }
    }

    /// Whether the property is known.
    fn read(&mut self, IsoBox { name, content, .. }: IsoBox<'a>) -> Result<bool, Fault> {
        let mut reader = Reader(content);
        match &name {
            b"ispe" => {
                reader.version_and_flags()?;
                self.size = Some((reader.u32()?, reader.u32()?));
            }
            b"hvcC" => {
                self.configuration = Some(content);
                // The last two bits are the format of the colours; 0 is none.
                let is_grey = content.get(16).is_some_and(|byte| byte & 3 == 0);
                self.num_colors = Some(if is_grey { 1 } else { 3 });
            }
            b"av1C" => {
                self.configuration = Some(content);
                let is_grey = content.get(2).is_some_and(|byte| byte & 0x10 != 0);
                self.num_colors = Some(if is_grey { 1 } else { 3 });
            }
            b"colr" => self.color = color(&mut reader)?.or(self.color),
            b"auxC" => {
                reader.version_and_flags()?;
                let rest = |kind: &&[u8]| reader.0.strip_prefix(*kind);
                let mut behind = ALPHA.iter().filter_map(rest);
                self.is_alpha = behind.any(|behind| behind.first().is_none_or(|&byte| byte == 0));
            }
            b"irot" => {
                let turned = match reader.u8()? & 3 {
                    0 => Orientation::NoTransforms,
                    1 => Orientation::Rotate270,
                    2 => Orientation::Rotate180,
                    _ => Orientation::Rotate90,
                };
                self.transforms.push(Transform::Turn(turned));
            }
            b"imir" => {
                let mirrored = match reader.u8()? & 1 {
                    0 => Orientation::FlipVertical,
                    _ => Orientation::FlipHorizontal,
                };
                self.transforms.push(Transform::Turn(mirrored));
            }
            b"clap" => self
                .transforms
                .push(Transform::Crop(Aperture::read(&mut reader)?)),
            // The first layer, or all of them, are what a decoder gives anyway.
            b"lsel" => return Ok([0, u16::MAX].contains(&reader.u16()?)),
            b"a1op" => return Ok(reader.u8()? == 0),
            b"pixi" | b"pasp" | b"a1lx" | b"clli" | b"mdcv" | b"cclv" | b"rloc" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What the numbers mean; a colour profile does not say how they become red, green and blue.
fn color(reader: &mut Reader<'_>) -> Result<Option<Cicp>, Fault> {
    Ok(match &reader.name()? {
        b"nclx" => Some(Cicp {
            primaries: reader.u16()?,
            matrix: {
                let _transfer = reader.u16()?;
                reader.u16()?
            },
            is_full_range: reader.u8()? & 0x80 != 0,
        }),
        _ => None,
    })
}

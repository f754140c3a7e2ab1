//! What a directory says of its picture. TIFF 6.0, its supplements, and BigTIFF.

use super::FORMAT;
use crate::media::{
    error::DecodeError,
    ifd::{ByteOrder, Directory, Entry, Structure},
};

/// More samples a pixel than any picture has.
const MOST_SAMPLES: u64 = 1024;

/// Numbers of tags.
mod tag {
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const T4_OPTIONS: u16 = 292;
    pub const PREDICTOR: u16 = 317;
    pub const COLOR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const JPEG_INTERCHANGE_FORMAT: u16 = 513;
    pub const YCBCR_COEFFICIENTS: u16 = 529;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
    pub const REFERENCE_BLACK_WHITE: u16 = 532;
}

/// What a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleFormat {
    Unsigned,
    Signed,
    Fraction,
}

/// What the samples of a pixel mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    Lab,
}

impl Photometric {
    /// Samples of a pixel's colour.
    pub(super) fn num_colors(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Rgb | Self::YCbCr | Self::Lab => 3,
            Self::Cmyk => 4,
        }
    }
}

/// How data are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    PackBits,
    Lzw,
    Deflate,
    Zstd,
    Lzma,
    FaxBytes,
    FaxWords,
    Group3,
    Group4,
    Jpeg,
    /// As TIFF 6.0 had it, before a supplement made it usable.
    OldJpeg,
    WebP,
}

/// Alpha, and whether colours are multiplied by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    None,
    Separate,
    Multiplied,
}

/// A picture of a file.
#[derive(Clone, Debug)]
pub(super) struct Page<'a> {
    pub structure: Structure<'a>,
    pub width: u32,
    pub height: u32,
    pub bits: u32,
    pub format: SampleFormat,
    /// Samples a pixel, those included that are not looked at.
    pub num_samples: usize,
    pub photometric: Photometric,
    pub alpha: Alpha,
    /// Samples of one kind lie together, one kind after the other.
    pub is_planar: bool,
    pub compression: Compression,
    pub predictor: u64,
    /// The lowest bit of a byte comes first.
    pub is_reversed: bool,
    pub t4_options: u64,
    /// The size of the strips or tiles that the picture is cut into.
    pub chunk: (u32, u32),
    pub is_tiled: bool,
    pub offsets: Vec<u64>,
    pub byte_counts: Vec<u64>,
    pub color_map: Vec<u16>,
    pub subsampling: (u32, u32),
    pub coefficients: Option<[f32; 3]>,
    pub reference_black_white: Option<[f32; 6]>,
    pub jpeg_tables: Option<&'a [u8]>,
    pub jpeg_offset: Option<u64>,
}

impl<'a> Page<'a> {
    pub(super) fn num_pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Reads a directory.
    ///
    /// # Errors
    /// When it lacks what a picture must have, contradicts itself, or is of a kind that is not decoded.
    pub(super) fn read(structure: Structure<'a>, directory: &Directory<'a>) -> Result<Self, DecodeError> {
        let tags = Tags(directory);
        let size = |tag, name| match tags.number(tag) {
            Some(size) => u32::try_from(size)
                .ok()
                .filter(|&size| size > 0)
                .ok_or_else(|| DecodeError::corrupt(FORMAT, format!("the {name} is {size}"))),
            None => Err(DecodeError::corrupt(
                FORMAT,
                format!("it does not say its {name}"),
            )),
        };
        let (width, height) = (
            size(tag::IMAGE_WIDTH, "width")?,
            size(tag::IMAGE_LENGTH, "height")?,
        );
        let compression = compression(tags.number(tag::COMPRESSION).unwrap_or(1))?;
        let photometric = match compression {
            Compression::OldJpeg => Photometric::YCbCr,
            _ => photometric(tags.number(tag::PHOTOMETRIC).unwrap_or(0))?,
        };
        let extra = tags.numbers(tag::EXTRA_SAMPLES);
        let default_samples = match compression {
            Compression::OldJpeg => 3,
            _ => 1,
        };
        let num_samples = tags.number(tag::SAMPLES_PER_PIXEL).unwrap_or(default_samples);
        if !(1..=MOST_SAMPLES).contains(&num_samples) {
            return Err(DecodeError::corrupt(
                FORMAT,
                format!("a pixel has {num_samples} samples"),
            ));
        }
        let num_samples = num_samples as usize;
        let is_tiled =
            directory.entry(tag::TILE_OFFSETS).is_some() && directory.entry(tag::TILE_WIDTH).is_some();
        let chunk = match is_tiled {
            true => (
                size(tag::TILE_WIDTH, "tiles' width")?,
                size(tag::TILE_LENGTH, "tiles' height")?,
            ),
            false => {
                let rows = tags.number(tag::ROWS_PER_STRIP).unwrap_or(u64::MAX);
                (width, u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, height))
            }
        };
        let (offsets, byte_counts) = match is_tiled {
            true => (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS),
            false => (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS),
        };
        let page = Self {
            structure,
            width,
            height,
            bits: bits(&tags.numbers(tag::BITS_PER_SAMPLE), num_samples)?,
            format: sample_format(&tags.numbers(tag::SAMPLE_FORMAT))?,
            num_samples,
            alpha: alpha(&extra, photometric, num_samples)?,
            // YCbCr may be a single plane of light.
            photometric: match photometric {
                Photometric::YCbCr if num_samples < 3 => Photometric::BlackIsZero,
                photometric => photometric,
            },
            is_planar: num_samples > 1 && tags.number(tag::PLANAR_CONFIGURATION) == Some(2),
            compression,
            predictor: tags.number(tag::PREDICTOR).unwrap_or(1),
            is_reversed: tags.number(tag::FILL_ORDER) == Some(2),
            t4_options: tags.number(tag::T4_OPTIONS).unwrap_or(0),
            chunk,
            is_tiled,
            offsets: tags.numbers(offsets),
            byte_counts: tags.numbers(byte_counts),
            color_map: tags
                .numbers(tag::COLOR_MAP)
                .into_iter()
                .map(|color| color.min(u16::MAX.into()) as u16)
                .collect(),
            subsampling: subsampling(&tags.numbers(tag::YCBCR_SUBSAMPLING))?,
            coefficients: tags.fractions(tag::YCBCR_COEFFICIENTS),
            reference_black_white: tags.fractions(tag::REFERENCE_BLACK_WHITE),
            jpeg_tables: directory.entry(tag::JPEG_TABLES).map(Entry::data),
            jpeg_offset: tags.number(tag::JPEG_INTERCHANGE_FORMAT),
        };
        page.check()?;
        Ok(page)
    }

    pub(super) fn order(&self) -> ByteOrder {
        self.structure.order()
    }

    /// Channels as [`Metadata`](crate::media::Metadata) counts them.
    pub(super) fn num_channels(&self) -> u8 {
        let colors = match self.photometric {
            Photometric::Palette => 3,
            photometric => photometric.num_colors() as u8,
        };
        match self.alpha {
            Alpha::None => colors,
            _ => colors + 1,
        }
    }

    fn check(&self) -> Result<(), DecodeError> {
        let colors = self.photometric.num_colors();
        if self.num_samples < colors {
            return Err(DecodeError::corrupt(
                FORMAT,
                format!("a pixel has {} samples and {colors} colours", self.num_samples),
            ));
        }
        let is_known = matches!(
            (self.format, self.bits),
            (SampleFormat::Unsigned, 1..=32)
                | (SampleFormat::Signed, 8 | 16 | 32)
                | (SampleFormat::Fraction, 16 | 32 | 64)
        );
        let is_plain = match self.photometric {
            Photometric::Palette => self.bits <= 8,
            Photometric::Lab | Photometric::YCbCr => self.bits == 8,
            _ => true,
        };
        if !is_known || !is_plain {
            return Err(DecodeError::unsupported(format!(
                "TIFF pictures of this kind with {} bits a sample",
                self.bits
            )));
        }
        if self.photometric == Photometric::Palette && self.color_map.len() < 3 << self.bits {
            return Err(DecodeError::corrupt(FORMAT, "it lacks colours of its palette"));
        }
        Ok(())
    }
}

/// Values of a directory, where they are numbers.
struct Tags<'a, 'b>(&'b Directory<'a>);

impl Tags<'_, '_> {
    fn number(&self, tag: u16) -> Option<u64> {
        self.0.entry(tag)?.first_unsigned()
    }

    fn numbers(&self, tag: u16) -> Vec<u64> {
        let entry = self.0.entry(tag);
        entry
            .into_iter()
            .flat_map(|entry| entry.unsigned().flatten())
            .collect()
    }

    fn fractions<const N: usize>(&self, tag: u16) -> Option<[f32; N]> {
        let values: Vec<f32> = self.0.entry(tag)?.rationals().take(N).collect();
        values.try_into().ok()
    }
}

fn bits(bits: &[u64], num_samples: usize) -> Result<u32, DecodeError> {
    let bits = &bits[..bits.len().min(num_samples)];
    let first = bits.first().copied().unwrap_or(1);
    if bits.iter().any(|&other| other != first) {
        return Err(DecodeError::unsupported(
            "TIFF pictures whose samples differ in bits",
        ));
    }
    u32::try_from(first)
        .ok()
        .filter(|bits| (1..=64).contains(bits))
        .ok_or_else(|| DecodeError::corrupt(FORMAT, format!("a sample has {first} bits")))
}

fn sample_format(formats: &[u64]) -> Result<SampleFormat, DecodeError> {
    match formats.first().copied().unwrap_or(1) {
        // 4 says that nothing is known.
        1 | 4 => Ok(SampleFormat::Unsigned),
        2 => Ok(SampleFormat::Signed),
        3 => Ok(SampleFormat::Fraction),
        5 | 6 => Err(DecodeError::unsupported("TIFF pictures of complex numbers")),
        other => Err(DecodeError::corrupt(
            FORMAT,
            format!("its samples are of the unknown format {other}"),
        )),
    }
}

fn compression(number: u64) -> Result<Compression, DecodeError> {
    let name = match number {
        1 => return Ok(Compression::None),
        2 => return Ok(Compression::FaxBytes),
        3 => return Ok(Compression::Group3),
        4 => return Ok(Compression::Group4),
        5 => return Ok(Compression::Lzw),
        6 => return Ok(Compression::OldJpeg),
        7 => return Ok(Compression::Jpeg),
        8 | 32946 => return Ok(Compression::Deflate),
        32771 => return Ok(Compression::FaxWords),
        32773 => return Ok(Compression::PackBits),
        34925 => return Ok(Compression::Lzma),
        50000 => return Ok(Compression::Zstd),
        50001 => return Ok(Compression::WebP),
        32766 => "NeXT's",
        32809 => "ThunderScan's",
        32908 | 32909 => "Pixar's",
        33003 | 33005 | 34712 => "JPEG 2000",
        34661 => "JBIG",
        34676 | 34677 => "SGI's LogLuv",
        34887 => "LERC",
        50002 | 52546 => "JPEG XL",
        _ => {
            return Err(DecodeError::unsupported(format!(
                "TIFF pictures with compression {number}"
            )));
        }
    };
    Err(DecodeError::unsupported(format!(
        "TIFF pictures with {name} compression"
    )))
}

fn photometric(number: u64) -> Result<Photometric, DecodeError> {
    let name = match number {
        0 => return Ok(Photometric::WhiteIsZero),
        1 => return Ok(Photometric::BlackIsZero),
        2 => return Ok(Photometric::Rgb),
        3 => return Ok(Photometric::Palette),
        5 => return Ok(Photometric::Cmyk),
        6 => return Ok(Photometric::YCbCr),
        8 => return Ok(Photometric::Lab),
        4 => "masks",
        9 | 10 => "pictures in ICC's or ITU's Lab",
        32803 | 34892 => "camera's raw data",
        32844 | 32845 => "pictures in LogLuv",
        51177 => "depth maps",
        _ => {
            return Err(DecodeError::unsupported(format!(
                "TIFF pictures with colours of kind {number}"
            )));
        }
    };
    Err(DecodeError::unsupported(format!("TIFF {name}")))
}

/// The extra samples begin behind the colours; only the first can be alpha.
fn alpha(extra: &[u64], photometric: Photometric, num_samples: usize) -> Result<Alpha, DecodeError> {
    let beyond = num_samples.saturating_sub(photometric.num_colors());
    let is_grey = matches!(photometric, Photometric::BlackIsZero | Photometric::WhiteIsZero);
    match (beyond, extra.first()) {
        // Four samples of colour without a word are colour and alpha, as Pillow has it.
        (0, _) => Ok(Alpha::None),
        (2.., _) if is_grey => Err(DecodeError::unsupported(format!(
            "TIFF pictures of {num_samples} bands that are no colours"
        ))),
        (_, Some(1)) => Ok(Alpha::Multiplied),
        (_, None | Some(2 | 999)) => Ok(Alpha::Separate),
        _ => Ok(Alpha::None),
    }
}

fn subsampling(values: &[u64]) -> Result<(u32, u32), DecodeError> {
    let (across, down) = match values {
        [across, down, ..] => (*across, *down),
        _ => (2, 2),
    };
    match (across, down) {
        (1 | 2 | 4, 1 | 2 | 4) => Ok((across as u32, down as u32)),
        _ => Err(DecodeError::corrupt(
            FORMAT,
            format!("its colours are at 1/{across} by 1/{down} of the resolution"),
        )),
    }
}

//! The image processors of PP-OCR, which choose a size for each picture.

use super::{CHANNELS, Processing, Special, pillow_filter, rescaled};
use crate::{bilinear::neighbours, repository::Config};
use modelzoo_candle::image::{ChannelOrder, Filter, Normalization, Preprocessing};
use modelzoo_plugin_api::{Error, Image, Result};

/// Pages have sides of multiples of this.
const MULTIPLE: usize = 32;

/// The size of a picture of text, which depends on the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TextSize {
    /// Of a page: one side is as long as the rule says, and both are rounded.
    Page {
        rule: Rule,
        side: usize,
        /// No side is longer.
        most: usize,
    },
    /// Of a line: as high as all lines, and as wide as it is then.
    Line {
        size: [usize; 2],
        /// Lines that are narrower end in zeros.
        least: Option<usize>,
        /// Lines that are wider become as wide as this.
        most: usize,
        /// Whether they are resized by interpolation between the nearest pixels, without a filter.
        is_plain: bool,
    },
}

/// Which side of a page is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The longer one is at most so long.
    Most,
    /// The shorter one is at least so long.
    Least,
    /// The longer one is so long.
    Exact,
}

/// What a processor makes of pages.
pub(super) fn page(
    config: &Config,
    size: Option<[usize; 2]>,
    statistics: [[f64; CHANNELS]; 2],
) -> Result<Processing> {
    if size.is_some_and(|sides| sides.iter().any(|side| side % MULTIPLE != 0)) {
        return Err(Error::invalid_option(format!(
            "`image_size` is not a multiple of {MULTIPLE}, as this network needs it"
        )));
    }
    let mut values = rescaled(config, statistics)?;
    // Means are published for red, green and blue, and the network takes them the other way around.
    values.mean.reverse();
    values.std.reverse();
    let rule = match config.text("limit_type")? {
        None | Some("max") => Rule::Most,
        Some("min") => Rule::Least,
        Some("resize_long") => Rule::Exact,
        Some(_) => return Err(config.unsupported("limit_type", "max, min or resize_long")),
    };
    let text = TextSize::Page {
        rule,
        side: config.count("limit_side_len", 960)?,
        most: config.count("max_side_limit", 4000)?,
    };
    processing(config, size, text, values, ChannelOrder::Bgr)
}

/// What a processor makes of lines; that of the sixth version differs in how it resizes them, and in the order of colours.
pub(super) fn line(
    config: &Config,
    size: Option<[usize; 2]>,
    statistics: [[f64; CHANNELS]; 2],
    is_sixth: bool,
) -> Result<Processing> {
    const SIZE: [usize; 2] = [48, 320];
    let sides = |key: &str| -> Result<[usize; 2]> {
        let section = config.section_or_empty(key)?;
        Ok([
            section.count("height", SIZE[0])?,
            section.count("width", SIZE[1])?,
        ])
    };
    let pads = config.flag("do_pad", true)?;
    let text = TextSize::Line {
        size: sides("size")?,
        least: pads.then(|| sides("pad_size")).transpose()?.map(|size| size[1]),
        most: config.count("max_image_width", 3200)?,
        is_plain: is_sixth,
    };
    let order = if is_sixth {
        ChannelOrder::Bgr
    } else {
        ChannelOrder::Rgb
    };
    processing(config, size, text, rescaled(config, statistics)?, order)
}

fn processing(
    config: &Config,
    size: Option<[usize; 2]>,
    text: TextSize,
    values: Normalization,
    order: ChannelOrder,
) -> Result<Processing> {
    if !config.flag("do_resize", true)? {
        return Err(config.unsupported("do_resize", "true"));
    }
    let preprocessing = Preprocessing::new()
        .filter(pillow_filter(config, "resample", Filter::Bilinear)?)
        .channels(order)
        .normalize(values);
    Ok(match size {
        Some(size) => Processing {
            preprocessing: preprocessing.resize(size),
            size: Some(size),
            is_square: false,
            special: None,
        },
        None => Processing {
            preprocessing,
            size: None,
            is_square: false,
            special: Some(Special::Text(text)),
        },
    })
}

impl TextSize {
    /// The `[height, width]` that a picture of `[height, width]` is resized to.
    fn resized(self, size: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Page { rule, side, most } => page_size(size, rule, side as f64, most),
            Self::Line { size: line, most, .. } => {
                let height = line[0] as f64;
                let ratio = size[1] as f64 / size[0] as f64;
                let usual = line[1] as f64 / height;
                let width = (height * ratio.max(usual)) as usize;
                if width > most {
                    return [line[0], most];
                }
                let exact = (height * ratio).ceil() as usize;
                [line[0], width.min(exact.max(1))]
            }
        }
    }

    /// A picture's values `[channel][row][column]` and its `[height, width]`.
    pub(super) fn apply(
        self,
        preprocessing: &Preprocessing,
        image: &Image<'_>,
    ) -> Result<([usize; 2], Vec<f32>)> {
        let size = self.resized([image.height(), image.width()]);
        let (size, values) = match self {
            Self::Line { is_plain: true, .. } => {
                let [height, width] = size;
                let pixels = interpolated(image, size);
                preprocessing.apply(&Image::new(width, height, &pixels)?)?
            }
            Self::Line { .. } | Self::Page { .. } => preprocessing.clone().resize(size).apply(image)?,
        };
        let [height, width] = size;
        match self {
            Self::Line {
                least: Some(least), ..
            } if width < least => {
                let mut padded = vec![0.0; CHANNELS * height * least];
                for (row, values) in padded.chunks_exact_mut(least).zip(values.chunks_exact(width)) {
                    row[..width].copy_from_slice(values);
                }
                Ok(([height, least], padded))
            }
            Self::Page { .. } | Self::Line { .. } => Ok((size, values)),
        }
    }
}

/// A picture of `[height, width]`, whose pixels are between the nearest ones, rounded.
fn interpolated(image: &Image<'_>, [height, width]: [usize; 2]) -> Vec<u8> {
    let rows = neighbours(image.height(), height);
    let columns = neighbours(image.width(), width);
    let value = |row: usize, column: usize, channel: usize| {
        f32::from(image.pixels()[(row * image.width() + column) * CHANNELS + channel])
    };
    let mut pixels = Vec::with_capacity(height * width * CHANNELS);
    for row in &rows {
        for column in &columns {
            for channel in 0..CHANNELS {
                let line = |place: usize| {
                    let first = value(place, column.first, channel);
                    column.between(first, || value(place, column.second, channel))
                };
                let exact = row.between(line(row.first), || line(row.second));
                pixels.push(exact.round_ties_even() as u8);
            }
        }
    }
    pixels
}

fn page_size(size: [usize; 2], rule: Rule, side: f64, most: usize) -> [usize; 2] {
    let longer = size[0].max(size[1]) as f64;
    let shorter = size[0].min(size[1]) as f64;
    let ratio = match rule {
        Rule::Most => (side / longer).min(1.0),
        Rule::Least => (side / shorter).max(1.0),
        Rule::Exact => side / longer,
    };
    let mut sides = size.map(|side| (side as f64 * ratio) as usize);
    let longer = sides[0].max(sides[1]);
    if longer > most {
        let ratio = most as f64 / longer as f64;
        sides = sides.map(|side| (side as f64 * ratio) as usize);
    }
    let multiple = MULTIPLE as f64;
    sides
        .map(|side| ((side as f64 / multiple).round_ties_even() * multiple) as usize)
        .map(|side| side.max(MULTIPLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_sides_of_multiples() {
        let most = |size| page_size(size, Rule::Most, 960.0, 4000);
        assert_eq!(most([72, 96]), [64, 96]);
        assert_eq!(most([1000, 2000]), [480, 960]);
        assert_eq!(most([10, 10]), [32, 32]);
        assert_eq!(page_size([100, 200], Rule::Least, 736.0, 4000), [736, 1472]);
        assert_eq!(page_size([100, 2000], Rule::Least, 736.0, 4000), [192, 4000]);
        assert_eq!(page_size([100, 200], Rule::Exact, 640.0, 4000), [320, 640]);
    }

    #[test]
    fn pixels_between_others_are_rounded() {
        let image = Image::new(2, 1, &[0, 10, 20, 100, 11, 20]).unwrap();
        let pixels = interpolated(&image, [1, 4]);
        assert_eq!(pixels, [0, 10, 20, 25, 10, 20, 75, 11, 20, 100, 11, 20]);
    }

    #[test]
    fn lines_are_as_wide_as_they_are() {
        let line = TextSize::Line {
            size: [48, 320],
            least: Some(320),
            most: 3200,
            is_plain: false,
        };
        assert_eq!(line.resized([72, 96]), [48, 64]);
        assert_eq!(line.resized([30, 500]), [48, 800]);
        assert_eq!(line.resized([31, 500]), [48, 774]);
        assert_eq!(line.resized([10, 5000]), [48, 3200]);
        assert_eq!(line.resized([500, 1]), [48, 1]);
    }
}

//! The image processor of EoMT: a picture as one square with black at its right or at its bottom, or as several squares that
//! overlap.

use super::{CHANNELS, Processing, Special, normalization_of_black, pillow_filter, refuse_size, rescaled};
use crate::repository::Config;
use modelzoo_candle::image::{Filter, Preprocessing};
use modelzoo_plugin_api::{Error, ErrorKind, Image, Result};

/// A picture of more squares is refused: what is known of each of its pixels would take gigabytes.
const MOST: usize = 16;

/// How a picture becomes squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Squares {
    /// Rows and columns of each.
    pub(crate) side: usize,
    /// Whether there are several, or one that is filled up.
    pub(crate) are_several: bool,
    /// What black becomes.
    black: [f32; CHANNELS],
}

/// A picture as squares.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Squared {
    /// `[square][channel][row][column]`
    pub(crate) values: Vec<f32>,
    /// The first row, or the first column, of the resized picture that each square has.
    pub(crate) starts: Vec<usize>,
    /// `[height, width]` of the resized picture.
    pub(crate) size: [usize; 2],
}

pub(super) fn read(
    config: &Config,
    size: Option<[usize; 2]>,
    default: usize,
    statistics: [[f64; CHANNELS]; 2],
) -> Result<Processing> {
    refuse_size(size, "squares")?;
    let are_several = config.flag("do_split_image", false)?;
    if !are_several && !config.flag("do_pad", false)? {
        return Err(config.unsupported("do_pad", "true, or `do_split_image`,"));
    }
    if !config.flag("do_resize", true)? {
        return Err(config.unsupported("do_resize", "true"));
    }
    let section = config.section_or_empty("size")?;
    let shorter = section.count("shortest_edge", default)?;
    let longer = section.count_of("longest_edge")?;
    let values = rescaled(config, statistics)?;
    let resized = match longer {
        // All of the picture is in one square.
        Some(longer) if !are_several && longer == shorter => {
            Preprocessing::new().resize_sides(shorter, longer, 1)
        }
        None if are_several => Preprocessing::new().resize_shorter_side(shorter),
        Some(longer) if are_several && longer > shorter => {
            Preprocessing::new().resize_sides(shorter, longer, 1)
        }
        _ => {
            return Err(config.unsupported(
                "size",
                "`shortest_edge` and a `longest_edge` that is the same where pictures are filled up, or larger or none where \
                 they are split,",
            ));
        }
    };
    Ok(Processing {
        preprocessing: resized
            .filter(pillow_filter(config, "resample", Filter::Bilinear)?)
            .normalize(values),
        size: Some([shorter; 2]),
        is_square: false,
        special: Some(Special::Squares(Squares {
            side: shorter,
            are_several,
            black: normalization_of_black(values),
        })),
    })
}

impl Squares {
    /// The squares of a picture.
    ///
    /// # Errors
    /// When there are too many, or it cannot be prepared.
    pub(crate) fn apply(self, preprocessing: &Preprocessing, image: &Image<'_>) -> Result<Squared> {
        let side = self.side;
        let [height, width] = preprocessing.output_size([image.height(), image.width()]);
        let starts = if self.are_several {
            starts(height.max(width), side)
        } else {
            vec![0]
        };
        if starts.len() > MOST {
            return Err(Error::new(format!(
                "the picture is so long that it becomes {} squares, and no more than {MOST} are looked at",
                starts.len()
            ))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("cut it into parts"));
        }
        let (size, values) = preprocessing.apply(image)?;
        let mut squares = Vec::with_capacity(starts.len() * CHANNELS * side * side);
        for &start in &starts {
            let [top, left] = if height > width { [start, 0] } else { [0, start] };
            for (plane, black) in values.chunks_exact(height * width).zip(self.black) {
                for row in top..top + side {
                    let line = plane.chunks_exact(width).nth(row).unwrap_or_default();
                    let line = line.get(left..).unwrap_or_default();
                    let line = &line[..line.len().min(side)];
                    squares.extend_from_slice(line);
                    squares.extend(std::iter::repeat_n(black, side - line.len()));
                }
            }
        }
        Ok(Squared {
            values: squares,
            starts,
            size,
        })
    }
}

/// Where squares begin that cover `length` pixels and overlap by as much as each other.
fn starts(length: usize, side: usize) -> Vec<usize> {
    let count = length.div_ceil(side);
    let shared = (count * side - length) as f64;
    let overlap = if count > 1 {
        shared / (count as f64 - 1.0)
    } else {
        0.0
    };
    (0..count)
        .map(|index| (index as f64 * (side as f64 - overlap)) as usize)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_candle::image::Normalization;

    #[test]
    fn squares_cover_a_line_evenly() {
        assert_eq!(starts(64, 64), [0]);
        assert_eq!(starts(85, 64), [0, 21]);
        assert_eq!(starts(150, 64), [0, 43, 86]);
    }

    #[test]
    fn a_picture_is_filled_up_or_split() {
        let pixels = vec![255; 8 * 4 * 3];
        let image = Image::new(8, 4, &pixels).unwrap();
        let squares = |are_several| Squares {
            side: 4,
            are_several,
            black: [-1.0; 3],
        };
        let normalised = |preprocessing: Preprocessing| preprocessing.normalize(Normalization::UNIT);
        let one = normalised(Preprocessing::new().resize_sides(4, 4, 1));
        let one = squares(false).apply(&one, &image).unwrap();
        assert_eq!((one.size, one.starts), ([2, 4], vec![0]));
        assert_eq!(one.values[..8], [1.0; 8]);
        assert_eq!(one.values[8..16], [-1.0; 8]);
        let several = normalised(Preprocessing::new().resize_shorter_side(4));
        let several = squares(true).apply(&several, &image).unwrap();
        assert_eq!((several.size, several.starts), ([4, 8], vec![0, 4]));
        assert_eq!(several.values, vec![1.0; 2 * 3 * 16]);
    }

    #[test]
    fn a_picture_of_too_many_squares_is_refused_before_it_is_resized() {
        let pixels = vec![0; 3 * 100_000];
        let long = Image::new(1, 100_000, &pixels).unwrap();
        let squares = Squares {
            side: 512,
            are_several: true,
            black: [0.0; 3],
        };
        let error = squares
            .apply(&Preprocessing::new().resize_shorter_side(512), &long)
            .unwrap_err();
        assert!(error.message().contains("100000 squares"), "{error}");
    }
}

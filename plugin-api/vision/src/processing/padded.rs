//! The image processor of SAM: a picture whose longer side is that of a square, and zeros at its right or at its bottom.

use super::{CHANNELS, Processing, Special, pillow_filter, refuse_size, rescaled};
use crate::repository::Config;
use modelzoo_candle::image::{Filter, Preprocessing};
use modelzoo_plugin_api::{Image, Result};

/// How a picture becomes a square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Padded {
    /// Rows and columns of the square.
    pub(crate) side: usize,
    /// What the longer side of the picture becomes.
    longer: usize,
}

pub(super) fn read(
    config: &Config,
    size: Option<[usize; 2]>,
    default: usize,
    statistics: [[f64; CHANNELS]; 2],
) -> Result<Processing> {
    refuse_size(size, "squares")?;
    for key in ["do_resize", "do_pad"] {
        if !config.flag(key, true)? {
            return Err(config.unsupported(key, "true"));
        }
    }
    let longer = config.section_or_empty("size")?.count("longest_edge", default)?;
    let section = config.section_or_empty("pad_size")?;
    let [height, width] = [
        section.count("height", default)?,
        section.count("width", default)?,
    ];
    if height != width || longer > height {
        return Err(config.unsupported(
            "pad_size",
            "as many rows as columns, and no fewer than `size` has,",
        ));
    }
    let padded = Padded { side: height, longer };
    Ok(Processing {
        preprocessing: Preprocessing::new()
            .filter(pillow_filter(config, "resample", Filter::Bilinear)?)
            .normalize(rescaled(config, statistics)?),
        size: Some([height; 2]),
        is_square: false,
        special: Some(Special::Padded(padded)),
    })
}

impl Padded {
    /// The `[height, width]` that a picture of `[height, width]` is resized to.
    pub(crate) fn resized(self, size: [usize; 2]) -> [usize; 2] {
        let scale = self.longer as f64 / size[0].max(size[1]) as f64;
        // A side that is rounded to nothing would be no picture.
        size.map(|side| ((side as f64 * scale + 0.5) as usize).max(1))
    }

    /// The values `[channel][row][column]` of the square.
    pub(super) fn values(self, preprocessing: &Preprocessing, image: &Image<'_>) -> Result<Vec<f32>> {
        let [height, width] = self.resized([image.height(), image.width()]);
        let (_, values) = preprocessing.clone().resize([height, width]).apply(image)?;
        let mut square = vec![0.0; CHANNELS * self.side * self.side];
        let planes = square.chunks_exact_mut(self.side * self.side);
        for (plane, values) in planes.zip(values.chunks_exact(height * width)) {
            for (row, values) in plane.chunks_exact_mut(self.side).zip(values.chunks_exact(width)) {
                row[..width].copy_from_slice(values);
            }
        }
        Ok(square)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_candle::image::Normalization;

    #[test]
    fn the_longer_side_is_that_of_the_square_and_the_rest_is_zeros() {
        let padded = Padded { side: 8, longer: 8 };
        assert_eq!(padded.resized([3, 16]), [2, 8]);
        assert_eq!(padded.resized([5, 1]), [8, 2]);
        assert_eq!(padded.resized([1, 100]), [1, 8]);
        let pixels = vec![255; 4 * 2 * CHANNELS];
        let image = Image::new(4, 2, &pixels).unwrap();
        let preprocessing = Preprocessing::new().normalize(Normalization::UNIT);
        let values = padded.values(&preprocessing, &image).unwrap();
        assert_eq!(values.len(), CHANNELS * 64);
        for plane in values.chunks_exact(64) {
            assert_eq!(plane[..32], [1.0; 32]);
            assert_eq!(plane[32..], [0.0; 32]);
        }
    }
}

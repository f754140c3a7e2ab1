//! The image processor of ViTPose: the part of a picture around a box.
//!
//! Source: Huang et al., "The Devil is in the Details: Delving into Unbiased Data Processing for Human Pose Estimation" (2020);
//! the rounding is that of transformers' `VitPoseImageProcessorPil`, which goes by SciPy's `affine_transform`.

use super::{CHANNELS, Processing, Special, refuse_size, rescaled};
use crate::repository::Config;
use modelzoo_candle::image::Preprocessing;
use modelzoo_plugin_api::{Image, Result};

/// A part is so many times as large as its box.
const LARGER: f32 = 1.25;
/// What the sizes of parts are counted in.
const UNIT: f32 = 200.0;

/// Parts of pictures that all become equally large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parts {
    /// `[height, width]`
    pub(crate) size: [usize; 2],
}

/// Where a part is in its picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    /// `[x, y]`
    center: [f32; 2],
    /// `[width, height]`
    extent: [f32; 2],
}

pub(super) fn read(
    config: &Config,
    size: Option<[usize; 2]>,
    default: [usize; 2],
    statistics: [[f64; CHANNELS]; 2],
) -> Result<Processing> {
    refuse_size(size, "parts")?;
    if !config.flag("do_affine_transform", true)? {
        return Err(config.unsupported("do_affine_transform", "true"));
    }
    let section = config.section_or_empty("size")?;
    let size = [
        section.count("height", default[0])?,
        section.count("width", default[1])?,
    ];
    if size.contains(&1) {
        return Err(config.wrong("size", "a height and a width of at least 2"));
    }
    Ok(Processing {
        preprocessing: Preprocessing::new().normalize(rescaled(config, statistics)?),
        size: Some(size),
        is_square: false,
        special: Some(Special::Parts(Parts { size })),
    })
}

impl Parts {
    /// Where the part around a box `[x, y, width, height]`, relative to a picture, is; it has the aspect ratio of all parts.
    pub(crate) fn placed(self, image: &Image<'_>, bounding_box: [f64; 4]) -> Placed {
        let sides = [image.width() as f64, image.height() as f64];
        let [left, width] = [0, 2].map(|place| bounding_box[place] * sides[0]);
        let [top, height] = [1, 3].map(|place| bounding_box[place] * sides[1]);
        let ratio = self.size[1] as f64 / self.size[0] as f64;
        let center = [left + width * 0.5, top + height * 0.5].map(|place| place as f32);
        let (width, height) = if width > ratio * height {
            (width, width / ratio)
        } else {
            (height * ratio, height)
        };
        let extent = [width, height].map(|side| (side / f64::from(UNIT)) as f32 * LARGER);
        Placed {
            center,
            extent: extent.map(|side| side * UNIT),
        }
    }

    /// The values `[channel][row][column]` of a part.
    pub(crate) fn values(
        self,
        preprocessing: &Preprocessing,
        image: &Image<'_>,
        placed: Placed,
    ) -> Result<Vec<f32>> {
        let [height, width] = self.size;
        let columns = placed.line(0, width, image.width());
        let rows = placed.line(1, height, image.height());
        let mut pixels = vec![0_u8; width * height * CHANNELS];
        for (line, row) in pixels.chunks_exact_mut(width * CHANNELS).zip(&rows) {
            for (pixel, column) in line.chunks_exact_mut(CHANNELS).zip(&columns) {
                if let (Some(row), Some(column)) = (row, column) {
                    interpolate(image, *row, *column, pixel);
                }
            }
        }
        let (_, values) = preprocessing.apply(&Image::new(width, height, &pixels)?)?;
        Ok(values)
    }
}

/// A place between two pixels of a line: the first of them, and how near the second one is.
type Between = (usize, f64);

impl Placed {
    /// The place of each of `count` pixels of a part in a line of `length` pixels; `None` beside the picture.
    fn line(self, axis: usize, count: usize, length: usize) -> Vec<Option<Between>> {
        let scale = (count as f64 - 1.0) / f64::from(self.extent[axis]);
        let shift = scale * f64::from(-0.5 * (self.center[axis] * 2.0) + 0.5 * self.extent[axis]);
        let (scale, shift) = (f64::from(scale as f32), f64::from(shift as f32));
        let inverse = 1.0 / scale;
        let first = -shift * inverse;
        (0..count)
            .map(|index| {
                let place = first + index as f64 * inverse;
                let is_inside = place >= 0.0 && place <= length as f64 - 1.0;
                is_inside.then(|| (place.floor() as usize, place - place.floor()))
            })
            .collect()
    }

    /// A place of a map of `[height, width]` of the part, as a place of the picture in pixels.
    pub(crate) fn restored(self, [x, y]: [f32; 2], [height, width]: [usize; 2]) -> [f32; 2] {
        let place = |place: f32, axis: usize, count: usize| {
            let scale = self.extent[axis] / (count as f32 - 1.0);
            place * scale + self.center[axis] - self.extent[axis] * 0.5
        };
        [place(x, 0, width), place(y, 1, height)]
    }
}

/// Rounds what is between four pixels.
fn interpolate(image: &Image<'_>, (row, down): Between, (column, right): Between, pixel: &mut [u8]) {
    let next_row = (row + 1).min(image.height() - 1);
    let next_column = (column + 1).min(image.width() - 1);
    let corner = |row: usize, column: usize, channel: usize| {
        f64::from(image.pixels()[(row * image.width() + column) * CHANNELS + channel])
    };
    for (channel, value) in pixel.iter_mut().enumerate() {
        let sum = corner(row, column, channel) * (1.0 - down) * (1.0 - right)
            + corner(row, next_column, channel) * (1.0 - down) * right
            + corner(next_row, column, channel) * down * (1.0 - right)
            + corner(next_row, next_column, channel) * down * right;
        *value = (sum + 0.5) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_candle::image::Normalization;

    #[test]
    fn a_part_has_the_aspect_ratio_of_all_and_more_than_its_box() {
        let pixels = vec![9; 100 * 200 * 3];
        let image = Image::new(100, 200, &pixels).unwrap();
        let parts = Parts { size: [256, 192] };
        let wide = parts.placed(&image, [0.2, 0.25, 0.6, 0.1]);
        assert_eq!(wide.center, [50.0, 60.0]);
        assert!((wide.extent[0] - 75.0).abs() < 1e-3 && (wide.extent[1] - 100.0).abs() < 1e-3);
        let high = parts.placed(&image, [0.4, 0.2, 0.1, 0.6]);
        assert!((high.extent[0] - 112.5).abs() < 1e-3 && (high.extent[1] - 150.0).abs() < 1e-3);
        // The middle of a map is the middle of the part.
        let [x, y] = high.restored([23.5, 31.5], [64, 48]);
        assert!((x - 45.0).abs() < 1e-3 && (y - 100.0).abs() < 1e-3);
    }

    #[test]
    fn beside_the_picture_is_black() {
        let pixels = vec![200; 10 * 10 * 3];
        let image = Image::new(10, 10, &pixels).unwrap();
        let parts = Parts { size: [8, 8] };
        let preprocessing = Preprocessing::new().normalize(Normalization::UNIT);
        let placed = parts.placed(&image, [0.0, 0.0, 1.0, 1.0]);
        let values = parts.values(&preprocessing, &image, placed).unwrap();
        assert_eq!(values.len(), 3 * 64);
        assert_eq!(values[0], 0.0);
        assert!((values[4 * 8 + 4] - 200.0 / 255.0).abs() < 1e-6);
    }
}

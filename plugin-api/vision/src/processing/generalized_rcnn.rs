//! What torchvision's detectors do to pictures themselves, behind the preprocessing: its `GeneralizedRCNNTransform`.

use super::{CHANNELS, normalization, whole_numbers};
use crate::{
    bilinear::{Between, neighbours},
    repository::Config,
};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    detection::Corners,
};
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use rayon::prelude::*;

/// The sides of squares are multiples of it.
const SQUARES: usize = 32;

/// The longest side that a picture may get.
const MOST_PIXELS: usize = 1 << 13;

/// Normalisation, resizing without a filter, and zeros at the right and the bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transform {
    mean: [f32; CHANNELS],
    std: [f32; CHANNELS],
    pub(crate) sides: Sides,
    /// Something is added until both sides are multiples of it.
    multiple: usize,
    /// What is added, behind normalisation.
    filling: f32,
    /// Whether the network sees bytes, that are resized in whole numbers.
    is_of_bytes: bool,
}

/// How large pictures become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sides {
    /// The shorter side gets this length, or the longer one that, where it would be more.
    Within { shorter: usize, longer: usize },
    /// `[height, width]`, whatever the aspect ratio.
    Exact([usize; 2]),
    /// The longer side gets this length, and what is added makes a square.
    Square(usize),
}

/// A picture as the network takes it.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// `[channel][row][column]` of the `padded` picture.
    values: Vec<f32>,
    /// `[height, width]` of what the network sees.
    pub(crate) padded: [usize; 2],
    /// The part of it that is no padding.
    pub(crate) resized: [usize; 2],
    /// As it was before.
    pub(crate) original: [usize; 2],
    /// How many times as high and as wide it was.
    larger: [f32; 2],
}

impl Transform {
    /// Reads the arguments `image_mean` and `image_std`, and for sides that are not exact `min_size` and `max_size`.
    ///
    /// # Errors
    /// When one of them is malformed.
    pub(crate) fn read(
        arguments: &Config,
        sides: Sides,
        multiple: usize,
        [mean, std]: [[f64; CHANNELS]; 2],
    ) -> Result<Self> {
        let values = normalization(arguments, ["image_mean", "image_std"], 1.0, [mean, std])?;
        let sides = match sides {
            Sides::Exact(_) | Sides::Square(_) => sides,
            Sides::Within { shorter, longer } => Sides::Within {
                // Training chooses among several.
                shorter: side(arguments, "min_size", shorter)?,
                longer: side(arguments, "max_size", longer)?,
            },
        };
        Ok(Self {
            mean: values.mean,
            std: values.std,
            sides,
            multiple,
            filling: 0.0,
            is_of_bytes: false,
        })
    }

    /// Bytes stay bytes, and what is added are such as well.
    pub(crate) fn of_bytes(sides: Sides, filling: f32) -> Self {
        Self {
            mean: [0.0; CHANNELS],
            std: [1.0; CHANNELS],
            sides,
            multiple: SQUARES,
            filling,
            is_of_bytes: true,
        }
    }

    /// The same for a network that sees pictures of `[height, width]`.
    ///
    /// # Errors
    /// When the network takes squares only, and this is none.
    pub(crate) fn with_size(mut self, size: [usize; 2]) -> Result<Self> {
        self.sides = match self.sides {
            Sides::Square(_) if size[0] == size[1] && size[0].is_multiple_of(self.multiple) => {
                Sides::Square(size[0])
            }
            Sides::Square(_) => {
                return Err(Error::invalid_option(format!(
                    "`image_size` is {} x {}, but the network takes squares whose sides are multiples of {}",
                    size[0], size[1], self.multiple
                )));
            }
            Sides::Exact(_) | Sides::Within { .. } => Sides::Exact(size),
        };
        Ok(self)
    }

    /// The `[height, width]` that the network sees of most photographs, which are 4 to 3.
    pub(crate) fn usual_size(&self) -> [usize; 2] {
        self.padded(self.resized([3 << 10, 4 << 10]))
    }

    /// Makes ready a picture of `[height, width]`: values of 0 to 1, `[channel][row][column]`.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::InvalidInput`] for a picture so disproportionate that nothing of it would be left.
    pub(crate) fn apply(&self, original: [usize; 2], values: &[f32]) -> Result<Prepared> {
        let resized = self.resized(original);
        if resized.contains(&0) {
            return Err(Error::new(format!(
                "a picture of {} x {} pixels cannot be prepared: it would become {} x {}",
                original[1], original[0], resized[1], resized[0]
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        let padded = self.padded(resized);
        let prepared = if self.is_of_bytes {
            self.bytes(original, values, (resized, padded))
        } else {
            self.interpolated(original, values, (resized, padded))
        };
        Ok(Prepared {
            values: prepared,
            padded,
            resized,
            original,
            larger: match self.sides {
                Sides::Square(side) => [original[0].max(original[1]) as f32 / side as f32; 2],
                Sides::Within { .. } | Sides::Exact(_) => {
                    [0, 1].map(|axis| original[axis] as f32 / resized[axis] as f32)
                }
            },
        })
    }

    /// Values that are resized without being rounded, and filled up.
    fn interpolated(
        &self,
        original: [usize; 2],
        values: &[f32],
        (resized, padded): ([usize; 2], [usize; 2]),
    ) -> Vec<f32> {
        let (rows, columns) = (
            neighbours(original[0], resized[0]),
            neighbours(original[1], resized[1]),
        );
        let mut prepared = vec![self.filling; CHANNELS * padded[0] * padded[1]];
        prepared
            .par_chunks_exact_mut(padded[1])
            .enumerate()
            .for_each(|(line, target)| {
                let (channel, row) = (line / padded[0], line % padded[0]);
                let Some(place) = rows.get(row) else {
                    return;
                };
                let plane = &values[channel * original[0] * original[1]..][..original[0] * original[1]];
                self.write_row(channel, plane, original[1], (place, &columns), target);
            });
        prepared
    }

    /// The bytes that the values come of, resized as such, and filled up.
    fn bytes(
        &self,
        original: [usize; 2],
        values: &[f32],
        (resized, padded): ([usize; 2], [usize; 2]),
    ) -> Vec<f32> {
        let byte = |value: &f32| (value * 255.0).round() as u8;
        let mut prepared = vec![self.filling; CHANNELS * padded[0] * padded[1]];
        let planes = prepared.par_chunks_exact_mut(padded[0] * padded[1]);
        planes
            .zip(values.par_chunks_exact(original[0] * original[1]))
            .for_each(|(target, plane)| {
                let bytes: Vec<u8> = plane.iter().map(byte).collect();
                let bytes = whole_numbers::resized(&bytes, original, resized);
                for (target, line) in target
                    .chunks_exact_mut(padded[1])
                    .zip(bytes.chunks_exact(resized[1]))
                {
                    for (target, &byte) in target.iter_mut().zip(line) {
                        *target = f32::from(byte);
                    }
                }
            });
        prepared
    }

    fn write_row(
        &self,
        channel: usize,
        plane: &[f32],
        width: usize,
        (place, columns): (&Between, &[Between]),
        target: &mut [f32],
    ) {
        let normal = |value: f32| (value - self.mean[channel]) / self.std[channel];
        let line = |row: usize| -> Vec<f32> {
            plane[row * width..][..width]
                .iter()
                .map(|&value| normal(value))
                .collect()
        };
        let first = line(place.first);
        if place.share == 0.0 {
            for (target, column) in target.iter_mut().zip(columns) {
                *target = column.between_of(&first);
            }
            return;
        }
        let second = line(place.second);
        for (target, column) in target.iter_mut().zip(columns) {
            *target = place.between(column.between_of(&first), || column.between_of(&second));
        }
    }

    fn resized(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        match self.sides {
            Sides::Exact(size) => size,
            Sides::Square(side) => {
                let scale = side as f64 / height.max(width) as f64;
                [height, width].map(|side| (side as f64 * scale) as usize)
            }
            Sides::Within { shorter, longer } => {
                let scale =
                    (shorter as f64 / height.min(width) as f64).min(longer as f64 / height.max(width) as f64);
                [height, width].map(|side| (side as f64 * scale) as usize)
            }
        }
    }
}

impl Transform {
    /// What a picture of `[height, width]` is filled up to.
    fn padded(&self, resized: [usize; 2]) -> [usize; 2] {
        match self.sides {
            Sides::Square(side) => [side; 2],
            Sides::Within { .. } | Sides::Exact(_) => {
                resized.map(|side| side.next_multiple_of(self.multiple))
            }
        }
    }
}

impl Prepared {
    /// The picture as a batch of one.
    ///
    /// # Errors
    /// When the device has no room for it.
    pub(crate) fn tensor(&self, device: &Device) -> Result<Tensor> {
        let [height, width] = self.padded;
        Ok(Tensor::from_slice(
            &self.values,
            (1, CHANNELS, height, width),
            device,
        )?)
    }

    /// The part of a box that lies in the picture as the network sees it.
    pub(crate) fn clamped(&self, corners: Corners) -> Corners {
        corners.clamped_to(self.resized[1] as f32, self.resized[0] as f32)
    }

    /// What is at `[x, y]` as the network sees it, in the picture as it was.
    pub(crate) fn restored_point(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [x * self.larger[1], y * self.larger[0]]
    }

    /// A box that the network sees, in the picture as it was.
    pub(crate) fn restored(&self, corners: Corners) -> Corners {
        let [left, top] = self.restored_point([corners.left, corners.top]);
        let [right, bottom] = self.restored_point([corners.right, corners.bottom]);
        Corners::new(left, top, right, bottom)
    }
}

/// A length; of several the last one, which torchvision takes where nothing is trained.
fn side(arguments: &Config, key: &str, default: usize) -> Result<usize> {
    let wrong = || arguments.wrong(key, &format!("a whole number of 1 to {MOST_PIXELS}"));
    let sides = match arguments.value(key) {
        Some(serde_json::Value::Array(_)) => arguments.counts(key, &[default])?,
        _ => vec![arguments.count(key, default)?],
    };
    sides
        .last()
        .copied()
        .filter(|&side| side <= MOST_PIXELS)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transform(shorter: usize, longer: usize) -> Transform {
        Transform {
            mean: [0.0; 3],
            std: [1.0; 3],
            sides: Sides::Within { shorter, longer },
            multiple: 32,
            filling: 0.0,
            is_of_bytes: false,
        }
    }

    #[test]
    fn sizes_are_those_of_torchvision() {
        // Seen of `GeneralizedRCNNTransform(800, 1333, ...)`.
        let sizes = [
            ([480, 640], [800, 1066]),
            ([640, 480], [1066, 800]),
            ([300, 1000], [399, 1333]),
            ([427, 640], [800, 1199]),
        ];
        for (from, to) in sizes {
            assert_eq!(transform(800, 1333).resized(from), to);
        }
        assert_eq!(transform(800, 1333).usual_size(), [800, 1088]);
    }

    #[test]
    fn pictures_are_resized_and_padded_and_boxes_come_back() {
        let values: Vec<f32> = (0..3 * 2).map(|value| value as f32).collect();
        let prepared = transform(2, 8).apply([1, 2], &values).unwrap();
        assert_eq!((prepared.resized, prepared.padded), ([2, 4], [32, 32]));
        assert_eq!(prepared.values[..5], [0.0, 0.25, 0.75, 1.0, 0.0]);
        assert_eq!(prepared.values[32..36], [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(prepared.values[64], 0.0);
        let corners = prepared.restored(Corners::new(0.0, 1.0, 4.0, 2.0));
        assert_eq!(corners, Corners::new(0.0, 0.5, 2.0, 1.0));
    }

    #[test]
    fn a_line_of_pixels_is_refused() {
        let error = transform(800, 1333).apply([1, 4000], &[0.0; 12_000]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("4000 x 1"), "{error}");
    }
}

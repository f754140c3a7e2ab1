//! What torchvision's detectors do to pictures themselves, behind the preprocessing: its `GeneralizedRCNNTransform`.

use super::{CHANNELS, normalization};
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

/// The longest side that a picture may get.
const MOST_PIXELS: usize = 1 << 13;

/// Normalisation, resizing without a filter, and zeros at the right and the bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transform {
    mean: [f32; CHANNELS],
    std: [f32; CHANNELS],
    pub(crate) sides: Sides,
    /// Zeros are added until both sides are multiples of it.
    multiple: usize,
}

/// How large pictures become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sides {
    /// The shorter side gets this length, or the longer one that, where it would be more.
    Within { shorter: usize, longer: usize },
    /// `[height, width]`, whatever the aspect ratio.
    Exact([usize; 2]),
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
            Sides::Exact(size) => Sides::Exact(size),
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
        })
    }

    /// The `[height, width]` that the network sees of most photographs, which are 4 to 3.
    pub(crate) fn usual_size(&self) -> [usize; 2] {
        self.resized([3 << 10, 4 << 10])
            .map(|side| side.next_multiple_of(self.multiple))
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
        let padded = resized.map(|side| side.next_multiple_of(self.multiple));
        let (rows, columns) = (
            neighbours(original[0], resized[0]),
            neighbours(original[1], resized[1]),
        );
        let mut prepared = vec![0.0; CHANNELS * padded[0] * padded[1]];
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
        Ok(Prepared {
            values: prepared,
            padded,
            resized,
            original,
        })
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
            Sides::Within { shorter, longer } => {
                let scale =
                    (shorter as f64 / height.min(width) as f64).min(longer as f64 / height.max(width) as f64);
                [height, width].map(|side| (side as f64 * scale) as usize)
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
        let ratio = |axis: usize| self.original[axis] as f32 / self.resized[axis] as f32;
        [x * ratio(1), y * ratio(0)]
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

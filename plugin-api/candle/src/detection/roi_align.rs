//! The features of a part of a picture, whatever its size, as a map of one size.

use super::Corners;
use modelzoo_plugin_api::{Error, Result};

/// The side of a box that belongs to the map [`CANONICAL_LEVEL`], in pixels of the network's input.
const CANONICAL_SIDE: f32 = 224.0;
/// How often the map is halved that such a box belongs to.
const CANONICAL_LEVEL: f32 = 4.0;
/// Keeps boxes on the verge of a larger map from falling back by rounding.
const VERGE: f32 = 1e-6;

/// Maps of features of one picture, the largest first.
#[derive(Clone, Debug)]
pub struct FeaturePyramid<'a> {
    maps: Vec<FeatureMap<'a>>,
    channels: usize,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct FeatureMap<'a> {
    /// `[height * width][channels]`
    values: &'a [f32],
    /// `[height, width]`
    size: [usize; 2],
    /// How often the input was halved.
    level: i32,
}

/// Two places of a line of a map between which a point lies, with their weights. A point beyond the map has no weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sample {
    places: [usize; 2],
    weights: [f32; 2],
}

impl<'a> FeaturePyramid<'a> {
    /// Maps of so many channels, each as its values place by place, `[height * width][channels]`, and its
    /// `[height, width]`; made of an input of `[height, width]` by halving it.
    ///
    /// # Errors
    /// When the values are not as many as a map needs, or there is no map.
    pub fn new(
        maps: impl IntoIterator<Item = (&'a [f32], [usize; 2])>,
        channels: usize,
        input: [usize; 2],
    ) -> Result<Self> {
        let maps = maps
            .into_iter()
            .map(|(values, size)| {
                let expected = size[0].saturating_mul(size[1]).saturating_mul(channels);
                if values.len() != expected || expected == 0 {
                    return Err(Error::new(format!(
                        "{} values are no map of {} x {} places with {channels} features",
                        values.len(),
                        size[1],
                        size[0]
                    )));
                }
                let level = (input[0] as f32 / size[0] as f32).log2().round() as i32;
                Ok(FeatureMap { values, size, level })
            })
            .collect::<Result<Vec<_>>>()?;
        if maps.is_empty() {
            return Err(Error::new("there is no map of features"));
        }
        Ok(Self { maps, channels })
    }

    /// The features of each place.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The features of a box as a map `[channels][bins][bins]`, written to `output`: each is the mean of
    /// `samples x samples` points of its part of the box, interpolated between the places of the map that boxes of
    /// this size belong to. As torchvision's `MultiScaleRoIAlign`, whose boxes are not moved by half a pixel.
    ///
    /// Sources: He et al., "Mask R-CNN" (2017), section 3; Lin et al., "Feature Pyramid Networks" (2016), equation 1.
    ///
    /// # Errors
    /// When `output` has another length.
    pub fn roi_align(&self, corners: Corners, bins: usize, samples: usize, output: &mut [f32]) -> Result<()> {
        if output.len() != self.channels * bins * bins {
            return Err(Error::new(format!(
                "there is room for {} values of a box, but there are {}",
                output.len(),
                self.channels * bins * bins
            )));
        }
        let map = self.map_of(corners);
        let scale = (-map.level as f32).exp2();
        let rows = lines(
            corners.top * scale,
            corners.bottom * scale,
            [bins, samples],
            map.size[0],
        );
        let columns = lines(
            corners.left * scale,
            corners.right * scale,
            [bins, samples],
            map.size[1],
        );
        let share = 1.0 / (samples * samples).max(1) as f32;
        let mut sums = vec![0.0; self.channels];
        for (bin, (rows, columns)) in rows
            .chunks(samples.max(1))
            .flat_map(|rows| columns.chunks(samples.max(1)).map(move |columns| (rows, columns)))
            .enumerate()
        {
            sums.fill(0.0);
            for row in rows {
                for column in columns {
                    self.add(&map, row, column, &mut sums);
                }
            }
            for (channel, sum) in sums.iter().enumerate() {
                output[channel * bins * bins + bin] = sum * share;
            }
        }
        Ok(())
    }

    /// Adds the features of a point.
    fn add(&self, map: &FeatureMap<'_>, row: &Sample, column: &Sample, sums: &mut [f32]) {
        for (y, vertical) in row.places.iter().zip(row.weights) {
            for (x, horizontal) in column.places.iter().zip(column.weights) {
                let weight = vertical * horizontal;
                if weight == 0.0 {
                    continue;
                }
                let features = &map.values[(y * map.size[1] + x) * self.channels..][..self.channels];
                for (sum, feature) in sums.iter_mut().zip(features) {
                    *sum += weight * feature;
                }
            }
        }
    }

    /// The map that boxes of this size belong to.
    fn map_of(&self, corners: Corners) -> FeatureMap<'a> {
        let (first, last) = (self.maps[0].level, self.maps[self.maps.len() - 1].level);
        let side = corners.area().sqrt();
        let level = (CANONICAL_LEVEL + (side / CANONICAL_SIDE).log2() + VERGE).floor();
        // Of a box without an area the logarithm is minus infinity, and the level the first one.
        let level = (level as i32).clamp(first, last.max(first));
        self.maps[((level - first) as usize).min(self.maps.len() - 1)]
    }
}

/// The points of all bins along one side of a box, in a map with `length` places.
fn lines(from: f32, to: f32, [bins, samples]: [usize; 2], length: usize) -> Vec<Sample> {
    let bin = (to - from).max(1.0) / bins as f32;
    let point = |index: usize| {
        let (bin_index, sample) = (index / samples, index % samples);
        from + bin_index as f32 * bin + (sample as f32 + 0.5) * bin / samples as f32
    };
    (0..bins * samples)
        .map(|index| sample(point(index), length))
        .collect()
}

/// A point of a line: no more than one place outside of it, it has the value of the first or the last place.
fn sample(point: f32, length: usize) -> Sample {
    if !(-1.0..=length as f32).contains(&point) {
        return Sample::default();
    }
    let last = length - 1;
    let point = point.clamp(0.0, last as f32);
    let first = point as usize;
    let share = point - first as f32;
    Sample {
        places: [first, (first + 1).min(last)],
        weights: [1.0 - share, share],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The value of a channel at a point in double precision, by the definition.
    fn interpolated(map: &[f32], [height, width]: [usize; 2], channels: usize, [y, x]: [f64; 2]) -> Vec<f64> {
        if y < -1.0 || y > height as f64 || x < -1.0 || x > width as f64 {
            return vec![0.0; channels];
        }
        let (y, x) = (
            y.clamp(0.0, height as f64 - 1.0),
            x.clamp(0.0, width as f64 - 1.0),
        );
        let mut sums = vec![0.0; channels];
        for row in 0..height {
            for column in 0..width {
                let weight =
                    (1.0 - (row as f64 - y).abs()).max(0.0) * (1.0 - (column as f64 - x).abs()).max(0.0);
                for (channel, sum) in sums.iter_mut().enumerate() {
                    *sum += weight * f64::from(map[(row * width + column) * channels + channel]);
                }
            }
        }
        sums
    }

    /// The features of a box in double precision, from a map of a `scale` of the input.
    fn reference(
        map: &[f32],
        size: [usize; 2],
        channels: usize,
        corners: Corners,
        (scale, bins, samples): (f64, usize, usize),
    ) -> Vec<f64> {
        let edges =
            [corners.left, corners.top, corners.right, corners.bottom].map(|edge| f64::from(edge) * scale);
        let bin = [
            (edges[3] - edges[1]).max(1.0) / bins as f64,
            (edges[2] - edges[0]).max(1.0) / bins as f64,
        ];
        let mut output = vec![0.0; channels * bins * bins];
        for index in 0..bins * bins {
            for number in 0..samples * samples {
                let at = |axis: usize, bin_index: usize, sample: usize| {
                    let inside = (sample as f64 + 0.5) / samples as f64;
                    edges[1 - axis] + (bin_index as f64 + inside) * bin[axis]
                };
                let point = [
                    at(0, index / bins, number / samples),
                    at(1, index % bins, number % samples),
                ];
                for (channel, value) in interpolated(map, size, channels, point).into_iter().enumerate() {
                    output[channel * bins * bins + index] += value / (samples * samples) as f64;
                }
            }
        }
        output
    }

    #[test]
    fn boxes_belong_to_the_map_of_their_size() {
        let values = vec![0.0; 64 * 64];
        let maps = [64, 32, 16, 8].map(|side| (&values[..side * side], [side; 2]));
        let pyramid = FeaturePyramid::new(maps, 1, [256; 2]).unwrap();
        let level = |width: f32, height: f32| pyramid.map_of(Corners::new(0.0, 0.0, width, height)).level;
        assert_eq!(level(224.0, 224.0), 4);
        assert_eq!(level(223.0, 224.0), 3);
        assert_eq!(level(112.0, 448.0), 4);
        assert_eq!(level(2000.0, 2000.0), 5);
        assert_eq!(level(0.0, 5.0), 2);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(FeaturePyramid::new([(&[0.0; 7][..], [2, 2])], 2, [8; 2]).is_err());
        assert!(FeaturePyramid::new([], 2, [8; 2]).is_err());
        let pyramid = FeaturePyramid::new([(&[0.0; 8][..], [2, 2])], 2, [8; 2]).unwrap();
        assert!(
            pyramid
                .roi_align(Corners::default(), 7, 2, &mut [0.0; 7])
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn features_are_means_of_interpolated_points(
            seed in proptest::collection::vec(-1f32..1.0, 5 * 7 * 3),
            edges in proptest::array::uniform4(-12f32..40.0),
            bins in 1usize..5,
            samples in 1usize..4,
        ) {
            let corners = Corners::new(
                edges[0].min(edges[2]), edges[1].min(edges[3]), edges[0].max(edges[2]), edges[1].max(edges[3]),
            );
            let pyramid = FeaturePyramid::new([(&seed[..], [5, 7])], 3, [20, 28]).unwrap();
            let mut found = vec![0.0; 3 * bins * bins];
            pyramid.roi_align(corners, bins, samples, &mut found).unwrap();
            let expected = reference(&seed, [5, 7], 3, corners, (0.25, bins, samples));
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!((f64::from(*found) - expected).abs() < 1e-4);
            }
        }
    }
}

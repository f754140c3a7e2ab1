//! Resizing in floating point, as the image processors of RF-DETR and OWLv2 do it.

use super::step::Raster;

/// The channels of a pixel.
const CHANNELS: usize = 3;
/// A Gaussian is cut off so many deviations from its middle.
const DEVIATIONS: f64 = 3.0;

/// The places of a line that make up one place of another, and their weights.
struct Window {
    first: usize,
    weights: Vec<f32>,
}

/// The last thing that is done to a picture, of values that are not rounded to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interpolation {
    /// Resizing to `[height, width]`: each value is between the nearest two of its line and its column, as torch's
    /// `interpolate` has it without aligned corners and without a filter.
    Plain([usize; 2]),
    /// The same of the picture surrounded by black at the right and at the bottom until it is square. A square that is
    /// reduced is smoothed first, by a Gaussian whose deviation is half of what the factor is beyond 1, as scikit-image's
    /// `resize` does.
    SmoothedSquare([usize; 2]),
}

impl Interpolation {
    /// The `[height, width]` of what it makes.
    pub(super) fn output_size(self) -> [usize; 2] {
        match self {
            Self::Plain(size) | Self::SmoothedSquare(size) => size,
        }
    }

    /// How a line of `from` places becomes one of `to`.
    fn windows(self, from: usize, to: usize) -> Vec<Window> {
        let kernel = match self {
            Self::Plain(_) => vec![1.0],
            Self::SmoothedSquare(_) => gaussian((from as f64 / to as f64 - 1.0) / 2.0),
        };
        windows(from, to, &kernel)
    }
}

/// Makes of a picture values of 0 to 255, three for each pixel.
pub(super) fn resample(raster: &Raster<'_>, interpolation: Interpolation) -> Vec<f32> {
    let [rows, columns] = raster.size();
    let [height, width] = interpolation.output_size();
    let sides = match interpolation {
        Interpolation::Plain(_) => [rows, columns],
        Interpolation::SmoothedSquare(_) => [rows.max(columns); 2],
    };
    let (down, across) = (
        interpolation.windows(sides[0], height),
        interpolation.windows(sides[1], width),
    );
    let mut narrowed = vec![0.0; rows * width * CHANNELS];
    for (line, target) in raster
        .pixels()
        .chunks_exact(columns * CHANNELS)
        .zip(narrowed.chunks_exact_mut(width * CHANNELS))
    {
        for (window, target) in across.iter().zip(target.as_chunks_mut::<CHANNELS>().0) {
            // What is beyond the picture is black, and adds nothing.
            let pixels = line.as_chunks::<CHANNELS>().0.iter().skip(window.first);
            for (pixel, &weight) in pixels.zip(&window.weights) {
                for (value, &byte) in target.iter_mut().zip(pixel) {
                    *value += weight * f32::from(byte);
                }
            }
        }
    }
    let mut values = vec![0.0; height * width * CHANNELS];
    for (window, target) in down.iter().zip(values.chunks_exact_mut(width * CHANNELS)) {
        let lines = narrowed.chunks_exact(width * CHANNELS).skip(window.first);
        for (line, &weight) in lines.zip(&window.weights) {
            for (value, &of_line) in target.iter_mut().zip(line) {
                *value += weight * of_line;
            }
        }
    }
    values
}

/// What each of `to` places is made of, out of `from` places that are smoothed by a kernel of odd length.
fn windows(from: usize, to: usize, kernel: &[f64]) -> Vec<Window> {
    // In torch's precision, which moves a place by some millionths.
    let scale = from as f32 / to as f32;
    let reach = kernel.len() / 2;
    let window = |place: usize| {
        let exact = ((place as f32 + 0.5) * scale - 0.5).max(0.0);
        let nearest = (exact as usize).min(from - 1);
        let next = (nearest + 1).min(from - 1);
        let share = f64::from(exact - nearest as f32);
        let first = nearest.saturating_sub(reach);
        let mut weights = vec![0.0; (next + reach + 1).min(from) - first];
        for (middle, share) in [(nearest, 1.0 - share), (next, share)] {
            for (offset, weight) in kernel.iter().enumerate() {
                let input = reflected(middle as isize + offset as isize - reach as isize, from);
                // A reflection lies no further from its middle than what it reflects.
                weights[input - first] += share * weight;
            }
        }
        Window {
            first,
            weights: weights.into_iter().map(|weight| weight as f32).collect(),
        }
    };
    (0..to).map(window).collect()
}

/// The weights of a Gaussian; a single one where there is nothing to smooth.
fn gaussian(deviation: f64) -> Vec<f64> {
    if deviation <= 0.0 {
        return vec![1.0];
    }
    let reach = (DEVIATIONS * deviation).ceil() as isize;
    let weights: Vec<f64> = (-reach..=reach)
        .map(|offset| (-0.5 * (offset as f64 / deviation).powi(2)).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// A place of a line of `length`, which is mirrored at its first and at its last place.
fn reflected(place: isize, length: usize) -> usize {
    let last = length as isize - 1;
    if last == 0 {
        return 0;
    }
    let within = place.rem_euclid(2 * last);
    within.min(2 * last - within) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_beyond_a_line_are_those_before_its_end() {
        let places: Vec<usize> = (-3..8).map(|place| reflected(place, 4)).collect();
        assert_eq!(places, [3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(reflected(-5, 1), 0);
    }

    proptest! {
        #[test]
        fn a_place_is_made_of_weights_that_add_up(from in 1..400usize, to in 1..90usize) {
            for window in Interpolation::SmoothedSquare([to; 2]).windows(from, to) {
                let sum: f32 = window.weights.iter().sum();
                prop_assert!((sum - 1.0).abs() < 1e-5, "{sum}");
                prop_assert!(window.first + window.weights.len() <= from);
            }
        }
    }
}

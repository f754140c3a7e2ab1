//! Positional embeddings for pictures of other sizes than those that a network was trained on.

use crate::checkpoint::Checkpoint;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// How embeddings between the trained ones are found: torch's `interpolate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resampling {
    /// Between the 4 neighbours (`mode="bilinear"`).
    Bilinear,
    /// Between the 16 neighbours (`mode="bicubic"`), Keys' cubic with a = -0.75, whatever the factor.
    Bicubic,
    /// With `antialias=True`: a = -0.5, widened when it reduces.
    AntialiasedBicubic,
    /// The 4 neighbours with `antialias=True`, more when it reduces.
    AntialiasedBilinear,
}

/// The positional embeddings of a grid, and of the tokens before it.
#[derive(Clone, Debug)]
pub(super) struct Positions<'a> {
    /// The tensor's name: `[1, tokens, features]`.
    pub(super) name: &'a str,
    pub(super) features: usize,
    /// Tokens before those of the grid that have a position.
    pub(super) prefix: usize,
    /// Tokens behind those of the grid that have a position.
    pub(super) suffix: usize,
    /// The grid's rows and columns in training; square where `None`.
    pub(super) trained: Option<[usize; 2]>,
    pub(super) resampling: Resampling,
}

impl Positions<'_> {
    /// The embeddings for a grid of this many rows and columns: `[prefix + rows * columns + suffix, features]`.
    pub(super) fn values(&self, checkpoint: &Checkpoint, grid: [usize; 2]) -> Result<Vec<f32>> {
        let weight = checkpoint.tensor(self.name)?;
        match *weight.dims() {
            [1, tokens, width] | [tokens, width] if width == self.features => self
                .resampled(weight.data(), tokens, grid)
                .ok_or_else(|| self.unfit(weight.dims())),
            _ => Err(self.unfit(weight.dims())),
        }
    }

    /// As [`Positions::values`], of each layer's embeddings in a tensor `[layers, 1, tokens, features]`.
    pub(super) fn values_of_layers(
        &self,
        checkpoint: &Checkpoint,
        grid: [usize; 2],
    ) -> Result<Vec<Vec<f32>>> {
        let weight = checkpoint.tensor(self.name)?;
        match *weight.dims() {
            [_, 1, tokens, width] if width == self.features && tokens > 0 => weight
                .data()
                .chunks_exact(tokens * width)
                .map(|values| {
                    self.resampled(values, tokens, grid)
                        .ok_or_else(|| self.unfit(weight.dims()))
                })
                .collect(),
            _ => Err(self.unfit(weight.dims())),
        }
    }

    /// `None` where there are not as many tokens as there should be.
    fn resampled(&self, values: &[f32], tokens: usize, grid: [usize; 2]) -> Option<Vec<f32>> {
        let features = self.features;
        let cells = tokens
            .checked_sub(self.prefix + self.suffix)
            .filter(|&cells| cells > 0)?;
        let trained = self.trained.unwrap_or([cells.isqrt(); 2]);
        if trained[0] * trained[1] != cells {
            return None;
        }
        let (before, rest) = values.split_at(self.prefix * features);
        let (cells, behind) = rest.split_at(cells * features);
        let cells = if trained == grid {
            cells.to_vec()
        } else {
            resample(cells, trained, grid, features, self.resampling)
        };
        Some([before, &cells, behind].concat())
    }

    fn unfit(&self, found: &[usize]) -> Error {
        let expected = match self.trained {
            Some([rows, columns]) => format!("{}", self.prefix + rows * columns + self.suffix),
            None => format!("{} and a square number of", self.prefix + self.suffix),
        };
        Error::new(format!(
            "tensor `{}` has dimensions {found:?}, but the network needs {expected} tokens of {} features",
            self.name, self.features
        ))
        .with_kind(ErrorKind::Weights)
    }
}

/// Maps `[map][row][column]` of `from` rows and columns as maps of `to`.
pub(super) fn bicubic(maps: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    maps.chunks_exact(from[0] * from[1])
        .flat_map(|map| resample(map, from, to, 1, Resampling::Bicubic))
        .collect()
}

/// Cells `[rows, columns, features]` of `from` rows and columns as cells of `to`.
pub(super) fn bilinear(cells: &[f32], from: [usize; 2], to: [usize; 2], features: usize) -> Vec<f32> {
    if from == to {
        return cells.to_vec();
    }
    resample(cells, from, to, features, Resampling::Bilinear)
}

/// Resamples cells `[rows, columns, features]`.
fn resample(
    cells: &[f32],
    from: [usize; 2],
    to: [usize; 2],
    features: usize,
    resampling: Resampling,
) -> Vec<f32> {
    let [rows, columns] = [0, 1].map(|axis| windows(from[axis], to[axis], resampling));
    let mut widened = Vec::with_capacity(from[0] * to[1] * features);
    for row in cells.chunks_exact(from[1] * features) {
        for window in &columns {
            widened.extend(mix(row, features, window));
        }
    }
    let line = to[1] * features;
    rows.iter()
        .flat_map(|window| mix(&widened, line, window))
        .collect()
}

/// The indices and weights of what makes up one place.
type Window = Vec<(usize, f64)>;

/// The weighted sum of some of the parts of `length` values.
fn mix(parts: &[f32], length: usize, window: &Window) -> Vec<f32> {
    let mut sums = vec![0f64; length];
    for &(index, weight) in window {
        for (sum, value) in sums.iter_mut().zip(&parts[index * length..]) {
            *sum += weight * f64::from(*value);
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

fn windows(from: usize, to: usize, resampling: Resampling) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let window = |place: usize| -> Window {
        let center = (place as f64 + 0.5) * scale;
        match resampling {
            Resampling::Bilinear => {
                let exact = (center - 0.5).max(0.0);
                let first = (exact as usize).min(from - 1);
                let share = exact - first as f64;
                vec![(first, 1.0 - share), ((first + 1).min(from - 1), share)]
            }
            Resampling::Bicubic => {
                let first = (center - 0.5).floor();
                (-1..=2)
                    .map(|step| {
                        let index = first as i64 + step;
                        let weight = cubic(center - 0.5 - index as f64, -0.75);
                        (index.clamp(0, from as i64 - 1) as usize, weight)
                    })
                    .collect()
            }
            Resampling::AntialiasedBicubic | Resampling::AntialiasedBilinear => {
                let is_cubic = resampling == Resampling::AntialiasedBicubic;
                let widening = scale.max(1.0);
                let support = if is_cubic { 2.0 * widening } else { widening };
                let first = (center - support + 0.5).max(0.0) as usize;
                let end = ((center + support + 0.5) as usize).min(from);
                let weight = |index: usize| {
                    let distance = (index as f64 - center + 0.5) / widening;
                    if is_cubic {
                        cubic(distance, -0.5)
                    } else {
                        (1.0 - distance.abs()).max(0.0)
                    }
                };
                let sum: f64 = (first..end).map(weight).sum();
                (first..end).map(|index| (index, weight(index) / sum)).collect()
            }
        }
    };
    (0..to).map(window).collect()
}

/// Keys' cubic convolution.
fn cubic(distance: f64, a: f64) -> f64 {
    let x = distance.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_cells_stay_equal() {
        for resampling in [
            Resampling::Bilinear,
            Resampling::Bicubic,
            Resampling::AntialiasedBicubic,
            Resampling::AntialiasedBilinear,
        ] {
            for to in [[1, 1], [3, 7], [9, 2]] {
                let found = resample(&[2.5; 5 * 5 * 3], [5, 5], to, 3, resampling);
                assert_eq!(found.len(), to[0] * to[1] * 3);
                assert!(
                    found.iter().all(|value| (value - 2.5).abs() < 1e-6),
                    "{resampling:?} {to:?}"
                );
            }
        }
    }

    #[test]
    fn a_grid_of_the_same_size_stays_as_it_is() {
        let cells: Vec<f32> = (0..12).map(|cell| cell as f32).collect();
        for resampling in [
            Resampling::Bilinear,
            Resampling::Bicubic,
            Resampling::AntialiasedBicubic,
            Resampling::AntialiasedBilinear,
        ] {
            assert_eq!(resample(&cells, [3, 2], [3, 2], 2, resampling), cells);
        }
    }
}

//! Windows of a grid of tokens, as Swin's attention sees them.
//!
//! Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3.2.

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// What is added to the scores of tokens that are neighbours only because the picture was rolled.
pub(super) const APART: f32 = -100.0;

/// The largest windows; published ones have 24 rows at most, and the biases grow with the fourth power.
const MOST_ROWS: usize = 32;

/// The tokens of a grid, each 2 x 2 of them as one with four times the features; a row or column of zeros is added where
/// their number is odd.
pub(super) fn two_by_two(
    network: &mut NetworkBuilder<'_>,
    x: Value,
    [rows, columns]: [usize; 2],
) -> Result<Value> {
    let even = [rows.next_multiple_of(2), columns.next_multiple_of(2)];
    let x = with_zeros(network, x, even != [rows, columns])?;
    let mut parts = Vec::new();
    for (first_row, first_column) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let indices: Vec<usize> = (first_row..even[0])
            .step_by(2)
            .flat_map(|row| {
                (first_column..even[1])
                    .step_by(2)
                    .map(move |column| token([rows, columns], [row, column]))
            })
            .collect();
        parts.push(network.take_tokens(x, indices)?);
    }
    network.cat(&parts)
}

/// The rows and columns of what [`two_by_two`] makes.
pub(super) fn halved(grid: [usize; 2]) -> [usize; 2] {
    grid.map(|side| side.div_ceil(2))
}

/// Each 2 x 2 tokens as one, with twice the features: `NAME.norm`, then `NAME.reduction`.
pub(super) fn merge(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    x: Value,
    grid: [usize; 2],
) -> Result<Value> {
    let features = network.channels(x)?;
    let x = two_by_two(network, x, grid)?;
    let x = network.layer_norm(&format!("{name}.norm"), x, 1e-5)?;
    network.linear_without_bias(&format!("{name}.reduction"), x, 2 * features)
}

/// The index of the token at a place, or of the zeros behind all tokens where the place is outside of the grid.
fn token([rows, columns]: [usize; 2], [row, column]: [usize; 2]) -> usize {
    if row < rows && column < columns {
        row * columns + column
    } else {
        rows * columns
    }
}

/// The tokens, and one of zeros behind them where it is needed.
fn with_zeros(network: &mut NetworkBuilder<'_>, x: Value, needed: bool) -> Result<Value> {
    if !needed {
        return Ok(x);
    }
    let features = network.channels(x)?;
    let zeros = network.constant(&[1, features], vec![0.0; features])?;
    network.cat_tokens(&[x, zeros])
}

/// How a grid of tokens is cut into windows. Where they do not fit, there are places below and at the right whose tokens are
/// zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    grid: [usize; 2],
    /// The grid's rows and columns with the places for zeros.
    places: [usize; 2],
    /// Rows and columns of a window.
    side: usize,
    /// By so many rows and columns the grid is rolled up and left before it is cut.
    shift: [usize; 2],
}

impl Windows {
    /// Windows that are not shifted where the grid is one window high or wide, as transformers and timm have them.
    ///
    /// # Errors
    /// When the windows are larger than any that are published.
    pub(super) fn new(grid: [usize; 2], side: usize, is_shifted: bool) -> Result<Self> {
        let is_shifted = is_shifted && grid[0].min(grid[1]) > side;
        Self::with_shift(grid, side, [is_shifted; 2])
    }

    /// Windows that are not shifted in a direction in which there is only one of them, as torchvision has them.
    ///
    /// # Errors
    /// As for [`Windows::new`].
    pub(super) fn shifted_by_direction(grid: [usize; 2], side: usize, is_shifted: bool) -> Result<Self> {
        Self::with_shift(grid, side, grid.map(|length| is_shifted && length > side))
    }

    /// Windows that are shifted in these directions.
    ///
    /// # Errors
    /// As for [`Windows::new`].
    pub(super) fn with_shift(grid: [usize; 2], side: usize, is_shifted: [bool; 2]) -> Result<Self> {
        if !(1..=MOST_ROWS).contains(&side) {
            return Err(Error::unsupported(format!(
                "windows of {side} x {side} tokens are not known, only those of 1 to {MOST_ROWS} rows"
            )));
        }
        Ok(Self {
            grid,
            places: grid.map(|length| length.next_multiple_of(side)),
            side,
            shift: is_shifted.map(|is_shifted| if is_shifted { side / 2 } else { 0 }),
        })
    }

    /// Rows and columns of a window.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    pub(super) fn count(&self) -> usize {
        self.places[0] * self.places[1] / (self.side * self.side)
    }

    /// The tokens of a grid, window by window.
    pub(super) fn cut(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        let x = with_zeros(network, x, self.places != self.grid)?;
        network.take_tokens(x, self.order())
    }

    /// The tokens of a grid, of tokens that stand window by window.
    pub(super) fn join(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        network.take_tokens(x, self.order_back())
    }

    /// The rows and columns in the rolled grid, window by window.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> {
        let Self {
            places: [rows, columns],
            side,
            ..
        } = *self;
        (0..rows).step_by(side).flat_map(move |top| {
            (0..columns).step_by(side).flat_map(move |left| {
                (0..side * side).map(move |index| [top + index / side, left + index % side])
            })
        })
    }

    /// The token at each place, window by window.
    fn order(&self) -> Vec<usize> {
        let [rows, columns] = self.places;
        self.places()
            .map(|[row, column]| [(row + self.shift[0]) % rows, (column + self.shift[1]) % columns])
            .map(|place| token(self.grid, place))
            .collect()
    }

    /// The place, window by window, of each token.
    fn order_back(&self) -> Vec<usize> {
        let tokens = self.grid[0] * self.grid[1];
        let mut back = vec![0; tokens];
        for (place, token) in self.order().into_iter().enumerate() {
            if token < tokens {
                back[token] = place;
            }
        }
        back
    }

    /// The trained bias of relative positions in a tensor `[distances, heads]`, as [`Windows::bias_of`] takes it.
    pub(super) fn trained_bias(&self, checkpoint: &Checkpoint, table: &str, heads: usize) -> Result<Weight> {
        let reach = 2 * self.side - 1;
        let weight = checkpoint.tensor(table)?;
        if weight.dims() != [reach * reach, heads] {
            return Err(Error::new(format!(
                "tensor `{table}` has dimensions {:?}, but the network needs {:?}",
                weight.dims(),
                [reach * reach, heads]
            ))
            .with_kind(ErrorKind::Weights));
        }
        Ok(self.bias_of(weight.data(), heads, APART))
    }

    /// What is added to the scores: the bias of each distance of two tokens, `[distances, heads]`, and `apart` for tokens that
    /// are no neighbours in the picture.
    pub(super) fn bias_of(&self, distances: &[f32], heads: usize, apart: f32) -> Weight {
        let reach = 2 * self.side - 1;
        let area = self.side * self.side;
        let windows = if self.shift == [0; 2] { 1 } else { self.count() };
        let regions: Vec<usize> = self.places().map(|place| self.region(place)).collect();
        let mut values = Vec::with_capacity(windows * heads * area * area);
        for window in regions.chunks_exact(area).take(windows) {
            for head in 0..heads {
                for query in 0..area {
                    for key in 0..area {
                        let row = query / self.side + self.side - 1 - key / self.side;
                        let column = query % self.side + self.side - 1 - key % self.side;
                        let added = if window[query] == window[key] { 0.0 } else { apart };
                        values.push(distances[(row * reach + column) * heads + head] + added);
                    }
                }
            }
        }
        Weight::new([windows, heads, area, area], values)
    }

    /// Which part of the rolled grid a place is in: parts of different numbers are no neighbours in the picture.
    fn region(&self, place: [usize; 2]) -> usize {
        let part = |axis: usize| {
            let (length, shift) = (self.places[axis], self.shift[axis]);
            if shift == 0 {
                return 0;
            }
            usize::from(place[axis] >= length - self.side) + usize::from(place[axis] >= length - shift)
        };
        part(0) * 3 + part(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_every_token_once_and_go_back() {
        for (grid, count) in [([6, 4], 6), ([5, 3], 6)] {
            for is_shifted in [false, true] {
                let windows = Windows::new(grid, 2, is_shifted).unwrap();
                let (order, back) = (windows.order(), windows.order_back());
                assert!((0..grid[0] * grid[1]).all(|token| order[back[token]] == token));
                assert_eq!(windows.count(), count);
            }
        }
        // Rolled by one: the first window begins at row 1, column 1.
        assert_eq!(Windows::new([4, 4], 2, true).unwrap().order()[..4], [5, 6, 9, 10]);
        // Token 6 is zeros.
        assert_eq!(
            Windows::new([3, 2], 2, false).unwrap().order(),
            [0, 1, 2, 3, 4, 5, 6, 6]
        );
    }

    #[test]
    fn windows_of_any_file_stay_small() {
        for side in [0, MOST_ROWS + 1, 1 << 20] {
            assert!(Windows::new([4, 4], side, true).is_err());
        }
    }

    #[test]
    fn a_grid_of_one_window_is_not_shifted() {
        assert_eq!(Windows::new([4, 2], 2, true).unwrap().shift, [0, 0]);
        assert_eq!(
            Windows::shifted_by_direction([4, 2], 2, true).unwrap().shift,
            [1, 0]
        );
        assert_eq!(
            Windows::shifted_by_direction([2, 1], 2, true).unwrap().shift,
            [0, 0]
        );
    }
}

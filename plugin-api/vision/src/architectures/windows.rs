//! Windows of a grid of tokens, as Swin's attention sees them.
//!
//! Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3.2.

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// What is added to the scores of tokens that are neighbours only because the picture was rolled.
const APART: f32 = -100.0;

/// Each 2 x 2 tokens as one, with twice the features.
pub(super) fn merge(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    x: Value,
    [rows, columns]: [usize; 2],
) -> Result<Value> {
    if rows % 2 != 0 || columns % 2 != 0 {
        return Err(unfit(format!(
            "{columns} x {rows} tokens cannot be merged two by two"
        )));
    }
    let features = network.channels(x)?;
    let mut parts = Vec::new();
    for (row, column) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let indices: Vec<usize> = (row..rows)
            .step_by(2)
            .flat_map(|row| {
                (column..columns)
                    .step_by(2)
                    .map(move |column| row * columns + column)
            })
            .collect();
        parts.push(network.take_tokens(x, indices)?);
    }
    let x = network.cat(&parts)?;
    let x = network.layer_norm(&format!("{name}.norm"), x, 1e-5)?;
    network.linear_without_bias(&format!("{name}.reduction"), x, 2 * features)
}

/// How a grid of tokens is cut into windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    grid: [usize; 2],
    /// Rows and columns of a window.
    side: usize,
    /// By so many rows and columns the grid is rolled up and left before it is cut.
    shift: usize,
}

impl Windows {
    pub(super) fn new(grid: [usize; 2], side: usize, shifted: bool) -> Result<Self> {
        let least = grid[0].min(grid[1]);
        if !grid.iter().all(|length| length.is_multiple_of(side)) {
            return Err(unfit(format!(
                "{} x {} tokens cannot be divided into windows of {side} x {side}",
                grid[1], grid[0]
            )));
        }
        Ok(Self {
            grid,
            side,
            // A grid of one window has nothing to be shifted to.
            shift: if shifted && least > side { side / 2 } else { 0 },
        })
    }

    pub(super) fn count(&self) -> usize {
        self.grid[0] * self.grid[1] / (self.side * self.side)
    }

    /// The rows and columns in the rolled grid, window by window.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> {
        let Self {
            grid: [rows, columns],
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
    pub(super) fn order(&self) -> Vec<usize> {
        let [rows, columns] = self.grid;
        self.places()
            .map(|[row, column]| (row + self.shift) % rows * columns + (column + self.shift) % columns)
            .collect()
    }

    /// The place, window by window, of each token.
    pub(super) fn order_back(&self) -> Vec<usize> {
        let order = self.order();
        let mut back = vec![0; order.len()];
        for (place, token) in order.into_iter().enumerate() {
            back[token] = place;
        }
        back
    }

    /// What is added to the scores: the trained bias of relative positions, and [`APART`].
    pub(super) fn bias(&self, checkpoint: &Checkpoint, table: &str, heads: usize) -> Result<Weight> {
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
        let area = self.side * self.side;
        let windows = if self.shift == 0 { 1 } else { self.count() };
        let regions: Vec<usize> = self.places().map(|place| self.region(place)).collect();
        let mut values = Vec::with_capacity(windows * heads * area * area);
        for window in regions.chunks_exact(area).take(windows) {
            for head in 0..heads {
                for query in 0..area {
                    for key in 0..area {
                        let row = query / self.side + self.side - 1 - key / self.side;
                        let column = query % self.side + self.side - 1 - key % self.side;
                        let apart = if window[query] == window[key] { 0.0 } else { APART };
                        values.push(weight.data()[(row * reach + column) * heads + head] + apart);
                    }
                }
            }
        }
        Ok(Weight::new([windows, heads, area, area], values))
    }

    /// Which part of the rolled grid a place is in: parts of different numbers are no neighbours in the picture.
    fn region(&self, place: [usize; 2]) -> usize {
        if self.shift == 0 {
            return 0;
        }
        let part = |axis: usize| {
            let length = self.grid[axis];
            usize::from(place[axis] >= length - self.side) + usize::from(place[axis] >= length - self.shift)
        };
        part(0) * 3 + part(1)
    }
}

fn unfit(message: String) -> Error {
    Error::new(message).with_kind(ErrorKind::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_every_token_once_and_go_back() {
        for shifted in [false, true] {
            let windows = Windows::new([6, 4], 2, shifted).unwrap();
            let (order, back) = (windows.order(), windows.order_back());
            assert!((0..24).all(|token| order[back[token]] == token));
            assert_eq!(windows.count(), 6);
        }
        // Rolled by one: the first window begins at row 1, column 1.
        assert_eq!(Windows::new([4, 4], 2, true).unwrap().order()[..4], [5, 6, 9, 10]);
        assert!(Windows::new([5, 4], 2, false).is_err());
    }
}

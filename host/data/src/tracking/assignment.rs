//! Which tracks and objects belong together, all in all.

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};

/// The whole numbers that the method works with have so many steps to one.
const STEPS: f64 = 1e9;

/// Pairs rows with columns so that the sum of what each pair costs less than `limit` is the greatest. Nothing is paired that
/// costs more than the limit. Costs are from 0 to 1. Pairs are in the rows' order.
pub(super) fn assign(
    rows: usize,
    columns: usize,
    limit: f64,
    cost: impl Fn(usize, usize) -> f64,
) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    // What gains nothing is as good as no pair. A cost that is no number gains nothing, either.
    let gain = |row, column| ((limit - cost(row, column)).clamp(0.0, 1.0) * STEPS) as i64;
    // The method wants no more rows than columns.
    let is_wide = rows <= columns;
    let gains = match is_wide {
        true => Matrix::from_fn(rows, columns, |(row, column)| gain(row, column)),
        false => Matrix::from_fn(columns, rows, |(column, row)| gain(row, column)),
    };
    let (_, partners) = kuhn_munkres(&gains);
    let mut pairs: Vec<(usize, usize)> = partners
        .into_iter()
        .enumerate()
        .map(|(one, other)| if is_wide { (one, other) } else { (other, one) })
        .filter(|&(row, column)| gain(row, column) > 0)
        .collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(costs: &[&[f64]], limit: f64) -> Vec<(usize, usize)> {
        let columns = costs.first().map_or(0, |row| row.len());
        assign(costs.len(), columns, limit, |row, column| costs[row][column])
    }

    #[test]
    fn the_sum_counts_and_not_the_best_pair() {
        // The cheapest pair, (0, 0), would leave the other row with a dear one.
        assert_eq!(of(&[&[0.0, 0.1], &[0.1, 0.9]], 1.0), [(0, 1), (1, 0)]);
    }

    #[test]
    fn what_is_too_dear_stays_alone() {
        assert_eq!(of(&[&[0.9, 0.2], &[0.95, 0.9]], 0.8), [(0, 1)]);
        assert_eq!(of(&[&[f64::NAN, 0.2]], 0.8), [(0, 1)]);
    }

    #[test]
    fn either_side_may_be_longer() {
        assert_eq!(of(&[&[0.5], &[0.1], &[0.3]], 0.8), [(1, 0)]);
        assert_eq!(of(&[&[0.5, 0.1, 0.3]], 0.8), [(0, 1)]);
        assert_eq!(of(&[], 0.8), []);
        assert_eq!(of(&[&[]], 0.8), []);
    }
}

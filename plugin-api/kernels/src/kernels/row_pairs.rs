//! Rows of a depthwise convolution's windows by twos.

use super::windows::WindowSteps;

/// Rows of windows by twos, counted from the first window's first row: those of one row of results, or of two that are
/// computed together, as they see the same pairs of rows.
///
/// Two together are always an even one and the one after it, so that the order of a sum does not depend on how rows are
/// shared among threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPairs {
    /// Rows of results, 1 or 2.
    pub(crate) together: usize,
    /// Rows from one window to the next.
    stride: usize,
    /// Rows of a window.
    rows: usize,
}

impl RowPairs {
    /// Of windows whose sizes are known when kernels are compiled: without gaps, and with steps of `stride` along both axes.
    pub(crate) const fn of_two(kernel: usize, stride: usize) -> Self {
        Self {
            together: 2,
            stride,
            rows: kernel,
        }
    }

    /// Of any windows, by themselves: what is between their rows is not counted.
    pub(crate) const fn of_one(kernel: usize) -> Self {
        Self {
            together: 1,
            stride: 0,
            rows: kernel,
        }
    }

    /// As [`sizes`] says.
    pub(crate) fn of(steps: &WindowSteps) -> Self {
        match sizes(steps) {
            Some([kernel, stride]) => Self::of_two(kernel, stride),
            None => Self::of_one(steps.kernel[0]),
        }
    }

    /// How many pairs there are.
    pub(crate) const fn count(self) -> usize {
        self.last_row(self.together - 1) / 2 + 1
    }

    /// The last row that a row of results sees.
    #[inline(always)]
    pub(crate) const fn last_row(self, result: usize) -> usize {
        result * self.stride + self.rows - 1
    }

    /// Whether a row of results sees a pair.
    #[inline(always)]
    pub(crate) const fn is_seen(self, pair: usize, result: usize) -> bool {
        pair >= result * self.stride / 2 && pair <= self.last_row(result) / 2
    }

    /// The rows of a row of results' windows that a pair has; `None` where a row is none of them.
    fn rows_of(self, pair: usize, result: usize) -> [Option<usize>; 2] {
        [2 * pair, 2 * pair + 1].map(|row| {
            let row = row.checked_sub(result * self.stride)?;
            (row < self.rows).then_some(row)
        })
    }

    /// How many [`words`](Self::words) there are, given the columns of windows.
    pub(crate) const fn word_count(self, columns: usize) -> usize {
        self.count() * self.together * columns
    }

    /// The places in a window whose weights each pair is multiplied with, in the order in which kernels read them: `[pairs]
    /// [rows of results][columns]`; `None` where a pair has a row that is in no window.
    pub(crate) fn words(self, columns: usize) -> Vec<[Option<usize>; 2]> {
        let mut words = Vec::with_capacity(self.word_count(columns));
        for pair in 0..self.count() {
            for result in 0..self.together {
                let rows = self.rows_of(pair, result);
                words.extend((0..columns).map(|column| rows.map(|row| Some(row? * columns + column))));
            }
        }
        words
    }
}

/// Side and steps of windows that kernels are compiled for.
pub(crate) fn sizes(steps: &WindowSteps) -> Option<[usize; 2]> {
    let &WindowSteps {
        kernel: [rows, columns],
        stride: [down, right],
        dilation,
    } = steps;
    let is_compiled = matches!((rows, down), (3 | 5, 1 | 2) | (7, 1));
    let is_regular = rows == columns && down == right && dilation == [1, 1];
    (is_compiled && is_regular).then_some([rows, down])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of each window is in one pair that its row of results sees, and pairs that it does not see have none.
    #[test]
    fn every_row_of_a_window_is_in_one_pair() {
        let mut all: Vec<RowPairs> = (1..9).map(RowPairs::of_one).collect();
        all.extend((1..9).flat_map(|kernel| (1..4).map(move |stride| RowPairs::of_two(kernel, stride))));
        for pairs in all {
            for result in 0..pairs.together {
                let mut found = vec![0; pairs.rows];
                for pair in 0..pairs.count() {
                    let rows = pairs.rows_of(pair, result);
                    let has_any = rows.iter().any(Option::is_some);
                    assert_eq!(pairs.is_seen(pair, result), has_any, "{pairs:?}");
                    for (place, row) in rows
                        .into_iter()
                        .enumerate()
                        .filter_map(|(place, row)| Some((place, row?)))
                    {
                        assert_eq!(2 * pair + place, result * pairs.stride + row, "{pairs:?}");
                        found[row] += 1;
                    }
                }
                assert!(found.iter().all(|&times| times == 1), "{pairs:?}");
            }
        }
    }

    #[test]
    fn words_follow_pairs_results_and_columns() {
        let pairs = RowPairs::of_two(3, 1);
        let columns = |first: Option<usize>, second: Option<usize>| {
            [0, 1, 2].map(|column| [first, second].map(|row| Some(3 * row? + column)))
        };
        let expected = [
            columns(Some(0), Some(1)),
            columns(None, Some(0)),
            columns(Some(2), None),
            columns(Some(1), Some(2)),
        ];
        assert_eq!(pairs.words(3), expected.concat());
        assert_eq!(pairs.word_count(3), expected.concat().len());
    }
}

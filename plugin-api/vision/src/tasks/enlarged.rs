//! Maps that are enlarged to a picture's size, value by value: many objects' masks of a large picture would fill the memory.

use crate::bilinear::{Between, neighbours};
use std::ops::Range;

/// A map that is enlarged where it is looked at.
#[derive(Debug)]
pub(super) struct Enlarged {
    values: Vec<f32>,
    width: usize,
    rows: Vec<Between>,
    columns: Vec<Between>,
}

impl Enlarged {
    /// A map of `from`, `[height, width]`, as one of `to`.
    pub(super) fn new(values: Vec<f32>, from: [usize; 2], to: [usize; 2]) -> Self {
        Self {
            values,
            width: from[1],
            rows: neighbours(from[0], to[0]),
            columns: neighbours(from[1], to[1]),
        }
    }

    /// The values in these rows and columns, row by row.
    pub(super) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> impl Iterator<Item = f32> {
        let columns = &self.columns[columns];
        self.rows[rows].iter().flat_map(move |row| {
            columns.iter().map(move |column| {
                let line = |place: usize| column.between_of(&self.values[place * self.width..]);
                row.between(line(row.first), || line(row.second))
            })
        })
    }

    /// The rows and columns beyond which no value is above a threshold: none is larger than those that it lies between.
    pub(super) fn reach(&self, threshold: f32) -> [Range<usize>; 2] {
        let mut bounds: Option<[usize; 4]> = None;
        for (place, _) in self
            .values
            .iter()
            .enumerate()
            .filter(|(_, value)| **value > threshold)
        {
            let (row, column) = (place / self.width, place % self.width);
            let [top, bottom, left, right] = bounds.unwrap_or([row, row, column, column]);
            bounds = Some([top.min(row), bottom.max(row), left.min(column), right.max(column)]);
        }
        let Some([top, bottom, left, right]) = bounds else {
            return [0..0, 0..0];
        };
        let between = |places: &[Between], first: usize, last: usize| {
            let start = places.partition_point(|place| place.second < first);
            start..places.partition_point(|place| place.first <= last)
        };
        [
            between(&self.rows, top, bottom),
            between(&self.columns, left, right),
        ]
    }

    /// All values.
    pub(super) fn whole(&self) -> impl Iterator<Item = f32> {
        self.part(0..self.rows.len(), 0..self.columns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Vec<f32> {
        (0..12).map(|value| (value * value % 7) as f32).collect()
    }

    #[test]
    fn a_part_is_as_it_is_in_the_whole() {
        let enlarged = Enlarged::new(map(), [3, 4], [9, 8]);
        let whole: Vec<f32> = enlarged.whole().collect();
        assert_eq!(whole.len(), 72);
        let part: Vec<f32> = enlarged.part(2..7, 1..4).collect();
        for row in 0..5 {
            assert_eq!(part[row * 3..][..3], whole[(row + 2) * 8 + 1..][..3]);
        }
    }

    #[test]
    fn nothing_above_a_threshold_is_out_of_reach() {
        for to in [[9, 8], [2, 3], [3, 4]] {
            let enlarged = Enlarged::new(map(), [3, 4], to);
            for threshold in [0.5, 3.5, 9.0] {
                let [rows, columns] = enlarged.reach(threshold);
                let above = enlarged
                    .whole()
                    .enumerate()
                    .filter(|(_, value)| *value > threshold);
                for (place, _) in above {
                    assert!(rows.contains(&(place / to[1])) && columns.contains(&(place % to[1])));
                }
            }
            assert_eq!(enlarged.reach(9.0), [0..0, 0..0]);
        }
        let mut corner = vec![0.0; 64];
        corner[0] = 1.0;
        // Between the first and the second pixel are the places 0.5 to 2.5 of twice as many.
        assert_eq!(Enlarged::new(corner, [8, 8], [16, 16]).reach(0.0), [0..3, 0..3]);
    }

    #[test]
    fn a_map_of_its_own_size_is_itself() {
        let same: Vec<f32> = Enlarged::new(map(), [3, 4], [3, 4]).whole().collect();
        assert_eq!(same, map());
    }
}

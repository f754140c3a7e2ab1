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
    fn a_map_of_its_own_size_is_itself() {
        let same: Vec<f32> = Enlarged::new(map(), [3, 4], [3, 4]).whole().collect();
        assert_eq!(same, map());
    }
}

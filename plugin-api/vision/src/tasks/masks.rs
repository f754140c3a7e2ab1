//! Masks of objects as torchvision puts them into pictures: its `paste_masks_in_image`.

use crate::bilinear::{Between, neighbours};
use modelzoo_candle::detection::Corners;
use std::ops::Range;

/// Pixels without the object around its mask.
const BORDER: usize = 1;

/// A mask where it lies in a picture.
pub(super) struct PastedMask {
    /// Probabilities, `[side, side]`, with a border.
    values: Vec<f32>,
    side: usize,
    /// The picture's row and column of the mask's first ones.
    top: i64,
    left: i64,
    rows: Vec<Between>,
    columns: Vec<Between>,
}

impl PastedMask {
    /// A mask of probabilities, `[side, side]`, in a box of the picture.
    pub(super) fn new(mask: &[f32], side: usize, corners: Corners) -> Self {
        let bordered = side + 2 * BORDER;
        let mut values = vec![0.0; bordered * bordered];
        for (row, line) in mask.chunks_exact(side).enumerate() {
            let start = (row + BORDER) * bordered + BORDER;
            values[start..start + side].copy_from_slice(line);
        }
        // The border is part of the box, too.
        let scale = bordered as f32 / side as f32;
        let enlarged = |from: f32, to: f32| {
            let (half, center) = ((to - from) * 0.5 * scale, (to + from) * 0.5);
            // To whole pixels towards 0.
            ((center - half) as i64, (center + half) as i64)
        };
        let (left, right) = enlarged(corners.left, corners.right);
        let (top, bottom) = enlarged(corners.top, corners.bottom);
        let length = |from: i64, to: i64| (to - from + 1).max(1) as usize;
        Self {
            values,
            side: bordered,
            top,
            left,
            rows: neighbours(bordered, length(top, bottom)),
            columns: neighbours(bordered, length(left, right)),
        }
    }

    /// Whether the probability is above a threshold, of these rows and columns of the picture.
    pub(super) fn cut(&self, rows: Range<usize>, columns: Range<usize>, threshold: f32) -> Vec<bool> {
        let place = |position: usize, first: i64| usize::try_from(position as i64 - first).ok();
        let mut pixels = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            let row = place(row, self.top).and_then(|row| self.rows.get(row));
            for column in columns.clone() {
                let column = place(column, self.left).and_then(|column| self.columns.get(column));
                pixels.push(match (row, column) {
                    (Some(row), Some(column)) => self.value(row, column) > threshold,
                    _ => 0.0 > threshold,
                });
            }
        }
        pixels
    }

    fn value(&self, row: &Between, column: &Between) -> f32 {
        let line = |row: usize| column.between_of(&self.values[row * self.side..]);
        row.between(line(row.first), || line(row.second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_fills_its_box_and_no_more() {
        let pasted = PastedMask::new(&[1.0; 16], 4, Corners::new(2.0, 1.0, 6.0, 5.0));
        // The box with its border reaches from column 1 to 7 and from row 0 to 6.
        assert_eq!((pasted.left, pasted.top), (1, 0));
        assert_eq!((pasted.columns.len(), pasted.rows.len()), (7, 7));
        let pixels = pasted.cut(0..8, 0..9, 0.5);
        let row = |index: usize| &pixels[index * 9..][..9];
        assert_eq!(row(0), [false; 9]);
        assert_eq!(row(3), [false, false, true, true, true, true, true, false, false]);
        assert_eq!(row(7), [false; 9]);
    }

    #[test]
    fn a_box_beyond_the_picture_is_cut() {
        let pasted = PastedMask::new(&[1.0; 4], 2, Corners::new(-4.0, -4.0, 4.0, 4.0));
        assert_eq!(pasted.cut(0..2, 0..2, 0.5), [true; 4]);
    }
}

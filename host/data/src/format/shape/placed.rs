//! A mask that is a part of a picture, at its place.

use super::{Mask, PixelBox};

/// The pixels of an object, within the smallest part of its picture that has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedMask {
    /// The column of the picture that the mask's first is.
    pub left: usize,
    /// The row of the picture that the mask's first is.
    pub top: usize,
    /// The part.
    pub mask: Mask,
}

impl PlacedMask {
    /// The part as a box.
    pub fn bounds(&self) -> PixelBox {
        [
            self.left as f64,
            self.top as f64,
            self.mask.width as f64,
            self.mask.height as f64,
        ]
    }

    /// The pixels that belong to either.
    pub fn union(self, other: Self) -> Self {
        let right = |part: &Self| part.left + part.mask.width;
        let bottom = |part: &Self| part.top + part.mask.height;
        let (left, top) = (self.left.min(other.left), self.top.min(other.top));
        let mut mask = Mask::empty(
            right(&self).max(right(&other)) - left,
            bottom(&self).max(bottom(&other)) - top,
        );
        for part in [self, other] {
            for (row, pixels) in part.mask.pixels.chunks_exact(part.mask.width.max(1)).enumerate() {
                let start = (part.top - top + row) * mask.width + part.left - left;
                let target = &mut mask.pixels[start..start + part.mask.width];
                target
                    .iter_mut()
                    .zip(pixels)
                    .for_each(|(pixel, &more)| *pixel |= more);
            }
        }
        Self { left, top, mask }
    }

    /// The mask of the pixels of a box, which is rounded to whole ones and cut at the edges of the picture; and the box,
    /// grown where pixels of the object lie outside of it.
    pub fn within(&self, bounding_box: PixelBox, width: usize, height: usize) -> (PixelBox, Mask) {
        let [x, y, w, h] = bounding_box;
        let (x, w, left, right) = grow(x, w, self.left, self.mask.width, width);
        let (y, h, top, bottom) = grow(y, h, self.top, self.mask.height, height);
        let mut mask = Mask::empty(right - left, bottom - top);
        for (row, pixels) in self.mask.pixels.chunks_exact(self.mask.width.max(1)).enumerate() {
            let start = (self.top + row - top) * mask.width + self.left - left;
            mask.pixels[start..start + pixels.len()].copy_from_slice(pixels);
        }
        ([x, y, w, h], mask)
    }
}

/// One side of a box that has to hold the pixels from `first` on: where it begins and how long it is, and its first pixel
/// and the one after its last.
fn grow(start: f64, length: f64, first: usize, count: usize, size: usize) -> (f64, f64, usize, usize) {
    let pixel = |position: f64| position.round().clamp(0.0, size as f64) as usize;
    let last = first + count;
    let (left, right) = (pixel(start), pixel(start + length));
    if left <= first && last <= right {
        // As it was told, to the last digit.
        return (start, length, left, right);
    }
    let begin = if first < left { first as f64 } else { start };
    let end = if last > right { last as f64 } else { start + length };
    (begin, end - begin, left.min(first), right.max(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(left: usize, top: usize, side: usize) -> PlacedMask {
        let mask = Mask {
            width: side,
            height: side,
            pixels: vec![true; side * side],
        };
        PlacedMask { left, top, mask }
    }

    #[test]
    fn parts_that_overlap_are_united() {
        let both = square(1, 1, 2).union(square(2, 2, 2));
        assert_eq!(both.bounds(), [1.0, 1.0, 3.0, 3.0]);
        assert_eq!(both.mask.area(), 7);
    }

    #[test]
    fn boxes_grow_where_pixels_lie_outside() {
        let (grown, mask) = square(2, 2, 4).within([2.0, 2.0, 3.0, 3.0], 10, 10);
        assert_eq!(grown, [2.0, 2.0, 4.0, 4.0]);
        assert_eq!((mask.width, mask.area()), (4, 16));
        // A box that rounds to the pixels stays as it is.
        let exact = [2.3, 1.8, 3.9, 4.1];
        let (same, mask) = square(2, 2, 4).within(exact, 10, 10);
        assert_eq!(same, exact);
        assert_eq!((mask.width, mask.height), (4, 4));
        // A larger one keeps its margin, and is cut at the picture's edge.
        let (same, mask) = square(2, 2, 4).within([0.0, 0.0, 99.0, 8.0], 10, 10);
        assert_eq!(same, [0.0, 0.0, 99.0, 8.0]);
        assert_eq!((mask.width, mask.height, mask.area()), (10, 8, 16));
    }
}

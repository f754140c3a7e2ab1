//! Masks of one object.

use modelzoo_plugin_api::Array;

/// Which pixels belong to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels, row by row.
    pub pixels: Vec<bool>,
}

impl Mask {
    /// No pixel.
    pub fn empty(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![false; width * height],
        }
    }

    /// Reads a 2-D array, in which everything but 0 belongs to the object.
    pub fn from_array(array: &Array) -> Option<Self> {
        let &[height, width] = array.shape() else {
            return None;
        };
        let pixels: Vec<bool> = array.to_f64().into_iter().map(|value| value != 0.0).collect();
        (pixels.len() == width * height).then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// An array of 0 and 1.
    pub fn to_array(&self) -> Array {
        let pixels: Vec<u8> = self.pixels.iter().map(|&pixel| u8::from(pixel)).collect();
        let array = Array::new([self.height, self.width], pixels);
        array.unwrap_or_else(|_| unreachable!("a mask has width * height pixels"))
    }

    /// Puts the mask of a detection into a picture of `width` x `height` pixels. The box, relative to the picture, is
    /// rounded to pixels; a mask of another size than it is scaled to the nearest pixels.
    pub fn placed(&self, bounding_box: [f64; 4], width: usize, height: usize) -> Self {
        let mut placed = Self::empty(width, height);
        let [x, y, box_width, box_height] = bounding_box;
        let columns = edges(x, box_width, width);
        let rows = edges(y, box_height, height);
        if self.pixels.is_empty() || columns.1 <= columns.0 || rows.1 <= rows.0 {
            return placed;
        }
        for row in rows.0.max(0)..rows.1.min(height as i64) {
            let from_row = scaled(row - rows.0, rows.1 - rows.0, self.height);
            for column in columns.0.max(0)..columns.1.min(width as i64) {
                let from_column = scaled(column - columns.0, columns.1 - columns.0, self.width);
                placed.pixels[row as usize * width + column as usize] =
                    self.pixels[from_row * self.width + from_column];
            }
        }
        placed
    }

    /// How many pixels belong to the object.
    pub fn area(&self) -> usize {
        self.pixels.iter().filter(|&&pixel| pixel).count()
    }
}

/// The first pixel and the one after the last.
fn edges(start: f64, length: f64, size: usize) -> (i64, i64) {
    let edge = |position: f64| (position * size as f64).round_ties_even() as i64;
    (edge(start), edge(start + length))
}

/// Which of `to` pixels lies where number `index` of `from` does.
fn scaled(index: i64, from: i64, to: usize) -> usize {
    (((index as f64 + 0.5) * to as f64 / from as f64) as usize).min(to - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(width: usize, pixels: &[u8]) -> Mask {
        Mask {
            width,
            height: pixels.len() / width,
            pixels: pixels.iter().map(|&pixel| pixel != 0).collect(),
        }
    }

    #[test]
    fn a_mask_of_the_size_of_its_box_stays_as_it_is() {
        let placed = mask(2, &[1, 0, 1, 1]).placed([0.25, 0.5, 0.5, 0.5], 4, 4);
        assert_eq!(placed, mask(4, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0]));
        assert_eq!(placed.area(), 3);
    }

    #[test]
    fn other_masks_are_scaled_and_cut_at_the_edges() {
        let placed = mask(1, &[1]).placed([-0.5, -0.5, 1.0, 1.0], 4, 2);
        assert_eq!(placed, mask(4, &[1, 1, 0, 0, 0, 0, 0, 0]));
        let placed = mask(2, &[1, 0]).placed([0.0, 0.0, 1.0, 1.0], 4, 1);
        assert_eq!(placed, mask(4, &[1, 1, 0, 0]));
        assert_eq!(mask(1, &[1]).placed([0.5, 0.5, 0.0, 0.0], 4, 4).area(), 0);
    }
}

//! COCO's run-length encoding: lengths of runs of 0 and 1 in turn, beginning with 0, column by column; and its compact
//! text, six bits a character (`rleToString` and `rleFrString` of the COCO API).

use super::{Mask, PlacedMask};

/// A mask as run lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLengths {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The lengths.
    pub counts: Vec<u64>,
}

/// Run lengths are more than their picture, or their text is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run lengths are broken")]
pub struct RunLengthsError;

impl RunLengths {
    /// Encodes a mask.
    pub fn encode(mask: &Mask) -> Self {
        let mut counts = Vec::new();
        let (mut current, mut length) = (false, 0);
        for column in 0..mask.width {
            for row in 0..mask.height {
                let pixel = mask.pixels[row * mask.width + column];
                if pixel != current {
                    counts.push(length);
                    (current, length) = (pixel, 0);
                }
                length += 1;
            }
        }
        counts.push(length);
        Self {
            width: mask.width,
            height: mask.height,
            counts,
        }
    }

    /// Decodes the part of the picture that the object is in; `None` for an object without a pixel. What the lengths leave
    /// open at the end is background. Memory is taken for that part alone.
    ///
    /// # Errors
    /// When the lengths are more than the picture has pixels.
    pub fn decode(&self) -> Result<Option<PlacedMask>, RunLengthsError> {
        let (width, height) = (self.width as u64, self.height as u64);
        let size = width.checked_mul(height).ok_or(RunLengthsError)?;
        let sum = self
            .counts
            .iter()
            .try_fold(0u64, |sum, &count| sum.checked_add(count));
        if sum.is_none_or(|sum| sum > size) {
            return Err(RunLengthsError);
        }
        let Some([left, top, right, bottom]) = self.edges(height) else {
            return Ok(None);
        };
        let columns = (right - left) as usize;
        let mut mask = Mask::empty(columns, (bottom - top) as usize);
        for (start, end) in self.runs() {
            let mut position = start;
            // As a whole from row to row of each column: strangers' pictures may be as large as they say.
            while position < end {
                let (column, row) = (position / height, position % height);
                let rows = (height - row).min(end - position);
                let first = (row - top) as usize * columns + (column - left) as usize;
                let pixels = mask.pixels[first..].iter_mut().step_by(columns);
                pixels.take(rows as usize).for_each(|pixel| *pixel = true);
                position += rows;
            }
        }
        Ok(Some(PlacedMask {
            left: left as usize,
            top: top as usize,
            mask,
        }))
    }

    /// The runs of the object's pixels, by their first and the one after their last, column by column.
    fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut position = 0;
        let pairs = self.counts.chunks(2).map(move |pair| {
            let start = position + pair[0];
            position = start + pair.get(1).copied().unwrap_or(0);
            (start, position)
        });
        pairs.filter(|(start, end)| end > start)
    }

    /// The first column and row that the object is in, and those after the last.
    fn edges(&self, height: u64) -> Option<[u64; 4]> {
        self.runs()
            .map(|(start, end)| {
                let last = end - 1;
                let (left, right) = (start / height, last / height + 1);
                // A run that goes on in the next column has the last row of one and the first of the other.
                if right - left == 1 {
                    [left, start % height, right, last % height + 1]
                } else {
                    [left, 0, right, height]
                }
            })
            .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
    }

    /// The compact text. From the fourth on, each length is stored as its difference to the one two before it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (index, &count) in self.counts.iter().enumerate() {
            let before = if index > 2 { self.counts[index - 2] } else { 0 };
            let mut rest = count as i64 - before as i64;
            loop {
                let bits = (rest & 0x1f) as u8;
                rest >>= 5;
                // The sign is the highest of the five bits: nothing more is needed once the rest is only sign.
                let more = if bits & 0x10 != 0 { rest != -1 } else { rest != 0 };
                text.push(char::from(48 + bits + if more { 0x20 } else { 0 }));
                if !more {
                    break;
                }
            }
        }
        text
    }

    /// Reads the compact text.
    pub fn from_text(width: usize, height: usize, text: &str) -> Result<Self, RunLengthsError> {
        let mut counts: Vec<u64> = Vec::new();
        let mut bytes = text.bytes();
        while let Some(mut byte) = bytes.next() {
            let (mut value, mut shift) = (0i64, 0);
            loop {
                let bits = byte
                    .checked_sub(48)
                    .filter(|&bits| bits < 64)
                    .ok_or(RunLengthsError)?;
                if shift > 30 {
                    return Err(RunLengthsError);
                }
                value |= i64::from(bits & 0x1f) << shift;
                shift += 5;
                if bits & 0x20 == 0 {
                    if bits & 0x10 != 0 {
                        value |= -1 << shift;
                    }
                    break;
                }
                byte = bytes.next().ok_or(RunLengthsError)?;
            }
            if counts.len() > 2 {
                value += counts[counts.len() - 2] as i64;
            }
            // No picture has more pixels, and sums of lengths stay small.
            let length = u32::try_from(value).map_err(|_| RunLengthsError)?;
            counts.push(length.into());
        }
        Ok(Self {
            width,
            height,
            counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_is_that_of_the_coco_api() {
        // pycocotools.mask.encode of a 4 x 3 mask with ones in rows 1 and 2 of columns 1 to 3.
        let mask = Mask {
            width: 4,
            height: 3,
            pixels: [0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1]
                .map(|pixel| pixel == 1)
                .to_vec(),
        };
        let encoded = RunLengths::encode(&mask);
        assert_eq!(encoded.counts, [4, 2, 1, 2, 1, 2]);
        assert_eq!(encoded.to_text(), "421000");
    }

    #[test]
    fn broken_text_is_refused() {
        for text in ["\u{1}", "o", "ooooooooooo1", "é", "oooo0"] {
            let read = RunLengths::from_text(4, 4, text).and_then(|lengths| lengths.decode());
            assert_eq!(read, Err(RunLengthsError), "{text}");
        }
        let endless = RunLengths::from_text(usize::MAX, 2, "4").unwrap();
        assert_eq!(endless.decode(), Err(RunLengthsError));
    }

    #[test]
    fn memory_is_taken_for_the_object_alone() {
        let lengths = RunLengths {
            width: 60_000,
            height: 60_000,
            counts: vec![3_000_000_005, 2],
        };
        let placed = lengths.decode().unwrap().unwrap();
        assert_eq!(placed.bounds(), [50_000.0, 5.0, 1.0, 2.0]);
        assert_eq!(placed.mask.area(), 2);
    }

    proptest! {
        #[test]
        fn masks_come_out_as_they_went_in(width in 1usize..40, height in 1usize..40, seed in any::<u64>()) {
            let pixels = (0..width * height).map(|index| (seed.rotate_left(index as u32 / 3) & 1) == 1).collect();
            let mask = Mask { width, height, pixels };
            let encoded = RunLengths::encode(&mask);
            let read = RunLengths::from_text(width, height, &encoded.to_text()).unwrap();
            prop_assert_eq!(&read, &encoded);
            let whole = [0.0, 0.0, width as f64, height as f64];
            let decoded = read.decode().unwrap().map(|placed| placed.within(whole, width, height).1);
            prop_assert_eq!(decoded.unwrap_or(Mask::empty(width, height)), mask);
        }
    }
}

//! COCO's run-length encoding: lengths of runs of 0 and 1 in turn, beginning with 0, column by column; and its compact
//! text, six bits a character (`rleToString` and `rleFrString` of the COCO API).

use super::Mask;

/// A mask as run lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLengths {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The lengths.
    pub counts: Vec<u32>,
}

/// Run lengths do not fill their picture, or their text is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run lengths of a segmentation are broken")]
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

    /// Decodes the mask.
    pub fn decode(&self) -> Result<Mask, RunLengthsError> {
        let size = self.width.checked_mul(self.height).ok_or(RunLengthsError)?;
        if self.counts.iter().map(|&count| u64::from(count)).sum::<u64>() != size as u64 {
            return Err(RunLengthsError);
        }
        let runs = self.counts.iter().zip([false, true].into_iter().cycle());
        let mut pixels = runs.flat_map(|(&count, pixel)| std::iter::repeat_n(pixel, count as usize));
        let mut mask = Mask::empty(self.width, self.height);
        for column in 0..self.width {
            for row in 0..self.height {
                mask.pixels[row * self.width + column] = pixels.next().unwrap_or_default();
            }
        }
        Ok(mask)
    }

    /// The compact text. From the fourth on, each length is stored as its difference to the one two before it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (index, &count) in self.counts.iter().enumerate() {
            let before = if index > 2 { self.counts[index - 2] } else { 0 };
            let mut rest = i64::from(count) - i64::from(before);
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
        let mut counts: Vec<u32> = Vec::new();
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
                value += i64::from(counts[counts.len() - 2]);
            }
            counts.push(u32::try_from(value).map_err(|_| RunLengthsError)?);
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
    use proptest::prelude::*;

    use super::*;

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
        for text in ["\u{1}", "o", "ooooooooooo1", "é"] {
            let read = RunLengths::from_text(4, 4, text).and_then(|lengths| lengths.decode());
            assert_eq!(read, Err(RunLengthsError), "{text}");
        }
        assert!(
            RunLengths::from_text(usize::MAX, 2, "4")
                .unwrap()
                .decode()
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn masks_come_out_as_they_went_in(width in 1usize..40, height in 1usize..40, seed in any::<u64>()) {
            let pixels = (0..width * height).map(|index| (seed.rotate_left(index as u32 / 3) & 1) == 1).collect();
            let mask = Mask { width, height, pixels };
            let encoded = RunLengths::encode(&mask);
            let read = RunLengths::from_text(width, height, &encoded.to_text()).unwrap();
            prop_assert_eq!(&read, &encoded);
            prop_assert_eq!(read.decode().unwrap(), mask);
        }
    }
}

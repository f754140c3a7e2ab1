//! The encodings of facsimile: ITU-T T.4 (Group 3, one- and two-dimensional) and T.6 (Group 4), and TIFF's own
//! variants of the first without line ends. Codes are looked up in the tables of the `fax` crate.

use fax::{
    BitReader, ByteReader,
    maps::{Mode, black, mode, white},
};
use std::convert::Infallible;

/// How lines follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Every line by itself, each beginning on a byte.
    Bytes,
    /// Every line by itself, each beginning on two bytes.
    Words,
    /// Every line after an end of line, which says, where `is_mixed`, whether the line is encoded by itself.
    Group3 {
        /// Some lines tell how they differ from the line above.
        is_mixed: bool,
    },
    /// Every line as it differs from the line above.
    Group4,
}

/// Lines of bits, each beginning on a byte, 1 for black. `None` when the data end early or break the rules.
pub(super) fn decode(data: &[u8], width: u32, height: u32, scheme: Scheme) -> Option<Vec<u8>> {
    let mut lines = Lines::new(data, width);
    let row_bytes = (width as usize).div_ceil(8);
    let mut bits = vec![0; row_bytes.checked_mul(height as usize)?];
    for row in bits.chunks_exact_mut(row_bytes.max(1)) {
        if !lines.next(scheme)? {
            // An end before the last line leaves white paper.
            break;
        }
        fill(row, &lines.current, width);
    }
    Some(bits)
}

/// Sets the bits of the black runs between a line's changes.
fn fill(row: &mut [u8], changes: &[u32], width: u32) {
    for run in changes.chunks(2) {
        let end = run.get(1).copied().unwrap_or(width);
        for column in run[0]..end {
            row[column as usize / 8] |= 0x80 >> (column % 8);
        }
    }
}

struct Lines<'a> {
    bits: Bits<'a>,
    width: u32,
    /// Where the colour changes, beginning with white: white to black, black to white, and so on.
    current: Vec<u32>,
    reference: Vec<u32>,
}

impl<'a> Lines<'a> {
    fn new(data: &'a [u8], width: u32) -> Self {
        Self {
            bits: Bits::new(data),
            width,
            current: Vec::new(),
            reference: Vec::new(),
        }
    }

    /// Reads a line; `false` at the end of the picture.
    fn next(&mut self, scheme: Scheme) -> Option<bool> {
        std::mem::swap(&mut self.current, &mut self.reference);
        self.current.clear();
        match scheme {
            Scheme::Bytes | Scheme::Words => {
                self.line_by_itself()?;
                self.bits.align(if scheme == Scheme::Bytes { 8 } else { 16 });
            }
            Scheme::Group3 { is_mixed } => {
                let ends = self.bits.skip_line_ends(is_mixed);
                if ends > 1 {
                    return Some(false);
                }
                let is_by_itself = !is_mixed || self.bits.take(1)? == 1;
                match is_by_itself {
                    true => self.line_by_itself()?,
                    false => self.line_by_difference()?,
                }
            }
            Scheme::Group4 => {
                if self.bits.peek(12) == Some(1) {
                    return Some(false);
                }
                self.line_by_difference()?;
            }
        }
        Some(true)
    }

    fn line_by_itself(&mut self) -> Option<()> {
        let (mut position, mut is_black) = (0, false);
        while position < self.width {
            position = self.advanced(position, self.width, is_black)?;
            self.current.push(position);
            is_black = !is_black;
        }
        Some(())
    }

    fn line_by_difference(&mut self) -> Option<()> {
        let (mut position, mut is_black, mut is_first) = (0, false, true);
        let mut passed = 0;
        while position < self.width {
            // The next change above, of the same direction as the one that is looked for.
            while let Some(&change) = self.reference.get(passed)
                && (change < position || (change == position && !is_first))
            {
                passed += 1;
            }
            let above = passed + usize::from((passed % 2 == 1) != is_black);
            let change = |index: usize| self.reference.get(index).copied().unwrap_or(self.width);
            let first = change(above);
            match mode::decode(&mut self.bits.0)? {
                Mode::Pass => position = change(above + 1),
                Mode::Horizontal => {
                    for is_black in [is_black, !is_black] {
                        position = self.advanced(position, self.width, is_black)?;
                        self.current.push(position);
                    }
                }
                Mode::Vertical(offset) => {
                    let next = first.checked_add_signed(offset.into())?;
                    if next > self.width || (next < position) {
                        return None;
                    }
                    position = next;
                    self.current.push(position);
                    is_black = !is_black;
                }
                Mode::Extension | Mode::EOF => return None,
            }
            is_first = false;
        }
        Some(())
    }

    /// Where a run that begins at `position` ends.
    fn advanced(&mut self, position: u32, width: u32, is_black: bool) -> Option<u32> {
        let mut end = position;
        loop {
            let length = match is_black {
                true => black::decode(&mut self.bits.0)?,
                false => white::decode(&mut self.bits.0)?,
            };
            end = end.checked_add(length.into()).filter(|&end| end <= width)?;
            // Long runs are made of multiples of 64 and a rest.
            if length < 64 {
                return Some(end);
            }
        }
    }
}

/// Bits of bytes, the highest first.
struct Bits<'a>(ByteReader<Padded<'a>>);

/// Bytes, and some zeros after them: the tables look further than the last code reaches.
type Padded<'a> = Box<dyn Iterator<Item = Result<u8, Infallible>> + 'a>;

/// More bits than the longest code has.
const PADDING: usize = 4;

impl<'a> Bits<'a> {
    fn new(data: &'a [u8]) -> Self {
        let padded = data
            .iter()
            .copied()
            .chain(std::iter::repeat_n(0, PADDING))
            .map(Ok);
        let Ok(reader) = ByteReader::new(Box::new(padded) as Padded<'a>);
        Self(reader)
    }

    fn peek(&self, count: u8) -> Option<u16> {
        self.0.peek(count)
    }

    fn take(&mut self, count: u8) -> Option<u16> {
        let bits = self.0.peek(count)?;
        let Ok(()) = self.0.consume(count);
        Some(bits)
    }

    /// Goes on to a multiple of 8 or 16 bits from the beginning.
    fn align(&mut self, to: u8) {
        let left = self.0.bits_to_byte_boundary();
        let Ok(()) = self.0.consume(left);
        // Only lines without ends are aligned to words, and for them the word's other byte is empty.
        if to == 16 && self.0.peek(8) == Some(0) {
            let Ok(()) = self.0.consume(8);
        }
    }

    /// Passes over ends of lines, and over the fill bits before them; says how many there were.
    fn skip_line_ends(&mut self, is_mixed: bool) -> usize {
        let mut ends = 0;
        while self.0.peek(11) == Some(0) {
            while self.0.peek(1) == Some(0) {
                let Ok(()) = self.0.consume(1);
            }
            if self.take(1).is_none() {
                return ends;
            }
            ends += 1;
            // Of several ends, each has its bit that says how the next line is encoded.
            if is_mixed && self.0.peek(12) == Some(0x800) {
                let Ok(()) = self.0.consume(1);
            }
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_data_give_lines_or_nothing() {
        for scheme in [
            Scheme::Bytes,
            Scheme::Words,
            Scheme::Group3 { is_mixed: false },
            Scheme::Group3 { is_mixed: true },
            Scheme::Group4,
        ] {
            for byte in [0, 0x35, 0x80, 0xff] {
                if let Some(bits) = decode(&[byte; 40], 17, 3, scheme) {
                    assert_eq!(bits.len(), 9);
                }
            }
            assert_eq!(decode(&[], 0, 3, scheme).map(|bits| bits.len()), Some(0));
        }
    }

    #[test]
    fn a_line_is_its_runs() {
        // White 2 (0111), black 3 (10), white 3 (1000).
        let data = [0b0111_1010, 0b0000_0000];
        assert_eq!(decode(&data, 8, 1, Scheme::Bytes), Some(vec![0b0011_1000]));
        // Group 4: horizontal (001), white 2, black 3, then the change at the end (V0).
        let data = [0b0010_1111, 0b0100_0000];
        assert_eq!(decode(&data, 8, 1, Scheme::Group4), Some(vec![0b0011_1000]));
    }
}

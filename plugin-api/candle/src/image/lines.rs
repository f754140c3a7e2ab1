//! The lines of a picture, made narrower or wider.
//!
//! What is next to each other in a line lies next to each other in memory, so a processor that computes many bytes at once
//! could only add up pixels of one line by moving them about. Some lines at a time are therefore turned: what they have in
//! the same place then lies side by side, and gets the same weight.

use super::windows::{CHANNELS, LANES, Windows, weighted_sums};
use std::ops::Range;

/// The side of the squares of bytes that are turned.
const SIDE: usize = 8;

/// So many squares are turned at once.
const SQUARES: usize = 8;

/// The bytes of a line that are turned at once.
const TILE: usize = SIDE * SQUARES;

/// The lines of a picture, of which as many as are needed at a time are kept with their new width.
pub(super) struct Lines<'a> {
    pixels: &'a [u8],
    size: [usize; 2],
    across: &'a Windows,
    /// The columns that are needed.
    columns: Range<usize>,
    /// Some lines, as they are.
    upright: Vec<u8>,
    /// The same, turned.
    turned: Vec<[u8; LANES]>,
    /// What they become, turned.
    narrowed: Vec<[u8; LANES]>,
    /// What was made last, line by line; a line's place is its number modulo the count of them.
    kept: Vec<[u8; LANES]>,
    count: usize,
    /// The line that is made next.
    next: usize,
}

impl<'a> Lines<'a> {
    /// The lines of a picture of `[height, width]`; `down` says which of them are needed at a time.
    pub(super) fn new(pixels: &'a [u8], size: [usize; 2], across: &'a Windows, down: &Windows) -> Self {
        let columns = across.reach();
        let length = (columns.len() * CHANNELS).next_multiple_of(TILE);
        let narrow = (across.count() * CHANNELS).next_multiple_of(TILE);
        // Those of one window, and those that come together with its last one.
        let count = down.length() + LANES - 1;
        Self {
            pixels,
            size,
            across,
            columns,
            upright: vec![0; length * LANES],
            turned: vec![[0; LANES]; length],
            narrowed: vec![[0; LANES]; narrow],
            kept: vec![[0; LANES]; narrow / LANES * count],
            count,
            next: down.reach().start,
        }
    }

    /// Makes lines up to `end`. It grows from call to call, and what lies more than a window before it is given up.
    pub(super) fn narrow_to(&mut self, end: usize) {
        while self.next < end {
            self.turn();
            let start = self.columns.start;
            let (pixels, targets) = (
                self.turned.as_chunks::<CHANNELS>().0,
                self.narrowed.as_chunks_mut::<CHANNELS>().0,
            );
            for ((first, weights), target) in self.across.iter().zip(targets) {
                let window = &pixels[first - start..][..weights.len()];
                *target = weighted_sums(window.iter(), weights);
            }
            self.turn_back();
            self.next += LANES;
        }
    }

    /// A line that was made.
    pub(super) fn line(&self, number: usize) -> &[[u8; LANES]] {
        let length = self.kept.len() / self.count;
        &self.kept[number % self.count * length..][..length]
    }

    /// Turns the next lines; the last one stands for those that the picture does not have.
    fn turn(&mut self) {
        let [height, width] = self.size;
        let length = self.turned.len();
        let bytes = self.columns.start * CHANNELS..self.columns.end * CHANNELS;
        for (line, target) in self.upright.chunks_exact_mut(length).enumerate() {
            let number = (self.next + line).min(height - 1);
            let line = &self.pixels[number * width * CHANNELS..][bytes.clone()];
            target[..line.len()].copy_from_slice(line);
        }
        for (half, lines) in self.upright.chunks_exact(length * SIDE).enumerate() {
            for (index, target) in self.turned.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
                let mut tile = [[0; SQUARES]; SIDE];
                for (row, line) in tile.iter_mut().zip(lines.chunks_exact(length)) {
                    let words = line[index * TILE..][..TILE].as_chunks().0;
                    for (word, bytes) in row.iter_mut().zip(words) {
                        *word = u64::from_le_bytes(*bytes);
                    }
                }
                transpose(&mut tile);
                for (place, target) in target.iter_mut().enumerate() {
                    let bytes = tile[place % SIDE][place / SIDE].to_le_bytes();
                    target[half * SIDE..][..SIDE].copy_from_slice(&bytes);
                }
            }
        }
    }

    /// Turns what was made of the lines back, and keeps it.
    fn turn_back(&mut self) {
        let length = self.narrowed.len();
        let kept = self.kept.as_flattened_mut();
        for half in 0..LANES / SIDE {
            for (index, source) in self.narrowed.as_chunks::<TILE>().0.iter().enumerate() {
                let mut tile = [[0; SQUARES]; SIDE];
                for (place, source) in source.iter().enumerate() {
                    let mut bytes = [0; SIDE];
                    bytes.copy_from_slice(&source[half * SIDE..][..SIDE]);
                    tile[place % SIDE][place / SIDE] = u64::from_le_bytes(bytes);
                }
                transpose(&mut tile);
                for (line, row) in tile.iter().enumerate() {
                    let place = (self.next + half * SIDE + line) % self.count;
                    let target = &mut kept[place * length + index * TILE..][..TILE];
                    for (bytes, word) in target.as_chunks_mut().0.iter_mut().zip(row) {
                        *bytes = word.to_le_bytes();
                    }
                }
            }
        }
    }
}

/// Transposes squares of 8 x 8 bytes that stand side by side; a row of one is a number, its first byte the lowest one.
#[inline(never)]
fn transpose(tile: &mut [[u64; SQUARES]; SIDE]) {
    const STEPS: [(usize, u64); 3] = [
        (4, 0x0000_0000_ffff_ffff),
        (2, 0x0000_ffff_0000_ffff),
        (1, 0x00ff_00ff_00ff_00ff),
    ];
    for (distance, low) in STEPS {
        let bits = distance * 8;
        for row in (0..SIDE).filter(|row| row & distance == 0) {
            let (upper, lower) = tile.split_at_mut(row + distance);
            for (upper, lower) in upper[row].iter_mut().zip(&mut lower[0]) {
                let exchanged = ((*upper >> bits) ^ *lower) & low;
                *lower ^= exchanged;
                *upper ^= exchanged << bits;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_square_has_its_columns_as_rows() {
        let byte = |row: usize, square: usize, column: usize| (row * 64 + square * 8 + column) as u8;
        let number = |bytes: [u8; SIDE]| u64::from_le_bytes(bytes);
        let mut tile = [[0; SQUARES]; SIDE];
        for (row, numbers) in tile.iter_mut().enumerate() {
            for (square, bytes) in numbers.iter_mut().enumerate() {
                *bytes = number(std::array::from_fn(|column| byte(row, square, column)));
            }
        }
        transpose(&mut tile);
        for (column, numbers) in tile.iter().enumerate() {
            for (square, bytes) in numbers.iter().enumerate() {
                assert_eq!(
                    *bytes,
                    number(std::array::from_fn(|row| byte(row, square, column)))
                );
            }
        }
    }
}

//! Pillow's resizing, exactly: the same fixed-point weights, the same order of passes, the same rounding between them.
//!
//! A classifier's confidence moves by a percent or two where single bytes differ by one, so "nearly Pillow" is not
//! enough to reproduce what a model gives in Python. The algorithm is that of Pillow's `Image.resize` (its
//! `ImagingResample`): a separable filter, widened when it reduces, with weights of 22 fractional bits.

use super::{
    filter::Filter,
    lines::Lines,
    windows::{CHANNELS, LANES, Windows, weighted_sums},
};
use std::{array, ops::Range};

/// A part of a resized picture. What is beside it is not computed.
pub(super) struct Part {
    /// `[height, width]` of the resized picture.
    pub(super) size: [usize; 2],
    /// Which of its rows, one at least.
    pub(super) rows: Range<usize>,
    /// Which of its columns, one at least.
    pub(super) columns: Range<usize>,
}

/// Resizes pixels of three bytes from `[height, width]`, lines first, then columns, and gives the pixels of a part.
pub(super) fn resample(pixels: &[u8], from: [usize; 2], part: &Part, filter: Filter) -> Vec<u8> {
    let across = Windows::new(from[1], part.size[1], part.columns.clone(), filter);
    let down = Windows::new(from[0], part.size[0], part.rows.clone(), filter);
    let mut lines = Lines::new(pixels, from, &across, &down);
    let mut output = vec![0; part.rows.len() * part.columns.len() * CHANNELS];
    let rows = output.chunks_exact_mut(part.columns.len() * CHANNELS);
    for ((first, weights), row) in down.iter().zip(rows) {
        let needed = first..first + weights.len();
        lines.narrow_to(needed.end);
        let inputs: Vec<&[[u8; LANES]]> = needed.map(|number| lines.line(number)).collect();
        for (index, target) in row.chunks_mut(LANES).enumerate() {
            let [bytes] = weighted_sums(inputs.iter().map(|input| array::from_ref(&input[index])), weights);
            target.copy_from_slice(&bytes[..target.len()]);
        }
    }
    output
}

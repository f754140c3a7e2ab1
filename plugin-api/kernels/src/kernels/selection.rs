//! The largest tokens and features.

use super::rearrange::take_tokens;
use crate::{
    memory::{Region, View, ViewMut},
    simd::LANES,
};

/// Copies the tokens for which `scores` has the largest channels, the largest first; as many as the result has. Of two
/// that are equal the first one comes first. The region is the whole result.
pub(crate) fn top_tokens(x: View, scores: View, y: ViewMut) {
    let mut order: Vec<(f32, usize)> = largest_channels(scores).into_iter().zip(0..).collect();
    let count = y.layout().width;
    let before =
        |left: &(f32, usize), right: &(f32, usize)| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1));
    if count < order.len() {
        order.select_nth_unstable_by(count - 1, before);
        order.truncate(count);
    }
    order.sort_unstable_by(before);
    let indices: Vec<usize> = order.into_iter().map(|(_, index)| index).collect();
    take_tokens(x, &indices, y);
}

/// The largest channel of each token.
fn largest_channels(x: View) -> Vec<f32> {
    let layout = *x.layout();
    let mut largest = vec![f32::NEG_INFINITY; layout.width];
    for block in 0..layout.blocks() {
        let channels = LANES.min(layout.channels - block * LANES);
        for (largest, pixel) in largest.iter_mut().zip(x.row(block, 0)) {
            *largest = pixel[..channels].iter().copied().fold(*largest, f32::max);
        }
    }
    largest
}

/// Copies the largest channels of each position, the largest first; as many as the result has. The region has all
/// blocks.
pub(crate) fn top_channels(x: View, mut y: ViewMut) {
    let Region { rows, columns, .. } = y.region().clone();
    let (channels, count) = (x.layout().channels, y.layout().channels);
    let mut values = vec![0.0; channels];
    for row in rows {
        for column in columns.clone() {
            for (block, values) in values.chunks_mut(LANES).enumerate() {
                values.copy_from_slice(&x.row(block, row)[column][..values.len()]);
            }
            values.sort_unstable_by(|left, right| right.total_cmp(left));
            for (block, values) in values[..count].chunks(LANES).enumerate() {
                let target = &mut y.pixels(block, row, column..column + 1)[0];
                target.fill(0.0);
                target[..values.len()].copy_from_slice(values);
            }
        }
    }
}

//! Moving values between the blocked layout and dense ones, and between channels.

use std::ops::Range;

use crate::memory::{View, ViewMut};
use crate::simd::LANES;

/// A dense plane-by-plane value `[channels][height][width]` with a border of zeros, from which a first
/// convolution reads directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planar {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Zeros above, below, at the left and at the right.
    pub(crate) border: crate::memory::Halo,
}

impl Planar {
    pub(crate) fn row(&self) -> usize {
        self.border.left + self.width + self.border.right
    }

    pub(crate) fn plane(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.row()
    }

    /// Length of one image.
    pub(crate) fn image(&self) -> usize {
        self.channels * self.plane()
    }

    /// Copies one channel of a dense image, with zeros around it; `to` is the channel's plane.
    pub(crate) fn fill_plane(&self, from: &[f32], to: &mut [f32]) {
        let (row, border) = (self.row(), self.border);
        to[..border.top * row].fill(0.0);
        for (y, from) in from.chunks_exact(self.width).enumerate() {
            let to = &mut to[(border.top + y) * row..][..row];
            to[..border.left].fill(0.0);
            to[border.left..border.left + self.width].copy_from_slice(from);
            to[border.left + self.width..].fill(0.0);
        }
        to[(border.top + self.height) * row..].fill(0.0);
    }
}

/// Copies one block of a dense value into the blocked layout. Maps are `[channels][height][width]`; with
/// `channels_last` the value is `[positions][channels]`.
pub(crate) fn import(from: &[f32], channels_last: bool, block: usize, mut to: ViewMut) {
    let layout = *to.layout();
    let positions = layout.height * layout.width;
    let first = block * LANES;
    let lanes = LANES.min(layout.channels - first);
    for y in 0..layout.height {
        let row = to.row(block, y);
        if channels_last {
            for (x, pixel) in row.iter_mut().enumerate() {
                let start = (y * layout.width + x) * layout.channels + first;
                pixel[..lanes].copy_from_slice(&from[start..start + lanes]);
                pixel[lanes..].fill(0.0);
            }
        } else {
            for lane in 0..LANES {
                if lane < lanes {
                    let source = &from[(first + lane) * positions + y * layout.width..][..layout.width];
                    row.iter_mut()
                        .zip(source)
                        .for_each(|(pixel, &value)| pixel[lane] = value);
                } else {
                    row.iter_mut().for_each(|pixel| pixel[lane] = 0.0);
                }
            }
        }
    }
}

/// Copies a value as a dense one: the channels of one block. The inverse of [`import`].
///
/// # Safety
/// `to` is valid for writes of the value's elements, and nobody else uses this block's part of it now.
pub(crate) unsafe fn export(from: View, block: usize, channels_last: bool, to: *mut f32) {
    let layout = *from.layout();
    let positions = layout.height * layout.width;
    let first = block * LANES;
    let lanes = LANES.min(layout.channels - first);
    for y in 0..layout.height {
        let row = from.row(block, y);
        if channels_last {
            for (x, pixel) in row.iter().enumerate() {
                let start = (y * layout.width + x) * layout.channels + first;
                // SAFETY: position and channel are inside of the value; the caller's promise.
                unsafe { std::slice::from_raw_parts_mut(to.add(start), lanes) }
                    .copy_from_slice(&pixel[..lanes]);
            }
        } else {
            for lane in 0..lanes {
                let start = (first + lane) * positions + y * layout.width;
                // SAFETY: as above.
                let target = unsafe { std::slice::from_raw_parts_mut(to.add(start), layout.width) };
                target
                    .iter_mut()
                    .zip(row)
                    .for_each(|(value, pixel)| *value = pixel[lane]);
            }
        }
    }
}

/// Copies channels one by one: channel `c` of `channels` of the result is channel `source(c)` of the input.
/// Where blocks do not line up this is slower than [`Elementwise::Copy`](super::elementwise::Elementwise::Copy).
pub(crate) fn copy_channels(
    x: View,
    channels: Range<usize>,
    source: impl Fn(usize) -> usize,
    y: &mut ViewMut,
) {
    for channel in channels {
        let from = source(channel);
        for row in 0..x.layout().height {
            let source = x.row(from / LANES, row);
            for (target, pixel) in y.row(channel / LANES, row).iter_mut().zip(source) {
                target[channel % LANES] = pixel[from % LANES];
            }
        }
    }
}

/// Writes zeros to the lanes of the last block that are not channels: every lane that a kernel may multiply with
/// a weight of zero has to hold a number.
pub(crate) fn clear_unused_lanes(y: &mut ViewMut) {
    let layout = *y.layout();
    let used = layout.channels - (layout.blocks() - 1) * LANES;
    if used < LANES {
        for row in 0..layout.height {
            y.row(layout.blocks() - 1, row)
                .iter_mut()
                .for_each(|pixel| pixel[used..].fill(0.0));
        }
    }
}

/// Copies positions in row-major order between values of other heights and widths: tokens from the pixels of a
/// map and back, or into a part of a longer sequence. `x_start` and `y_start` are the first positions.
pub(crate) fn copy_positions(
    x: View,
    x_start: usize,
    mut y: ViewMut,
    y_start: usize,
    count: usize,
    blocks: Range<usize>,
) {
    let (x_width, y_width) = (x.layout().width, y.layout().width);
    for block in blocks {
        let mut done = 0;
        while done < count {
            let (from, to) = (x_start + done, y_start + done);
            let (x_at, y_at) = (from % x_width, to % y_width);
            let length = (count - done).min(x_width - x_at).min(y_width - y_at);
            y.row(block, to / y_width)[y_at..y_at + length]
                .copy_from_slice(&x.row(block, from / x_width)[x_at..x_at + length]);
            done += length;
        }
    }
}

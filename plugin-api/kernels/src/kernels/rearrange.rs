//! Moving values between the blocked layout and dense ones, and between channels.

use crate::{
    memory::{Element, Halo, Region, SharedMut, View, ViewMut},
    simd::LANES,
};

/// A dense plane-by-plane value `[channels][height][width]` with a border of zeros, from which a first
/// convolution reads directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planar {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Zeros above, below, at the left and at the right.
    pub(crate) border: Halo,
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

/// Copies blocks of a dense value into the blocked layout: those of a region, which has all pixels. Maps are
/// `[channels][height][width]`; with `channels_last` the value is `[positions][channels]`.
pub(crate) fn import(from: &[f32], channels_last: bool, mut to: ViewMut) {
    for block in to.region().blocks.clone() {
        import_block(from, channels_last, block, &mut to);
    }
}

fn import_block(from: &[f32], channels_last: bool, block: usize, to: &mut ViewMut) {
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
/// Nobody else reads or writes this block's part of `to` meanwhile.
pub(crate) unsafe fn export(from: View, block: usize, channels_last: bool, to: SharedMut) {
    let layout = *from.layout();
    let positions = layout.height * layout.width;
    let first = block * LANES;
    let lanes = LANES.min(layout.channels - first);
    for y in 0..layout.height {
        let row = from.row(block, y);
        if channels_last {
            for (x, pixel) in row.iter().enumerate() {
                let start = (y * layout.width + x) * layout.channels + first;
                // SAFETY: the caller's promise.
                unsafe { to.part(start, lanes).slice_mut() }.copy_from_slice(&pixel[..lanes]);
            }
        } else {
            for lane in 0..lanes {
                let start = (first + lane) * positions + y * layout.width;
                // SAFETY: as above.
                let target = unsafe { to.part(start, layout.width).slice_mut() };
                target
                    .iter_mut()
                    .zip(row)
                    .for_each(|(value, pixel)| *value = pixel[lane]);
            }
        }
    }
}

/// Copies channels one by one: channel `c` of the result, from `first` on, is channel `source(c)` of the input.
/// Where blocks do not line up this is slower than [`Elementwise::Copy`](super::elementwise::Elementwise::Copy).
pub(crate) fn copy_channels(x: View, first: usize, source: impl Fn(usize) -> usize, y: &mut ViewMut) {
    for channel in first..y.layout().channels {
        let from = source(channel);
        for row in 0..x.layout().height {
            let source = x.row(from / LANES, row);
            for (target, pixel) in y.row(channel / LANES, row).iter_mut().zip(source) {
                target[channel % LANES] = pixel[from % LANES];
            }
        }
    }
    clear_unused_lanes(y);
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
/// map and back, or into a part of a longer sequence. `x_start` and `y_start` are the first positions, and the blocks
/// are those of the region.
///
/// # Panics
/// Where one of them is kept as something else than the other.
pub(crate) fn copy_positions(x: View, x_start: usize, mut y: ViewMut, y_start: usize, count: usize) {
    assert_eq!(x.layout().element, y.layout().element);
    let pixel = x.layout().pixel();
    let (x_width, y_width) = (x.layout().width, y.layout().width);
    let Region { blocks, .. } = y.region().clone();
    for block in blocks {
        let mut done = 0;
        while done < count {
            let (from, to) = (x_start + done, y_start + done);
            let (x_at, y_at) = (from % x_width, to % y_width);
            let length = (count - done).min(x_width - x_at).min(y_width - y_at);
            y.stored(block, to / y_width, y_at..y_at + length)
                .copy_from_slice(&x.stored(block, from / x_width)[x_at * pixel..][..length * pixel]);
            done += length;
        }
    }
}

/// Copies tokens by their indices: token `i` of the result is token `indices[i]` of the input.
///
/// # Panics
/// Where one of them is kept as something else than the other.
pub(crate) fn take_tokens(x: View, indices: &[usize], mut y: ViewMut) {
    fn copy<const PIXEL: usize>(from: &[f32], indices: &[usize], to: &mut [f32]) {
        let (from, to) = (from.as_chunks::<PIXEL>().0, to.as_chunks_mut::<PIXEL>().0);
        for (to, &index) in to.iter_mut().zip(indices) {
            *to = from[index];
        }
    }
    assert_eq!(x.layout().element, y.layout().element);
    let copy = match x.layout().element {
        Element::Float => copy::<LANES>,
        Element::Bf16 => copy::<{ LANES / 2 }>,
        Element::Byte { .. } => copy::<{ LANES / 4 }>,
    };
    let Region { blocks, .. } = y.region().clone();
    for block in blocks {
        copy(x.stored(block, 0), indices, y.stored(block, 0, 0..indices.len()));
    }
}

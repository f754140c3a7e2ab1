//! What is around a map where a window reaches beyond it.

/// Rows and columns added around a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns at the left.
    pub left: usize,
    /// Columns at the right.
    pub right: usize,
}

impl Padding {
    /// The same on every side, as torch pads.
    pub const fn all(size: usize) -> Self {
        Self {
            top: size,
            bottom: size,
            left: size,
            right: size,
        }
    }

    /// TensorFlow's `SAME`: as many zeros around a map of `[height, width]` as make the result as large as the map divided
    /// by the stride, rounded up; of an odd number the last one is at the bottom and at the right.
    pub fn same(size: [usize; 2], kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2]) -> Self {
        let [rows, columns] = [0, 1].map(|axis| {
            let windows = size[axis].div_ceil(stride[axis].max(1));
            let last = windows.saturating_sub(1).saturating_mul(stride[axis]);
            let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]);
            last.saturating_add(reach)
                .saturating_add(1)
                .saturating_sub(size[axis])
        });
        Self {
            top: rows / 2,
            bottom: rows - rows / 2,
            left: columns / 2,
            right: columns - columns / 2,
        }
    }
}

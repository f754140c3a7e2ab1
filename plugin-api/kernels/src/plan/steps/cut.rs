//! How work is cut into parts.

use crate::memory::Layout;
use std::ops::Range;

/// One of so many near-equal parts of `count` items.
pub(crate) fn part_of(count: usize, parts: usize, part: usize) -> Range<usize> {
    count * part / parts..count * (part + 1) / parts
}

/// How many parts a value's `units` (blocks, rows or positions) are cut into such that a part is worth a task, where a
/// vector takes `cost` times as long as reading, adding and writing one.
pub(super) fn plane_parts(units: usize, layout: &Layout, cost: usize, threads: usize) -> usize {
    /// Vectors that are worth the wait for a thread: some microseconds. Miri's small values are to be shared as well.
    const WORTH: usize = if cfg!(miri) { 4 } else { 4096 };
    if threads == 1 {
        return 1;
    }
    let vectors = layout.blocks() * layout.height * layout.width;
    (vectors * cost / WORTH).clamp(1, units).min(4 * threads)
}

/// Images and parts of a step whose tasks are parts of images: `(image, part)` of a task.
pub(super) fn split_task(task: usize, parts: usize) -> (usize, usize) {
    (task / parts, task % parts)
}

//! Values of one image in the blocked layout, as the kernels read and write them.

use super::{Element, Layout, SharedMut};
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// A value that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// As long as the layout says.
    values: &'a [f32],
    layout: Layout,
}

/// A value that tasks write at once, each a region of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// As long as the layout says.
    values: SharedMut<'a>,
    layout: Layout,
}

/// Some pixels of some blocks of a value, the halo not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) blocks: Range<usize>,
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}

/// A region that is written by nobody else.
#[derive(Debug)]
pub(crate) struct ViewMut<'a> {
    target: Target<'a>,
    /// Inside of the target.
    region: Region,
}

impl Region {
    /// All pixels of a value.
    pub(crate) fn whole(layout: &Layout) -> Self {
        Self {
            blocks: 0..layout.blocks(),
            rows: 0..layout.height,
            columns: 0..layout.width,
        }
    }

    fn is_inside(&self, layout: &Layout) -> bool {
        let is_inside = |range: &Range<usize>, end| range.start <= range.end && range.end <= end;
        is_inside(&self.blocks, layout.blocks())
            && is_inside(&self.rows, layout.height)
            && is_inside(&self.columns, layout.width)
    }
}

impl<'a> View<'a> {
    /// # Panics
    /// Where the layout needs more values.
    #[inline(always)]
    pub(crate) fn new(values: &'a [f32], layout: Layout) -> Self {
        let values = &values[..layout.image()];
        Self { values, layout }
    }

    #[inline(always)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All values, the halo included.
    #[inline(always)]
    pub(crate) fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The pixels of a row, without the halo.
    ///
    /// # Panics
    /// Where there is no such row, or the values are bytes.
    #[inline(always)]
    pub(crate) fn row(&self, block: usize, y: usize) -> &'a [[f32; LANES]] {
        assert!(self.layout.element == Element::Float, "others are read as `f32`");
        let start = self.row_start(block, y);
        // SAFETY: the row is inside of the layout, whose values are there; an array has the alignment of its items.
        unsafe { std::slice::from_raw_parts(self.values.as_ptr().add(start).cast(), self.layout.width) }
    }

    /// The pixels of a row of bytes, without the halo.
    ///
    /// # Panics
    /// Where there is no such row, or the values are no bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self, block: usize, y: usize) -> &'a [[u8; LANES]] {
        let is_bytes = matches!(self.layout.element, Element::Byte { .. });
        assert!(is_bytes, "others are read as bytes");
        let start = self.row_start(block, y);
        // SAFETY: as above; bytes have no alignment, and 16 of them the place of a pixel.
        unsafe { std::slice::from_raw_parts(self.values.as_ptr().add(start).cast(), self.layout.width) }
    }

    /// The pixels of a row of bf16, without the halo.
    ///
    /// # Panics
    /// Where there is no such row, or the values are no bf16.
    #[inline(always)]
    pub(crate) fn bf16(&self, block: usize, y: usize) -> &'a [[u16; LANES]] {
        assert!(self.layout.element == Element::Bf16, "others are read as bf16");
        let start = self.row_start(block, y);
        // SAFETY: as above; bf16 need less alignment than `f32`, and 16 of them have the place of a pixel.
        unsafe { std::slice::from_raw_parts(self.values.as_ptr().add(start).cast(), self.layout.width) }
    }

    /// The pixels of a row of numbers, whether they are kept as `f32` or as bf16.
    ///
    /// # Panics
    /// Where there is no such row, or the values are bytes.
    #[inline(always)]
    pub(crate) fn numbers(&self, block: usize, y: usize) -> Numbers<'a> {
        if self.layout.element == Element::Bf16 {
            Numbers::Bf16(self.bf16(block, y))
        } else {
            Numbers::Float(self.row(block, y))
        }
    }

    /// The pixels of a row as they are stored, whatever they are: each has the place of [`Layout::pixel`] values.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline(always)]
    pub(crate) fn stored(&self, block: usize, y: usize) -> &'a [f32] {
        &self.values[self.row_start(block, y)..][..self.layout.width * self.layout.pixel()]
    }

    #[inline(always)]
    fn row_start(&self, block: usize, y: usize) -> usize {
        assert!(block < self.layout.blocks() && y < self.layout.height);
        self.layout.at(block, y, 0)
    }
}

impl<'a> Target<'a> {
    /// # Panics
    /// Where the layout needs more values.
    #[inline(always)]
    pub(crate) fn new(values: SharedMut<'a>, layout: Layout) -> Self {
        let values = values.part(0, layout.image());
        Self { values, layout }
    }

    /// All values, the halo included.
    pub(crate) fn values(&self) -> SharedMut<'a> {
        self.values
    }

    /// A region to write.
    ///
    /// # Safety
    /// Nobody else reads or writes the region as long as the view lives.
    ///
    /// # Panics
    /// Where the region is not inside of the value.
    #[inline(always)]
    pub(crate) unsafe fn region(self, region: Region) -> ViewMut<'a> {
        assert!(region.is_inside(&self.layout), "a region is outside of its value");
        ViewMut { target: self, region }
    }

    /// Writes what stands for 0 around the planes of all blocks.
    ///
    /// # Safety
    /// Nobody else reads or writes the halo meanwhile.
    pub(crate) unsafe fn clear_halo(self) {
        let Layout {
            height, width, halo, ..
        } = self.layout;
        let (row, pixel, nothing) = (self.layout.row(), self.layout.pixel(), self.layout.nothing());
        let zero = |start: usize, length: usize| {
            // SAFETY: the caller's promise.
            unsafe { self.values.part(start, length).slice_mut() }.fill(nothing);
        };
        for block in 0..self.layout.blocks() {
            let plane = block * self.layout.block();
            zero(plane, halo.top * row);
            zero(plane + (halo.top + height) * row, halo.bottom * row);
            if halo.left + halo.right > 0 {
                for y in halo.top..halo.top + height {
                    zero(plane + y * row, halo.left * pixel);
                    zero(plane + y * row + (halo.left + width) * pixel, halo.right * pixel);
                }
            }
        }
    }
}

/// Pixels to read numbers from.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    Float(&'a [[f32; LANES]]),
    Bf16(&'a [[u16; LANES]]),
}

impl Numbers<'_> {
    /// Reads 16 channels of a pixel.
    ///
    /// # Panics
    /// Where there is no such pixel.
    #[inline(always)]
    pub(crate) fn load<S: Simd>(&self, simd: S, pixel: usize) -> S::Vector {
        match self {
            Self::Float(pixels) => simd.load(&pixels[pixel]),
            Self::Bf16(pixels) => simd.load_bf16(&pixels[pixel]),
        }
    }
}

/// Pixels to write numbers to.
pub(crate) enum NumbersMut<'a> {
    Float(&'a mut [[f32; LANES]]),
    Bf16(&'a mut [[u16; LANES]]),
}

impl NumbersMut<'_> {
    /// Writes 16 channels of a pixel.
    ///
    /// # Panics
    /// Where there is no such pixel.
    #[inline(always)]
    pub(crate) fn store<S: Simd>(&mut self, simd: S, pixel: usize, value: S::Vector) {
        match self {
            Self::Float(pixels) => simd.store(&mut pixels[pixel], value),
            Self::Bf16(pixels) => simd.store_bf16(&mut pixels[pixel], value),
        }
    }
}

impl ViewMut<'_> {
    #[inline(always)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.target.layout
    }

    /// What may be written.
    #[inline(always)]
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// The pixels of a whole row, without the halo.
    ///
    /// # Panics
    /// Where it is not inside of the region.
    #[inline(always)]
    pub(crate) fn row(&mut self, block: usize, y: usize) -> &mut [[f32; LANES]] {
        self.pixels(block, y, 0..self.target.layout.width)
    }

    /// Some pixels of a row.
    ///
    /// # Panics
    /// Where they are not inside of the region.
    #[inline(always)]
    pub(crate) fn pixels(&mut self, block: usize, y: usize, columns: Range<usize>) -> &mut [[f32; LANES]] {
        assert!(
            self.layout().element == Element::Float,
            "others are written as `f32`"
        );
        let start = self.start(block, y, &columns);
        // SAFETY: the pixels are inside of the region, which is inside of the layout, whose values are there, and
        // nobody else has it, see `Target::region`; an array has the alignment of its items.
        unsafe {
            let start = self.target.values.as_ptr().add(start);
            std::slice::from_raw_parts_mut(start.cast(), columns.len())
        }
    }

    /// The pixels of a whole row of bytes, without the halo.
    ///
    /// # Panics
    /// Where it is not inside of the region, or the values are no bytes.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, block: usize, y: usize) -> &mut [[u8; LANES]] {
        let is_bytes = matches!(self.layout().element, Element::Byte { .. });
        assert!(is_bytes, "others are written as bytes");
        let columns = 0..self.layout().width;
        let start = self.start(block, y, &columns);
        // SAFETY: as above; bytes have no alignment, and 16 of them the place of a pixel.
        unsafe {
            let start = self.target.values.as_ptr().add(start);
            std::slice::from_raw_parts_mut(start.cast(), columns.len())
        }
    }

    /// Some pixels of a row as they are stored, as [`View::stored`].
    ///
    /// # Panics
    /// Where they are not inside of the region.
    #[inline(always)]
    pub(crate) fn stored(&mut self, block: usize, y: usize, columns: Range<usize>) -> &mut [f32] {
        let start = self.start(block, y, &columns);
        let length = columns.len() * self.layout().pixel();
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.target.values.as_ptr().add(start), length) }
    }

    /// Some pixels of a row of numbers, whether they are kept as `f32` or as bf16.
    ///
    /// # Panics
    /// Where they are not inside of the region, or the values are bytes.
    #[inline(always)]
    pub(crate) fn numbers(&mut self, block: usize, y: usize, columns: Range<usize>) -> NumbersMut<'_> {
        if self.layout().element == Element::Float {
            return NumbersMut::Float(self.pixels(block, y, columns));
        }
        assert!(
            self.layout().element == Element::Bf16,
            "bytes are written as numbers"
        );
        let start = self.start(block, y, &columns);
        // SAFETY: as above; bf16 need less alignment than `f32`, and 16 of them have the place of a pixel.
        NumbersMut::Bf16(unsafe {
            let start = self.target.values.as_ptr().add(start);
            std::slice::from_raw_parts_mut(start.cast(), columns.len())
        })
    }

    /// Where the first of some pixels is, all of which are inside of the region.
    #[inline(always)]
    fn start(&self, block: usize, y: usize, columns: &Range<usize>) -> usize {
        let region = &self.region;
        assert!(region.blocks.contains(&block) && region.rows.contains(&y));
        assert!(region.columns.start <= columns.start && columns.start <= columns.end);
        assert!(columns.end <= region.columns.end);
        self.target.layout.at(block, y, columns.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::Shape, memory::Halo};

    fn layout() -> Layout {
        let halo = Halo {
            top: 1,
            bottom: 2,
            left: 3,
            right: 1,
        };
        Layout::new(Shape::map(20, 3, 4), halo)
    }

    #[test]
    fn pixels_and_halo_are_all_of_a_value() {
        let layout = layout();
        let mut values = vec![f32::NAN; layout.image()];
        let target = Target::new(SharedMut::new(&mut values), layout);
        // SAFETY: nobody else has it.
        let mut view = unsafe { target.region(Region::whole(&layout)) };
        for (block, y) in [0, 1].into_iter().flat_map(|block| [0, 1, 2].map(|y| (block, y))) {
            let row = view.row(block, y);
            assert_eq!(row.len(), 4);
            row.fill([(10 * block + y) as f32 + 1.0; LANES]);
        }
        // SAFETY: as above.
        unsafe { target.clear_halo() };
        let view = View::new(&values, layout);
        assert_eq!(view.row(1, 2), [[13.0; LANES]; 4]);
        // A plane of each block is 6 rows of 8 pixels, and one that only keeps the blocks apart.
        let padding = values.iter().filter(|value| value.is_nan()).count();
        assert_eq!(padding, 2 * LANES);
        let zeros = values.iter().filter(|&&value| value == 0.0).count();
        assert_eq!(zeros, 2 * (6 * 8 - 3 * 4) * LANES);
    }

    fn refused(write: impl Fn(Target)) {
        let layout = layout();
        let mut values = vec![0.0; layout.image()];
        let target = Target::new(SharedMut::new(&mut values), layout);
        let write = std::panic::AssertUnwindSafe(|| write(target));
        assert!(std::panic::catch_unwind(write).is_err());
    }

    #[test]
    fn nothing_beside_a_region_can_be_written() {
        let region = Region {
            blocks: 1..2,
            rows: 1..3,
            columns: 1..3,
        };
        let attempts = [
            (0, 1, 1..2),
            (2, 1, 1..2),
            (1, 0, 1..2),
            (1, 3, 1..2),
            (1, 1, 0..2),
            (1, 1, 2..4),
        ];
        for (block, y, columns) in attempts {
            refused(|target| {
                // SAFETY: nobody else has it.
                unsafe { target.region(region.clone()) }.pixels(block, y, columns.clone());
            });
        }
    }

    #[test]
    fn a_region_outside_of_its_value_is_refused() {
        let whole = Region::whole(&layout());
        let outside = [
            Region {
                blocks: 0..3,
                ..whole.clone()
            },
            Region {
                rows: 3..4,
                ..whole.clone()
            },
            Region {
                columns: 2..5,
                ..whole
            },
        ];
        for region in outside {
            refused(|target| {
                // SAFETY: nobody else has it.
                unsafe { target.region(region.clone()) };
            });
        }
    }

    #[test]
    #[should_panic]
    fn a_view_of_too_few_values_is_refused() {
        let layout = layout();
        View::new(&vec![0.0; layout.image() - 1], layout);
    }
}

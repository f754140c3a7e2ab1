//! Depthwise convolution of bytes and of bf16: pixels above each other are multiplied by twos, and two rows of results are
//! computed together, which see the same pairs.

use super::{
    requantise::Finish,
    row_pairs::{RowPairs, sizes},
    tile::{self, Store, WORD_BIAS, WordEnd, WordResult, Words},
    windows::SlidingWindows,
};
use crate::{
    memory::{AlignedBuffer, Element, Packed, Region, View, ViewMut},
    simd::{Isa, LANES, Simd, WordCompiled, WordRoutine, WordSet, WordSimd, with_words},
};
use std::marker::PhantomData;

/// A depthwise convolution of words ready to run on one layout.
///
/// A pixel that no window sees is multiplied with 0 where it is the other one of a pair, so that results beside one that is
/// infinite may not be numbers.
#[derive(Debug)]
pub(crate) struct WordDepthwise {
    words: Words,
    /// `[blocks][words][16][2]`, see [`RowPairs::words`].
    weights: Packed,
    /// `[blocks][64]`, see [`WORD_BIAS`].
    bias: AlignedBuffer,
    finish: Finish,
    windows: SlidingWindows,
}

impl WordDepthwise {
    /// The most pixels of a window of bytes: sums of integers up to [`largest_weight`](Self::largest_weight) are exact.
    pub(crate) const MOST_TAPS: usize = 1 << 8;

    /// The largest integer that a weight of a window of so many bytes may be.
    pub(crate) const fn largest_weight(taps: usize) -> usize {
        let exact = (1 << f32::MANTISSA_DIGITS) / (255 * taps);
        if exact < i16::MAX as usize {
            exact
        } else {
            i16::MAX as usize
        }
    }

    /// `weights` are `[blocks][words][16][2]`, see [`RowPairs::words`], integers of 16 bits for bytes and else bf16; `bias` is `[blocks][64]`,
    /// see [`WORD_BIAS`].
    ///
    /// # Panics
    /// Where there are not enough of them, or input and result do not fit: a mistake in this crate, found when a plan is
    /// made and not when it runs.
    pub(crate) fn new(
        words: Words,
        windows: SlidingWindows,
        weights: Packed,
        bias: AlignedBuffer,
        finish: Finish,
    ) -> Self {
        let blocks = windows.y().blocks();
        assert_eq!(windows.x().blocks(), blocks);
        assert!(match (words, windows.x().element) {
            (Words::Bytes, Element::Byte { .. }) => windows.taps() <= Self::MOST_TAPS,
            (Words::Bf16, Element::Bf16) => true,
            _ => false,
        });
        assert_eq!(windows.y().element != Element::Float, finish.stores_narrow());
        let steps = windows.steps();
        assert!(weights.len() >= blocks * RowPairs::of(steps).word_count(steps.kernel[1]) * LANES);
        assert!(bias.len() >= blocks * WORD_BIAS);
        Self {
            words,
            weights,
            bias,
            finish,
            windows,
        }
    }

    /// Products in a sum.
    pub(crate) fn terms(&self) -> usize {
        self.windows.taps()
    }

    /// Convolves the rows of a region.
    ///
    /// # Panics
    /// Where a residual is missing, or is of other values or another size.
    pub(crate) fn run(&self, isa: Isa, x: View, residual: Option<View>, y: ViewMut) {
        assert_eq!((x.layout(), y.layout()), (self.windows.x(), self.windows.y()));
        let residual = residual.filter(|_| self.finish.adds_residual());
        assert_eq!(residual.is_some(), self.finish.adds_residual());
        if let Some(residual) = &residual {
            assert_eq!(
                residual.layout().element != Element::Float,
                self.finish.reads_narrow()
            );
            assert_eq!(residual.layout().width, self.windows.y().width);
        }
        let set = self.words.set(isa);
        let call = (self, x, residual, y);
        match sizes(self.windows.steps()) {
            Some([3, 1]) => run_sized::<3, 1>(set, call),
            Some([3, 2]) => run_sized::<3, 2>(set, call),
            Some([5, 1]) => run_sized::<5, 1>(set, call),
            Some([5, 2]) => run_sized::<5, 2>(set, call),
            Some([7, 1]) => run_sized::<7, 1>(set, call),
            _ => run_sized::<0, 0>(set, call),
        }
    }
}

/// What is convolved, its residual where it has one, and where results go.
type Call<'a> = (&'a WordDepthwise, View<'a>, Option<View<'a>>, ViewMut<'a>);

fn run_sized<'a, const KERNEL: usize, const STRIDE: usize>(set: WordSet, call: Call<'a>) {
    with_words!(set, simd => {
        let routine = WordSimd::compiled::<Rows<'a, KERNEL, STRIDE>>(simd);
        // SAFETY: `WordDepthwise::run` has checked that.
        unsafe { routine(call, &()) }
    });
}

/// `KERNEL` rows and columns, and `STRIDE` between windows, see [`sizes`]; 0 where they are known at run time only.
struct Rows<'a, const KERNEL: usize, const STRIDE: usize>(PhantomData<Call<'a>>);

impl<'a, const KERNEL: usize, const STRIDE: usize> WordRoutine for Rows<'a, KERNEL, STRIDE> {
    type Call = Call<'a>;
    type Common = ();

    /// # Safety
    /// Input and result are those of the windows, and a residual's rows are as long as the result's.
    #[inline(always)]
    unsafe fn run<W: WordSimd>(simd: W, (layer, x, residual, mut y): Call<'a>, (): &()) {
        let windows = &layer.windows;
        let pairs = pairs_of::<KERNEL, STRIDE>(layer);
        let (width, height) = (windows.y().width, windows.y().height);
        let rest = simd.compiled::<FinishEach>();
        let length = pairs.word_count(windows.steps().kernel[1]) * LANES;
        let Region { blocks, rows, .. } = y.region().clone();
        for block in blocks {
            let mut first = rows.start / pairs.together * pairs.together;
            while first < rows.end {
                let results = first..(first + pairs.together).min(height);
                let mut band = Band::<KERNEL, STRIDE> {
                    layer,
                    x: x.values()[windows.start(block, first)..].as_ptr(),
                    last_row: pairs.last_row(results.len() - 1),
                    weights: layer.weights[block * length..][..length].as_ptr(),
                    bias: layer.bias[block * WORD_BIAS..][..WORD_BIAS].as_ptr(),
                    residual: [std::ptr::null(); 2],
                    r_step: residual.as_ref().map_or(0, |residual| residual.layout().pixel()),
                    y: [std::ptr::null_mut(); 2],
                    rest,
                };
                for (place, row) in results.enumerate().filter(|(_, row)| rows.contains(row)) {
                    if let Some(residual) = &residual {
                        band.residual[place] = residual.stored(block, row).as_ptr();
                    }
                    band.y[place] = y.stored(block, row, 0..width).as_mut_ptr();
                }
                // SAFETY: the windows of all `width` pixels are inside of the plane, see `SlidingWindows`. Residual and
                // result are as long as a row.
                unsafe { band.run(simd, width) };
                first += pairs.together;
            }
        }
    }
}

#[inline(always)]
fn pairs_of<const KERNEL: usize, const STRIDE: usize>(layer: &WordDepthwise) -> RowPairs {
    if KERNEL == 0 {
        RowPairs::of_one(layer.windows.steps().kernel[0])
    } else {
        const { RowPairs::of_two(if KERNEL == 0 { 1 } else { KERNEL }, STRIDE) }
    }
}

/// One row of results of a block, or two.
#[derive(Clone, Copy)]
struct Band<'a, const KERNEL: usize, const STRIDE: usize> {
    layer: &'a WordDepthwise,
    /// The first window.
    x: *const f32,
    /// The last row of windows that is inside of the plane for sure, counted from the first one's first row.
    last_row: usize,
    weights: *const f32,
    bias: *const f32,
    /// Null where none is added.
    residual: [*const f32; 2],
    r_step: usize,
    /// Null where a row is another task's, or none.
    y: [*mut f32; 2],
    /// What finishes results that need more than bounds.
    rest: WordCompiled<FinishEach>,
}

/// Finishes results of any kind: compiled once, and not for each size.
struct FinishEach;

/// Where some pixels of a row of results go.
struct FinishCall {
    pixels: usize,
    numbers: *const f32,
    finish: Finish,
    bias: *const f32,
    residual: *const f32,
    r_step: usize,
    y: *mut f32,
    y_step: usize,
}

impl WordRoutine for FinishEach {
    type Call = FinishCall;
    type Common = ();

    /// # Safety
    /// The pointers are valid for so many pixels.
    #[inline(always)]
    unsafe fn run<W: WordSimd>(simd: W, call: FinishCall, (): &()) {
        let float = simd.float();
        for pixel in 0..call.pixels {
            let residual = call.residual.wrapping_add(pixel * call.r_step);
            // SAFETY: the caller's promise.
            unsafe {
                let y = call.y.add(pixel * call.y_step);
                let number = float.load_at(call.numbers.add(pixel * LANES));
                call.finish.store(float, number, call.bias, residual, y);
            }
        }
    }
}

/// The most pixels of a row that windows next to each other see.
const MOST_SEEN: usize = 7 + 7;

/// The most pixels of a row that are computed together.
const MOST_PIXELS: usize = 8;

impl<const KERNEL: usize, const STRIDE: usize> Band<'_, KERNEL, STRIDE> {
    /// All pixels of the rows.
    ///
    /// # Safety
    /// The pointers are valid for the windows of `width` pixels and their results.
    #[inline(always)]
    unsafe fn run<W: WordSimd>(self, simd: W, width: usize) {
        // As many sums and pixels as registers hold. Fewer sizes are fewer functions to compile.
        let is_wide = const { W::VECTORS >= 32 && size_of::<W::Pairs>() == size_of::<[f32; LANES]>() };
        // SAFETY: the caller's promise.
        unsafe {
            match (is_wide, STRIDE) {
                (true, 1) if width.is_multiple_of(7) => self.tiles::<W, 7>(simd, width),
                (true, 1) => self.tiles::<W, 8>(simd, width),
                (true, _) => self.tiles::<W, 4>(simd, width),
                (false, _) => self.tiles::<W, 2>(simd, width),
            }
        }
    }

    /// The same, so many at once.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    unsafe fn tiles<W: WordSimd, const PIXELS: usize>(self, simd: W, width: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if width < PIXELS {
                for at in 0..width {
                    self.pixels::<W, 1>(simd, at);
                }
                return;
            }
            for at in (0..width).step_by(PIXELS) {
                // The last ones may be computed twice.
                self.pixels::<W, PIXELS>(simd, at.min(width - PIXELS));
            }
        }
    }

    /// `PIXELS` pixels of each row, from `at` on.
    ///
    /// # Safety
    /// The pointers are valid for these pixels and their windows.
    #[inline(always)]
    unsafe fn pixels<W: WordSimd, const PIXELS: usize>(self, simd: W, at: usize) {
        let pixel = LANES / W::VALUES;
        let pairs = pairs_of::<KERNEL, STRIDE>(self.layer);
        let windows = &self.layer.windows;
        let steps = windows.steps();
        let columns = if KERNEL == 0 { steps.kernel[1] } else { KERNEL };
        let [row_step, column_step] = if KERNEL == 0 { steps.dilation } else { [1; 2] };
        let stride = if KERNEL == 0 { steps.stride[1] } else { STRIDE };
        let line = windows.x().row() * row_step;
        // By name, as sums that a loop chooses among would be kept in memory.
        let mut upper = [simd.zero(); PIXELS];
        let mut lower = [simd.zero(); PIXELS];
        // SAFETY: rows up to the last one, and the windows of these pixels, are inside of the plane; weights are as long as
        // `RowPairs` says.
        unsafe {
            for pair in 0..pairs.count() {
                let rows = [2 * pair, 2 * pair + 1].map(|row| {
                    let row = row.min(self.last_row);
                    self.x.add(row * line + at * stride * pixel)
                });
                let weights = self.weights.add(pair * pairs.together * columns * LANES);
                if KERNEL == 0 {
                    for column in 0..columns {
                        let weights = simd.pair_weights(weights.add(column * LANES));
                        for (index, sum) in upper.iter_mut().enumerate() {
                            let at = (index * stride + column * column_step) * pixel;
                            let pixels = simd.pairs(rows[0].add(at), rows[1].add(at));
                            *sum = simd.add_pair_products(*sum, pixels, weights);
                        }
                    }
                    continue;
                }
                // Each pixel is made a pair once, though several windows see it.
                let mut seen = [simd.pairs(rows[0], rows[1]); MOST_SEEN];
                for (column, seen) in seen[..(PIXELS - 1) * STRIDE + KERNEL]
                    .iter_mut()
                    .enumerate()
                    .skip(1)
                {
                    let at = column * pixel;
                    *seen = simd.pairs(rows[0].add(at), rows[1].add(at));
                }
                if pairs.is_seen(pair, 0) {
                    add_row::<W, PIXELS, KERNEL, STRIDE>(simd, &mut upper, &seen, weights);
                }
                if pairs.is_seen(pair, 1) {
                    let weights = weights.add(KERNEL * LANES);
                    add_row::<W, PIXELS, KERNEL, STRIDE>(simd, &mut lower, &seen, weights);
                }
            }
            if !self.y[0].is_null() {
                self.finish(simd, &upper, 0, at);
            }
            if KERNEL != 0 && !self.y[1].is_null() {
                self.finish(simd, &lower, 1, at);
            }
        }
    }

    /// Stores some pixels of a row of results, given their sums.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    unsafe fn finish<W: WordSimd, const PIXELS: usize>(
        &self,
        simd: W,
        sums: &[W::Sums; PIXELS],
        result: usize,
        at: usize,
    ) {
        let float = simd.float();
        let y_step = self.layer.windows.y().pixel();
        // SAFETY: the caller's promise.
        unsafe {
            let y = self.y[result].add(at * y_step);
            let (factor, summand) = (float.load_at(self.bias), float.load_at(self.bias.add(LANES)));
            let mut values = [summand; PIXELS];
            for (value, &sum) in values.iter_mut().zip(sums) {
                // Two operations, which are the same on every set.
                *value = float.add(float.mul(simd.numbers(sum), factor), summand);
            }
            match self.layer.finish {
                Finish::Bounded(end) if end.result == WordResult::Floats => {
                    store(simd, &values, end, y, y_step, tile::Floats);
                }
                Finish::Bounded(end) if end.result == WordResult::Bytes && W::VALUES == 4 => {
                    store(simd, &values, end, y, y_step, tile::Bytes);
                }
                Finish::Bounded(end) if end.result == WordResult::Bf16 && W::VALUES == 2 => {
                    store(simd, &values, end, y, y_step, tile::Bf16);
                }
                finish => {
                    let mut numbers = [[0.0; LANES]; MOST_PIXELS];
                    for (number, &value) in numbers.iter_mut().zip(&values) {
                        float.store(number, value);
                    }
                    let call = FinishCall {
                        pixels: PIXELS,
                        numbers: numbers.as_ptr().cast(),
                        finish,
                        bias: self.bias,
                        residual: self.residual[result].wrapping_add(at * self.r_step),
                        r_step: self.r_step,
                        y,
                        y_step,
                    };
                    (self.rest)(call, &());
                }
            }
        }
    }
}

/// Adds the products of a pair of rows to the sums of a row of results.
///
/// # Safety
/// Weights of `KERNEL` columns can be read.
#[inline(always)]
unsafe fn add_row<W: WordSimd, const PIXELS: usize, const KERNEL: usize, const STRIDE: usize>(
    simd: W,
    sums: &mut [W::Sums; PIXELS],
    seen: &[W::Pairs; MOST_SEEN],
    weights: *const f32,
) {
    for column in 0..KERNEL {
        // SAFETY: the caller's promise.
        let weights = unsafe { simd.pair_weights(weights.add(column * LANES)) };
        for (index, sum) in sums.iter_mut().enumerate() {
            *sum = simd.add_pair_products(*sum, seen[index * STRIDE + column], weights);
        }
    }
}

/// Stores results that need nothing more than bounds.
///
/// # Safety
/// `y` is valid for each of them, `y_step` apart.
#[inline(always)]
unsafe fn store<W: WordSimd, const PIXELS: usize>(
    simd: W,
    values: &[<W::Float as Simd>::Vector; PIXELS],
    end: WordEnd,
    y: *mut f32,
    y_step: usize,
    how: impl Store,
) {
    let [lowest, highest] = end.bounds;
    let bounds = [simd.float().splat(lowest), simd.float().splat(highest)];
    let nothing = (std::ptr::null(), std::ptr::null());
    for (pixel, &value) in values.iter().enumerate() {
        // SAFETY: the caller's promise; neither bias nor residual are read.
        unsafe { how.store(simd, value, bounds, nothing, y.add(pixel * y_step)) };
    }
}

//! What becomes of a tile's sums of words.

use crate::simd::{Bf16On, Isa, LANES, Simd, WordSet, WordSimd};

/// What words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// Four bytes.
    Bytes,
    /// Two bf16.
    Bf16,
}

impl Words {
    /// What they are multiplied with.
    pub(crate) fn set(self, isa: Isa) -> WordSet {
        match self {
            Self::Bytes => isa.bytes(),
            Self::Bf16 => isa.bf16(),
        }
    }
}

/// Where a tile's sums of words go: `sum * factor[c] + summand[c]`, and the residual, within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordEnd {
    /// What is multiplied.
    pub(crate) words: Words,
    /// What results are stored as.
    pub(crate) result: WordResult,
    /// The smallest and the largest result, in the numbers that are stored.
    pub(crate) bounds: [f32; 2],
    /// From one pixel of the residual to the next.
    pub(crate) r_step: usize,
}

impl WordEnd {
    /// Stores 16 channels of a pixel.
    ///
    /// # Safety
    /// `bias` is that of the channels; `residual`, where one is added, and `y` are valid for them.
    #[inline(always)]
    pub(crate) unsafe fn store<S: Simd>(
        &self,
        simd: S,
        value: S::Vector,
        bias: *const f32,
        residual: *const f32,
        y: *mut f32,
    ) {
        let bounds = self.bounds.map(|bound| simd.splat(bound));
        // What words are makes no difference to numbers.
        let simd = Bf16On(simd);
        // SAFETY: the caller's promise.
        unsafe {
            match self.result {
                WordResult::Floats => Floats.store(simd, value, bounds, (bias, residual), y),
                WordResult::Bytes => Bytes.store(simd, value, bounds, (bias, residual), y),
                WordResult::BytesAndResidual => {
                    BytesAndResidual.store(simd, value, bounds, (bias, residual), y);
                }
                WordResult::Bf16 => Bf16.store(simd, value, bounds, (bias, residual), y),
                WordResult::FloatsAndResidual => {
                    FloatsAndResidual.store(simd, value, bounds, (bias, residual), y);
                }
                WordResult::Bf16AndResidual => {
                    Bf16AndResidual.store(simd, value, bounds, (bias, residual), y)
                }
            }
        }
    }
}

/// What results of sums of words are stored as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WordResult {
    Floats,
    Bytes,
    /// Bytes, to which the bytes of a residual are added, times the channel's factor.
    BytesAndResidual,
    Bf16,
    /// `f32`, to which those of a residual are added.
    FloatsAndResidual,
    /// bf16, to which the bf16 of a residual are added.
    Bf16AndResidual,
}

impl WordResult {
    /// Whether there has to be a residual.
    pub(crate) fn adds_residual(self) -> bool {
        match self {
            Self::Floats | Self::Bytes | Self::Bf16 => false,
            Self::BytesAndResidual | Self::FloatsAndResidual | Self::Bf16AndResidual => true,
        }
    }

    /// `f32` that the 16 channels of a result have the place of.
    pub(crate) fn pixel(self) -> usize {
        match self {
            Self::Floats | Self::FloatsAndResidual => LANES,
            Self::Bf16 | Self::Bf16AndResidual => LANES / 2,
            Self::Bytes | Self::BytesAndResidual => LANES / 4,
        }
    }
}

/// `f32` of a bias that sums of words have for each block of output channels: 16 factors and 16 summands; and of bytes, 16
/// factors of the residual, and 16 that make the result's bytes of numbers.
pub(crate) const WORD_BIAS: usize = 4 * LANES;

/// Where the factors of the residual are in it.
pub(crate) const RESIDUAL_FACTORS: usize = 2 * LANES;

/// Where the factors of the result are in it.
pub(crate) const RESULT_FACTORS: usize = 3 * LANES;

/// 16 numbers of a set of words.
type VectorOf<W> = <<W as WordSimd>::Float as Simd>::Vector;

/// How one vector of results is stored.
pub(crate) trait Store: Copy {
    /// # Safety
    /// `bias` is that of the 16 channels of a pixel; `residual`, where one is added, and `y` are valid for them.
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        added: (*const f32, *const f32),
        y: *mut f32,
    );
}

/// As `f32`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floats;

/// As bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes;

#[derive(Clone, Copy, Debug)]
pub(super) struct BytesAndResidual;

/// As bf16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bf16;

#[derive(Clone, Copy, Debug)]
pub(super) struct FloatsAndResidual;

#[derive(Clone, Copy, Debug)]
pub(super) struct Bf16AndResidual;

#[inline(always)]
fn bounded<S: Simd>(simd: S, value: S::Vector, [lowest, highest]: [S::Vector; 2]) -> S::Vector {
    // Operands in this order let a value that is not a number through.
    simd.min(highest, simd.max(lowest, value))
}

impl Store for Floats {
    #[inline(always)]
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        _: (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe { simd.float().store_at(y, bounded(simd.float(), value, bounds)) }
    }
}

impl Store for Bytes {
    #[inline(always)]
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        _: (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        let y = unsafe { &mut *y.cast::<[u8; LANES]>() };
        let float = simd.float();
        float.store_bytes(y, bounded(float, value, bounds));
    }
}

impl Store for BytesAndResidual {
    #[inline(always)]
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        (bias, residual): (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let float = simd.float();
            let factor = float.load_at(bias.add(RESIDUAL_FACTORS));
            let bytes = float.load_bytes(&*residual.cast::<[u8; LANES]>());
            // Not one operation, which not every set has, so that bytes are the same on all.
            let value = float.add(value, float.mul(bytes, factor));
            Bytes.store(simd, value, bounds, (bias, residual), y);
        }
    }
}

impl Store for Bf16 {
    #[inline(always)]
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        _: (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        let y = unsafe { &mut *y.cast::<[u16; LANES]>() };
        simd.store_bf16(y, bounded(simd.float(), value, bounds));
    }
}

impl Store for FloatsAndResidual {
    #[inline(always)]
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        (bias, residual): (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let float = simd.float();
            let value = float.add(value, float.load_at(residual));
            Floats.store(simd, value, bounds, (bias, residual), y);
        }
    }
}

impl Store for Bf16AndResidual {
    #[inline(always)]
    unsafe fn store<W: WordSimd>(
        self,
        simd: W,
        value: VectorOf<W>,
        bounds: [VectorOf<W>; 2],
        (bias, residual): (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let float = simd.float();
            let added = float.load_bf16(&*residual.cast::<[u16; LANES]>());
            Bf16.store(simd, float.add(value, added), bounds, (bias, residual), y);
        }
    }
}

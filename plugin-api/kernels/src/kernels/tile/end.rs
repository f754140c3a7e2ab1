//! What becomes of a tile's sums of bytes.

use crate::simd::{LANES, Simd};

/// Where a tile's sums of bytes go: `sum * factor[c] + summand[c]`, and the residual, within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteEnd {
    /// What results are stored as.
    pub(crate) result: ByteResult,
    /// The smallest and the largest result, in the numbers that are stored.
    pub(crate) bounds: [f32; 2],
    /// From one pixel of the residual to the next.
    pub(crate) r_step: usize,
}

impl ByteEnd {
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
        // SAFETY: the caller's promise.
        unsafe {
            match self.result {
                ByteResult::Floats => Floats.store(simd, value, bounds, (bias, residual), y),
                ByteResult::Bytes => Bytes.store(simd, value, bounds, (bias, residual), y),
                ByteResult::BytesAndResidual => {
                    BytesAndResidual.store(simd, value, bounds, (bias, residual), y);
                }
            }
        }
    }
}

/// What results of sums of bytes are stored as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ByteResult {
    Floats,
    Bytes,
    /// Bytes, to which the bytes of a residual are added, times the channel's factor.
    BytesAndResidual,
}

/// `f32` of a bias that bytes have for each block of output channels: 16 factors, 16 summands, 16 factors of the
/// residual, and 16 that make the result's bytes of numbers.
pub(crate) const BYTE_BIAS: usize = 4 * LANES;

/// Where the factors of the residual are in it.
pub(crate) const RESIDUAL_FACTORS: usize = 2 * LANES;

/// Where the factors of the result are in it.
pub(crate) const RESULT_FACTORS: usize = 3 * LANES;

/// How one vector of results is stored.
pub(super) trait Store: Copy {
    /// # Safety
    /// `bias` is that of the 16 channels of a pixel; `residual`, where one is added, and `y` are valid for them.
    unsafe fn store<S: Simd>(
        self,
        simd: S,
        value: S::Vector,
        bounds: [S::Vector; 2],
        added: (*const f32, *const f32),
        y: *mut f32,
    );
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Floats;

#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

#[derive(Clone, Copy, Debug)]
pub(super) struct BytesAndResidual;

#[inline(always)]
fn bounded<S: Simd>(simd: S, value: S::Vector, [lowest, highest]: [S::Vector; 2]) -> S::Vector {
    simd.min(simd.max(value, lowest), highest)
}

impl Store for Floats {
    #[inline(always)]
    unsafe fn store<S: Simd>(
        self,
        simd: S,
        value: S::Vector,
        bounds: [S::Vector; 2],
        _: (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe { simd.store_at(y, bounded(simd, value, bounds)) }
    }
}

impl Store for Bytes {
    #[inline(always)]
    unsafe fn store<S: Simd>(
        self,
        simd: S,
        value: S::Vector,
        bounds: [S::Vector; 2],
        _: (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        let y = unsafe { &mut *y.cast::<[u8; LANES]>() };
        simd.store_bytes(y, bounded(simd, value, bounds));
    }
}

impl Store for BytesAndResidual {
    #[inline(always)]
    unsafe fn store<S: Simd>(
        self,
        simd: S,
        value: S::Vector,
        bounds: [S::Vector; 2],
        (bias, residual): (*const f32, *const f32),
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let factor = simd.load_at(bias.add(RESIDUAL_FACTORS));
            let residual = simd.load_bytes(&*residual.cast::<[u8; LANES]>());
            // Not one operation, which not every set has, so that bytes are the same on all.
            let value = simd.add(value, simd.mul(residual, factor));
            Bytes.store(simd, value, bounds, (bias, std::ptr::null()), y);
        }
    }
}

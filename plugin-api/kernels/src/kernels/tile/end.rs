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
    /// `residual`, where one is added, and `y` are valid for them.
    #[inline(always)]
    pub(crate) unsafe fn store<S: Simd>(&self, simd: S, value: S::Vector, residual: *const f32, y: *mut f32) {
        let bounds = self.bounds.map(|bound| simd.splat(bound));
        // SAFETY: the caller's promise.
        unsafe {
            match self.result {
                ByteResult::Floats => Floats.store(simd, value, bounds, residual, y),
                ByteResult::Bytes => Bytes.store(simd, value, bounds, residual, y),
                ByteResult::BytesAndResidual(factor) => {
                    BytesAndResidual(factor).store(simd, value, bounds, residual, y);
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
    /// Bytes, to which the bytes of a residual are added, times this.
    BytesAndResidual(f32),
}

/// `f32` of a bias that bytes have for each block of output channels: 16 factors and 16 summands.
pub(crate) const BYTE_BIAS: usize = 2 * LANES;

/// How one vector of results is stored.
pub(super) trait Store: Copy {
    /// # Safety
    /// `residual`, where one is added, and `y` are valid for the 16 channels of a pixel.
    unsafe fn store<S: Simd>(
        self,
        simd: S,
        value: S::Vector,
        bounds: [S::Vector; 2],
        residual: *const f32,
        y: *mut f32,
    );
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Floats;

#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes;

#[derive(Clone, Copy, Debug)]
pub(super) struct BytesAndResidual(pub(super) f32);

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
        _: *const f32,
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
        _: *const f32,
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
        residual: *const f32,
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let residual = simd.load_bytes(&*residual.cast::<[u8; LANES]>());
            // Not one operation, which not every set has, so that bytes are the same on all.
            let value = simd.add(value, simd.mul(residual, simd.splat(self.0)));
            Bytes.store(simd, value, bounds, std::ptr::null(), y);
        }
    }
}

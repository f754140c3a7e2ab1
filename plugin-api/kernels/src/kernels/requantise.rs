//! Bytes that stand for numbers, and results of exact sums of them.

use super::{
    epilogue::Stages,
    tile::{ByteEnd, ByteResult, RESIDUAL_FACTORS, RESULT_FACTORS},
};
use crate::simd::{LANES, Simd};

/// What becomes of `sum * factor[c] + summand[c]`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    /// It is a result of its own scale already, but for the residual and the bounds.
    Bounded(ByteEnd),
    /// It is a number, with a residual and activations of any kind to come.
    Staged(Staged),
}

/// See [`Finish::Staged`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged {
    pub(crate) stages: Stages,
    /// The byte that stands for 0 in the residual, where it has bytes.
    pub(crate) residual: Option<u8>,
    /// The byte that stands for 0 in the result, where it has bytes.
    pub(crate) result: Option<u8>,
}

/// The numbers that 16 bytes stand for: `(byte - zero) * step`.
#[inline(always)]
pub(crate) fn numbers<S: Simd>(simd: S, bytes: &[u8; LANES], zero: u8, steps: S::Vector) -> S::Vector {
    let offset = simd.sub(simd.load_bytes(bytes), simd.splat(f32::from(zero)));
    simd.mul(offset, steps)
}

/// Writes the bytes that come nearest to 16 numbers; `factors` are one by the steps.
#[inline(always)]
pub(crate) fn store_nearest<S: Simd>(
    simd: S,
    to: &mut [u8; LANES],
    numbers: S::Vector,
    zero: u8,
    factors: S::Vector,
) {
    // Two operations, which are the same on every set.
    let value = simd.add(simd.mul(numbers, factors), simd.splat(f32::from(zero)));
    simd.store_bytes(to, simd.min(simd.max(value, simd.splat(0.0)), simd.splat(255.0)));
}

impl Finish {
    /// Finishes 16 channels of a pixel and stores them.
    ///
    /// # Safety
    /// `bias` is that of the channels, see [`BYTE_BIAS`](super::tile::BYTE_BIAS); `residual`, where one is added, and `y`
    /// are valid for them, as bytes or numbers.
    #[inline(always)]
    pub(crate) unsafe fn store<S: Simd>(
        &self,
        simd: S,
        value: S::Vector,
        bias: *const f32,
        residual: *const f32,
        y: *mut f32,
    ) {
        match self {
            // SAFETY: the caller's promise.
            Self::Bounded(end) => unsafe { end.store(simd, value, bias, residual, y) },
            // SAFETY: as above.
            Self::Staged(staged) => unsafe { staged.store(simd, value, bias, residual, y) },
        }
    }

    /// `f32` that the 16 channels of a result have the place of.
    pub(crate) fn stores_bytes(&self) -> bool {
        match self {
            Self::Bounded(end) => end.result != ByteResult::Floats,
            Self::Staged(staged) => staged.result.is_some(),
        }
    }

    /// Whether there has to be a residual.
    pub(crate) fn adds_residual(&self) -> bool {
        match self {
            Self::Bounded(end) => end.result == ByteResult::BytesAndResidual,
            Self::Staged(staged) => staged.stages.adds_residual(),
        }
    }

    /// Whether the residual has bytes.
    pub(crate) fn reads_bytes(&self) -> bool {
        match self {
            Self::Bounded(_) => true,
            Self::Staged(staged) => staged.residual.is_some(),
        }
    }
}

impl Staged {
    /// See [`Finish::store`].
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn store<S: Simd>(
        &self,
        simd: S,
        value: S::Vector,
        bias: *const f32,
        residual: *const f32,
        y: *mut f32,
    ) {
        // SAFETY: the caller's promise; an array of bytes has no alignment.
        unsafe {
            let value = self.stages.finish(simd, value, || match self.residual {
                Some(zero) => {
                    let steps = simd.load_at(bias.add(RESIDUAL_FACTORS));
                    numbers(simd, &*residual.cast::<[u8; LANES]>(), zero, steps)
                }
                None => simd.load_at(residual),
            });
            match self.result {
                Some(zero) => {
                    let factors = simd.load_at(bias.add(RESULT_FACTORS));
                    store_nearest(simd, &mut *y.cast::<[u8; LANES]>(), value, zero, factors);
                }
                None => simd.store_at(y, value),
            }
        }
    }
}

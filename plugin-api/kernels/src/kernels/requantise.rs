//! Narrow forms of numbers, bytes and bf16, and results of sums of them.

use super::{
    epilogue::Stages,
    tile::{RESIDUAL_FACTORS, RESULT_FACTORS, WordEnd, WordResult},
};
use crate::simd::{LANES, Simd};

/// What stands for a number in less than 32 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Narrow {
    /// Bytes, of which this one stands for 0; what one more stands for is told apart for each channel.
    Bytes(u8),
    Bf16,
}

/// What becomes of `sum * factor[c] + summand[c]`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    /// It is a result of its own scale already, but for the residual and the bounds.
    Bounded(WordEnd),
    /// It is a number, with a residual and activations of any kind to come.
    Staged(Staged),
}

/// See [`Finish::Staged`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged {
    pub(crate) stages: Stages,
    /// The residual's form, where it is narrow.
    pub(crate) residual: Option<Narrow>,
    /// The result's form, where it is narrow.
    pub(crate) result: Option<Narrow>,
}

impl Narrow {
    /// The numbers of 16 channels of a pixel; of bytes, `steps` are what one more stands for.
    ///
    /// # Safety
    /// They can be read at `from`, and of bytes 16 steps at `steps`.
    #[inline(always)]
    unsafe fn load_at<S: Simd>(self, simd: S, steps: *const f32, from: *const f32) -> S::Vector {
        // SAFETY: the caller's promise; neither form needs more alignment than `f32`.
        unsafe {
            match self {
                Self::Bytes(zero) => numbers(simd, &*from.cast::<[u8; LANES]>(), zero, simd.load_at(steps)),
                Self::Bf16 => simd.load_bf16(&*from.cast::<[u16; LANES]>()),
            }
        }
    }

    /// Writes what is nearest to 16 numbers; of bytes, `factors` are one by the steps.
    ///
    /// # Safety
    /// 16 channels of a pixel can be written at `to`, and nobody else reads or writes them now; of bytes, 16 factors can
    /// be read at `factors`.
    #[inline(always)]
    unsafe fn store_at<S: Simd>(self, simd: S, factors: *const f32, to: *mut f32, value: S::Vector) {
        // SAFETY: the caller's promise; neither form needs more alignment than `f32`.
        unsafe {
            match self {
                Self::Bytes(zero) => {
                    let factors = simd.load_at(factors);
                    store_nearest(simd, &mut *to.cast::<[u8; LANES]>(), value, zero, factors);
                }
                Self::Bf16 => simd.store_bf16(&mut *to.cast::<[u16; LANES]>(), value),
            }
        }
    }
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
    /// `bias` is that of the channels, see [`WORD_BIAS`](super::tile::WORD_BIAS); `residual`, where one is added, and `y`
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

    /// Whether the result is narrow.
    pub(crate) fn stores_narrow(&self) -> bool {
        match self {
            Self::Bounded(end) => end.result.pixel() != LANES,
            Self::Staged(staged) => staged.result.is_some(),
        }
    }

    /// Whether there has to be a residual.
    pub(crate) fn adds_residual(&self) -> bool {
        match self {
            Self::Bounded(end) => end.result.adds_residual(),
            Self::Staged(staged) => staged.stages.adds_residual(),
        }
    }

    /// Whether the residual, where there is one, is narrow.
    pub(crate) fn reads_narrow(&self) -> bool {
        match self {
            Self::Bounded(end) => end.result != WordResult::FloatsAndResidual,
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
        // SAFETY: the caller's promise.
        unsafe {
            let value = self.stages.finish(simd, value, || match self.residual {
                Some(form) => form.load_at(simd, bias.wrapping_add(RESIDUAL_FACTORS), residual),
                None => simd.load_at(residual),
            });
            match self.result {
                Some(form) => form.store_at(simd, bias.wrapping_add(RESULT_FACTORS), y, value),
                None => simd.store_at(y, value),
            }
        }
    }
}

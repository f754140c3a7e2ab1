//! Bytes that stand for numbers, and results of exact sums of them.

use super::{
    epilogue::Stages,
    tile::{ByteEnd, ByteResult},
};
use crate::simd::{LANES, Simd};

/// What bytes stand for: `(byte - zero) * step`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    /// What one more stands for; above 0.
    pub(crate) step: f32,
    /// The byte that stands for 0.
    pub(crate) zero: u8,
}

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
    /// What the residual's bytes stand for, where it has bytes.
    pub(crate) residual: Option<Scale>,
    /// What the result's bytes stand for, where it has bytes.
    pub(crate) result: Option<Scale>,
}

impl Scale {
    /// The scale on which numbers of a range, and 0, are all there.
    pub(crate) fn of([lowest, highest]: [f32; 2]) -> Self {
        let (lowest, highest) = (f64::from(lowest.min(0.0)), f64::from(highest.max(0.0)));
        // Of a range of nothing but 0, anything will do.
        let step = ((highest - lowest) / 255.0).max(1e-30) as f32;
        let zero = (-lowest / f64::from(step)).round().clamp(0.0, 255.0) as u8;
        Self { step, zero }
    }

    /// The numbers that 16 bytes stand for.
    #[inline(always)]
    pub(crate) fn numbers<S: Simd>(self, simd: S, bytes: &[u8; LANES]) -> S::Vector {
        let offset = simd.sub(simd.load_bytes(bytes), simd.splat(f32::from(self.zero)));
        simd.mul(offset, simd.splat(self.step))
    }

    /// Writes the bytes that come nearest to 16 numbers.
    #[inline(always)]
    pub(crate) fn store<S: Simd>(self, simd: S, to: &mut [u8; LANES], numbers: S::Vector) {
        // Two operations, which are the same on every set.
        let scaled = simd.mul(numbers, simd.splat(1.0 / self.step));
        let value = simd.add(scaled, simd.splat(f32::from(self.zero)));
        simd.store_bytes(to, simd.min(simd.max(value, simd.splat(0.0)), simd.splat(255.0)));
    }
}

impl Finish {
    /// Finishes 16 channels of a pixel and stores them.
    ///
    /// # Safety
    /// `residual`, where one is added, and `y` are valid for the channels, as bytes or numbers.
    #[inline(always)]
    pub(crate) unsafe fn store<S: Simd>(&self, simd: S, value: S::Vector, residual: *const f32, y: *mut f32) {
        match self {
            // SAFETY: the caller's promise.
            Self::Bounded(end) => unsafe { end.store(simd, value, residual, y) },
            // SAFETY: as above.
            Self::Staged(staged) => unsafe { staged.store(simd, value, residual, y) },
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
            Self::Bounded(end) => matches!(end.result, ByteResult::BytesAndResidual(_)),
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
    pub(crate) unsafe fn store<S: Simd>(&self, simd: S, value: S::Vector, residual: *const f32, y: *mut f32) {
        // SAFETY: the caller's promise; an array of bytes has no alignment.
        unsafe {
            let value = self.stages.finish(simd, value, || match self.residual {
                Some(scale) => scale.numbers(simd, &*residual.cast::<[u8; LANES]>()),
                None => simd.load_at(residual),
            });
            match self.result {
                Some(scale) => scale.store(simd, &mut *y.cast::<[u8; LANES]>(), value),
                None => simd.store_at(y, value),
            }
        }
    }
}

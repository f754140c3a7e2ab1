//! Narrow forms of numbers, bytes and bf16, and results of sums of them.

use super::{epilogue::Stages, tile::WordEnd};
use crate::{
    memory::Element,
    simd::{LANES, Simd},
};

/// What stands for a number in less than 32 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Narrow {
    Bytes(Scale),
    Bf16,
}

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
    /// What it is in memory.
    pub(crate) fn element(self) -> Element {
        match self {
            Self::Bytes(scale) => Element::Byte { zero: scale.zero },
            Self::Bf16 => Element::Bf16,
        }
    }

    /// The numbers of 16 channels of a pixel.
    ///
    /// # Safety
    /// They can be read at `from`.
    #[inline(always)]
    pub(crate) unsafe fn load_at<S: Simd>(self, simd: S, from: *const f32) -> S::Vector {
        // SAFETY: the caller's promise; neither form needs more alignment than `f32`.
        unsafe {
            match self {
                Self::Bytes(scale) => scale.numbers(simd, &*from.cast::<[u8; LANES]>()),
                Self::Bf16 => simd.load_bf16(&*from.cast::<[u16; LANES]>()),
            }
        }
    }

    /// Writes what is nearest to 16 numbers.
    ///
    /// # Safety
    /// 16 channels of a pixel can be written at `to`, and nobody else reads or writes them now.
    #[inline(always)]
    pub(crate) unsafe fn store_at<S: Simd>(self, simd: S, to: *mut f32, numbers: S::Vector) {
        // SAFETY: the caller's promise; neither form needs more alignment than `f32`.
        unsafe {
            match self {
                Self::Bytes(scale) => scale.store(simd, &mut *to.cast::<[u8; LANES]>(), numbers),
                Self::Bf16 => simd.store_bf16(&mut *to.cast::<[u16; LANES]>(), numbers),
            }
        }
    }
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
        // SAFETY: the caller's promise.
        unsafe {
            let value = self.stages.finish(simd, value, || match self.residual {
                Some(form) => form.load_at(simd, residual),
                None => simd.load_at(residual),
            });
            match self.result {
                Some(form) => form.store_at(simd, y, value),
                None => simd.store_at(y, value),
            }
        }
    }
}

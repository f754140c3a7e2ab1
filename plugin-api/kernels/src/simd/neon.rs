//! NEON: four registers hold the 16 values.
//!
//! Tested under emulation only: the tile's size and the fetching ahead follow from the number of registers and from
//! what the other sets have, not from measurements.

use super::vector::{Compiled, Kernel, LANES, Routine, Simd};
use std::arch::{aarch64::*, asm};

/// The proof that this machine has NEON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neon(());

/// Four values each, the lowest ones first.
#[derive(Clone, Copy)]
pub(crate) struct Quarters(float32x4_t, float32x4_t, float32x4_t, float32x4_t);

impl Neon {
    /// Machines for which there is a standard library have it; Miri knows too few of its instructions.
    pub(super) fn detect() -> Option<Self> {
        (std::arch::is_aarch64_feature_detected!("neon") && !cfg!(miri)).then_some(Self(()))
    }

    #[inline]
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "neon")]
        fn with_features(simd: Neon, kernel: impl Kernel) {
            kernel.run(simd);
        }
        // SAFETY: `self` exists, so the feature was detected.
        unsafe { with_features(self, kernel) }
    }
}

macro_rules! each_quarter {
    ($($name:ident($($argument:ident),+) = $instruction:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, $($argument: Quarters),+) -> Quarters {
            // SAFETY: `self` exists, so the feature was detected.
            unsafe {
                Quarters(
                    $instruction($($argument.0),+),
                    $instruction($($argument.1),+),
                    $instruction($($argument.2),+),
                    $instruction($($argument.3),+),
                )
            }
        }
    )+};
}

impl Simd for Neon {
    type Vector = Quarters;

    const VECTORS: usize = 8;

    fn compiled<R: Routine>(self) -> Compiled<R> {
        /// # Safety
        /// See [`Routine::run`]; the machine has the features.
        #[target_feature(enable = "neon")]
        unsafe fn with_features<R: Routine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise; there was a token when this function was chosen.
            unsafe { R::run(Neon(()), call, common) }
        }
        with_features::<R>
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // The intrinsic is not in stable Rust.
        // SAFETY: a hint, which no address makes fail.
        unsafe { asm!("prfm pldl2keep, [{}]", in(reg) at, options(readonly, nostack, preserves_flags)) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Quarters {
        // SAFETY: `self` exists, so the feature was detected.
        let quarter = unsafe { vdupq_n_f32(value) };
        Quarters(quarter, quarter, quarter, quarter)
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Quarters {
        let from = from.as_ptr();
        // SAFETY: `self` exists, so the feature was detected; `from` is 16 values long.
        unsafe {
            Quarters(
                vld1q_f32(from),
                vld1q_f32(from.add(4)),
                vld1q_f32(from.add(8)),
                vld1q_f32(from.add(12)),
            )
        }
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES], value: Quarters) {
        let to = to.as_mut_ptr();
        // SAFETY: `self` exists, so the feature was detected; `to` is 16 values long.
        unsafe {
            vst1q_f32(to, value.0);
            vst1q_f32(to.add(4), value.1);
            vst1q_f32(to.add(8), value.2);
            vst1q_f32(to.add(12), value.3);
        }
    }
    each_quarter! {
        add(a, b) = vaddq_f32;
        sub(a, b) = vsubq_f32;
        mul(a, b) = vmulq_f32;
        div(a, b) = vdivq_f32;
        min(a, b) = min_quarter;
        max(a, b) = max_quarter;
        mul_add(a, b, c) = mul_add_quarter;
        neg_mul_add(a, b, c) = neg_mul_add_quarter;
        round(a) = vrndnq_f32;
        power_of_two(a) = power_of_two_quarter;
    }
}

/// Not `vminq_f32`, whose result is not a number where one of the two is not.
///
/// # Safety
/// The machine has NEON.
#[inline(always)]
unsafe fn min_quarter(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
}

/// See [`min_quarter`].
///
/// # Safety
/// The machine has NEON.
#[inline(always)]
unsafe fn max_quarter(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
}

/// # Safety
/// The machine has NEON.
#[inline(always)]
unsafe fn mul_add_quarter(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vfmaq_f32(c, a, b) }
}

/// # Safety
/// The machine has NEON.
#[inline(always)]
unsafe fn neg_mul_add_quarter(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vfmsq_f32(c, a, b) }
}

/// The exponent's bits are put together by integer arithmetic.
///
/// # Safety
/// The machine has NEON.
#[inline(always)]
unsafe fn power_of_two_quarter(a: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe {
        let exponent = vaddq_s32(vcvtnq_s32_f32(a), vdupq_n_s32(127));
        vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
    }
}

//! Vectors of 16 `f32` on every instruction set, and the choice among the sets at run time.
//!
//! A kernel is written once, generic over [`Simd`]. A value of a type that implements `Simd` is the proof that
//! the machine has the instructions, so arithmetic is safe; only [`Isa::detected`] makes such values.
//! [`Isa::run`] compiles the whole kernel for one instruction set, so everything that a kernel calls in a loop
//! has to be `#[inline(always)]`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod isa;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub use isa::Isa;
pub(crate) use isa::{Kernel, LANES};
pub(crate) use math::{activate, exp};

use crate::kernels::tile::TileKernel;

/// 16 `f32` and what can be done with them.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// 16 `f32`.
    type Vector: Copy;

    /// How many output pixels a convolution's tile has with 1, 2, 3 and 4 blocks of output channels, as many
    /// as there are registers for; 0 where that many blocks have no kernel.
    const TILE_PIXELS: [usize; 4];

    /// The kernel for a tile; `blocks` and `pixels` within [`Simd::TILE_PIXELS`].
    fn tile(self, blocks: usize, pixels: usize, step: usize) -> TileKernel;

    /// Begins to bring what is at an address, which need not be valid, into the second cache; or does nothing.
    #[inline(always)]
    fn prefetch(self, _: *const f32) {}

    /// The same for the first cache.
    #[inline(always)]
    fn prefetch_near(self, _: *const f32) {}

    fn splat(self, value: f32) -> Self::Vector;
    fn load(self, from: &[f32; LANES]) -> Self::Vector;
    fn store(self, to: &mut [f32; LANES], value: Self::Vector);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The smaller one; `b` where one is not a number, and where both are zero, of whatever sign.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger one; `b` where one is not a number, and where both are zero, of whatever sign.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// To the nearest integer, the even one of two.
    fn round(self, a: Self::Vector) -> Self::Vector;
    /// `2^a` for an integer `a` in -126..=127.
    fn power_of_two(self, a: Self::Vector) -> Self::Vector;

    /// The first 16 values of a slice.
    ///
    /// # Panics
    /// Where there are fewer.
    #[inline(always)]
    fn load_slice(self, from: &[f32]) -> Self::Vector {
        assert!(from.len() >= LANES);
        // SAFETY: the assertion; an array of `f32` has the alignment of `f32`.
        unsafe { self.load_at(from.as_ptr()) }
    }

    /// # Safety
    /// 16 values can be read at `from`.
    #[inline(always)]
    unsafe fn load_at(self, from: *const f32) -> Self::Vector {
        // SAFETY: the caller's promise; an array of `f32` has the alignment of `f32`.
        self.load(unsafe { &*from.cast::<[f32; LANES]>() })
    }

    /// # Safety
    /// 16 values can be written at `to`, and nobody else reads or writes them now.
    #[inline(always)]
    unsafe fn store_at(self, to: *mut f32, value: Self::Vector) {
        // SAFETY: the caller's promise; an array of `f32` has the alignment of `f32`.
        self.store(unsafe { &mut *to.cast::<[f32; LANES]>() }, value);
    }
}

#[cfg(test)]
mod tests;

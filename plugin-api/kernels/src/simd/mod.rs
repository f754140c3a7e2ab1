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
mod bf16;
mod isa;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod speed;
mod vector;
#[cfg(target_arch = "x86_64")]
mod vnni;
mod word_set;
mod words;

pub(crate) use bf16::Bf16On;
pub use isa::Isa;
pub(crate) use math::{complementary_error, exp, sigmoid, sin};
pub(crate) use vector::{Compiled, Kernel, LANES, Routine, Simd, bf16_of};
pub(crate) use word_set::{WordSet, with_words};
pub(crate) use words::{LARGEST_PAIR, LARGEST_WEIGHT, WordCompiled, WordRoutine, WordSimd};

#[cfg(test)]
mod tests;

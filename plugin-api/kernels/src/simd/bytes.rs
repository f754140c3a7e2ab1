//! Exact sums of bytes times small weights, for each instruction set that has products of bytes.

use super::vector::Simd;

/// Weights are at most this, of either sign.
pub(crate) const LARGEST_WEIGHT: i8 = 127;

/// The weights of one sign among two next to each other, the first and second or the third and fourth of a word, are at
/// most this together: on AVX2 their products with bytes are added up in 16 bits, and results are to be the same on all
/// machines.
pub(crate) const LARGEST_PAIR: i16 = i16::MAX / 255;

/// 16 sums of 32 bits, and what can be added to them.
pub(crate) trait ByteSimd: Copy + Send + Sync + 'static {
    /// 16 `i32`.
    type Sums: Copy;
    /// Four weights for each of the 16 sums.
    type Weights: Copy;
    /// Four bytes, the same for all sums.
    type Word: Copy;
    /// What makes numbers of the sums.
    type Float: Simd;

    /// How many sums and the like the registers hold.
    const VECTORS: usize;

    fn float(self) -> Self::Float;

    /// The routine compiled for this set. Calling it takes what [`ByteRoutine::run`] asks for, and no more: `self` is
    /// the proof that the machine has the instructions.
    fn compiled<R: ByteRoutine>(self) -> ByteCompiled<R>;

    fn zero(self) -> Self::Sums;

    /// # Safety
    /// 64 weights can be read at `from`: four of each sum, next to each other.
    unsafe fn weights(self, from: *const f32) -> Self::Weights;

    /// Four bytes, in the order in which they are in memory.
    fn word(self, bytes: u32) -> Self::Word;

    /// Adds the products of four bytes without sign and four weights with one to each sum.
    fn add_products(self, sums: Self::Sums, word: Self::Word, weights: Self::Weights) -> Self::Sums;

    /// The sums, rounded to the nearest numbers.
    fn numbers(self, sums: Self::Sums) -> <Self::Float as Simd>::Vector;
}

/// As [`Routine`](super::Routine), for bytes.
pub(crate) trait ByteRoutine {
    /// What each call has for itself.
    type Call;
    /// What many calls share.
    type Common;

    /// Runs it. Implementations are `#[inline(always)]`, or else they are compiled without the set's instructions.
    ///
    /// # Safety
    /// What the implementation asks for.
    unsafe fn run<B: ByteSimd>(simd: B, call: Self::Call, common: &Self::Common);
}

/// A [`ByteRoutine`] compiled for one instruction set.
pub(crate) type ByteCompiled<R> = unsafe fn(<R as ByteRoutine>::Call, &<R as ByteRoutine>::Common);

//! Sums of products of words of 32 bits, which are four bytes or two bf16, for each instruction set that has them.

use super::vector::{LANES, Simd};

/// Weights of bytes are at most this, of either sign.
pub(crate) const LARGEST_WEIGHT: i8 = 127;

/// The weights of one sign among two next to each other, the first and second or the third and fourth of a word, are at
/// most this together: on AVX2 their products with bytes are added up in 16 bits, and results are to be the same on all
/// machines.
pub(crate) const LARGEST_PAIR: i16 = i16::MAX / 255;

/// 16 sums of 32 bits, and what can be added to them. Sums of bytes are integers and exact; sums of bf16 are `f32`.
pub(crate) trait WordSimd: Copy + Send + Sync + 'static {
    /// 16 sums.
    type Sums: Copy;
    /// The weights of a word for each of the 16 sums.
    type Weights: Copy;
    /// A word, the same for all sums.
    type Word: Copy;
    /// Two values for each of the 16 sums, or the weights of these.
    type Pairs: Copy;
    /// What makes numbers of the sums.
    type Float: Simd;

    /// How many sums and the like the registers hold.
    const VECTORS: usize;

    /// Values in a word: 4 bytes or 2 bf16.
    const VALUES: usize;

    fn float(self) -> Self::Float;

    /// The routine compiled for this set. Calling it takes what [`WordRoutine::run`] asks for, and no more: `self` is
    /// the proof that the machine has the instructions.
    fn compiled<R: WordRoutine>(self) -> WordCompiled<R>;

    fn zero(self) -> Self::Sums;

    /// # Safety
    /// 16 words can be read at `from`: the weights of each sum, next to each other.
    unsafe fn weights(self, from: *const f32) -> Self::Weights;

    /// A word, with its values in the order in which they are in memory.
    fn word(self, bits: u32) -> Self::Word;

    /// Adds the products of a word's values and the weights to each sum. Bytes have no sign, their weights have one.
    fn add_products(self, sums: Self::Sums, word: Self::Word, weights: Self::Weights) -> Self::Sums;

    /// 16 values and those that each makes a pair with.
    ///
    /// # Safety
    /// 16 values, bytes or bf16, can be read at `first` and at `second`.
    unsafe fn pairs(self, first: *const f32, second: *const f32) -> Self::Pairs;

    /// The weights of a pair for each sum: two of 16 bits, integers for bytes and else bf16.
    ///
    /// # Safety
    /// 16 times two weights can be read at `from`.
    unsafe fn pair_weights(self, from: *const f32) -> Self::Pairs;

    /// Adds the products of each sum's own pair to it.
    fn add_pair_products(self, sums: Self::Sums, pairs: Self::Pairs, weights: Self::Pairs) -> Self::Sums;

    /// The sums, rounded to the nearest numbers.
    fn numbers(self, sums: Self::Sums) -> <Self::Float as Simd>::Vector;

    /// Writes numbers as bf16, see [`Simd::store_bf16`].
    #[inline(always)]
    fn store_bf16(self, to: &mut [u16; LANES], value: <Self::Float as Simd>::Vector) {
        self.float().store_bf16(to, value);
    }
}

/// As [`Routine`](super::Routine), for words.
pub(crate) trait WordRoutine {
    /// What each call has for itself.
    type Call;
    /// What many calls share.
    type Common;

    /// Runs it. Implementations are `#[inline(always)]`, or else they are compiled without the set's instructions.
    ///
    /// # Safety
    /// What the implementation asks for.
    unsafe fn run<W: WordSimd>(simd: W, call: Self::Call, common: &Self::Common);
}

/// A [`WordRoutine`] compiled for one instruction set.
pub(crate) type WordCompiled<R> = unsafe fn(<R as WordRoutine>::Call, &<R as WordRoutine>::Common);

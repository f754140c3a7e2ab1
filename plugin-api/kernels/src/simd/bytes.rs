//! Exact sums of bytes times small weights, for each instruction set that has products of bytes.

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, vnni::Vnni};
use super::{
    portable::Portable,
    vector::{LANES, Simd},
};

/// Weights are at most this, of either sign: on AVX2 two products of a byte and a weight are added up in 16 bits, and
/// results are to be the same on all machines.
pub(crate) const LARGEST_WEIGHT: i8 = 63;

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

/// What a machine multiplies bytes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteSet {
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
}

/// Calls a function of the set's token.
macro_rules! with_bytes {
    ($set:expr, $simd:ident => $value:expr) => {
        match $set {
            #[cfg(target_arch = "x86_64")]
            $crate::simd::ByteSet::Vnni($simd) => $value,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::ByteSet::Avx2($simd) => $value,
            $crate::simd::ByteSet::Portable($simd) => $value,
        }
    };
}
pub(crate) use with_bytes;

impl ByteSet {
    /// See [`ByteSimd::VECTORS`].
    pub(crate) fn vectors(self) -> usize {
        fn of<B: ByteSimd>(_: B) -> usize {
            B::VECTORS
        }
        with_bytes!(self, simd => of(simd))
    }
}

impl ByteSimd for Portable {
    type Sums = [i32; LANES];
    type Weights = [[i8; 4]; LANES];
    type Word = [u8; 4];
    type Float = Self;

    const VECTORS: usize = <Self as Simd>::VECTORS;

    #[inline(always)]
    fn float(self) -> Self {
        self
    }

    fn compiled<R: ByteRoutine>(self) -> ByteCompiled<R> {
        /// # Safety
        /// See [`ByteRoutine::run`].
        unsafe fn portable<R: ByteRoutine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise.
            unsafe { R::run(Portable, call, common) }
        }
        portable::<R>
    }

    #[inline(always)]
    fn zero(self) -> [i32; LANES] {
        [0; LANES]
    }

    #[inline(always)]
    unsafe fn weights(self, from: *const f32) -> [[i8; 4]; LANES] {
        // SAFETY: the caller's promise; bytes have no alignment.
        unsafe { *from.cast::<[[i8; 4]; LANES]>() }
    }

    #[inline(always)]
    fn word(self, bytes: u32) -> [u8; 4] {
        bytes.to_ne_bytes()
    }

    #[inline(always)]
    fn add_products(self, sums: [i32; LANES], word: [u8; 4], weights: [[i8; 4]; LANES]) -> [i32; LANES] {
        let mut sums = sums;
        let word = word.map(i32::from);
        let mut lane = 0;
        while lane < LANES {
            let weights = weights[lane];
            sums[lane] += word[0] * i32::from(weights[0])
                + word[1] * i32::from(weights[1])
                + word[2] * i32::from(weights[2])
                + word[3] * i32::from(weights[3]);
            lane += 1;
        }
        sums
    }

    #[inline(always)]
    fn numbers(self, sums: [i32; LANES]) -> [f32; LANES] {
        sums.map(|sum| sum as f32)
    }
}

//! Sums of products of pairs of bf16: by one instruction where the machine has it, and by two of `f32` elsewhere.

#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use super::{
    vector::{LANES, Routine, Simd},
    words::{WordCompiled, WordRoutine, WordSimd},
};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// Products of pairs of bf16 as those of `f32`, which are exact; the second one of each is added first, as machines with
/// an instruction do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bf16On<S>(pub(crate) S);

/// A routine of words as one of `f32`.
struct Emulated<R>(PhantomData<R>);

impl<R: WordRoutine> Routine for Emulated<R> {
    type Call = R::Call;
    type Common = R::Common;

    #[inline(always)]
    unsafe fn run<S: Simd>(simd: S, call: R::Call, common: &R::Common) {
        // SAFETY: the caller's promise.
        unsafe { R::run(Bf16On(simd), call, common) }
    }
}

impl<S: Simd> WordSimd for Bf16On<S> {
    type Sums = S::Vector;
    type Weights = [S::Vector; 2];
    type Word = [S::Vector; 2];
    type Pairs = [S::Vector; 2];
    type Float = S;

    const VECTORS: usize = S::VECTORS;
    const VALUES: usize = 2;

    #[inline(always)]
    fn float(self) -> S {
        self.0
    }

    fn compiled<R: WordRoutine>(self) -> WordCompiled<R> {
        self.0.compiled::<Emulated<R>>()
    }

    #[inline(always)]
    fn zero(self) -> S::Vector {
        self.0.splat(0.0)
    }
    #[inline(always)]
    unsafe fn weights(self, from: *const f32) -> [S::Vector; 2] {
        // SAFETY: the caller's promise; bf16 need less alignment than `f32`.
        self.0
            .load_bf16_pairs(unsafe { &*from.cast::<[[u16; 2]; LANES]>() })
    }
    #[inline(always)]
    fn word(self, bits: u32) -> [S::Vector; 2] {
        let (first, second) = if cfg!(target_endian = "little") {
            (bits << 16, bits & 0xffff_0000)
        } else {
            (bits & 0xffff_0000, bits << 16)
        };
        [first, second].map(|bits| self.0.splat(f32::from_bits(bits)))
    }
    #[inline(always)]
    fn add_products(self, sums: S::Vector, word: [S::Vector; 2], weights: [S::Vector; 2]) -> S::Vector {
        let sums = self.0.mul_add(word[1], weights[1], sums);
        self.0.mul_add(word[0], weights[0], sums)
    }
    #[inline(always)]
    unsafe fn pairs(self, first: *const f32, second: *const f32) -> [S::Vector; 2] {
        // SAFETY: the caller's promise; bf16 need less alignment than `f32`.
        [first, second].map(|from| self.0.load_bf16(unsafe { &*from.cast::<[u16; LANES]>() }))
    }
    #[inline(always)]
    unsafe fn pair_weights(self, from: *const f32) -> [S::Vector; 2] {
        // SAFETY: the caller's promise: they lie as those of words do.
        unsafe { self.weights(from) }
    }
    #[inline(always)]
    fn add_pair_products(self, sums: S::Vector, pairs: [S::Vector; 2], weights: [S::Vector; 2]) -> S::Vector {
        self.add_products(sums, pairs, weights)
    }
    #[inline(always)]
    fn numbers(self, sums: S::Vector) -> S::Vector {
        sums
    }
}

/// The proof that this machine has AVX-512 and its products of bf16.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512Bf16(Avx512);

#[cfg(target_arch = "x86_64")]
impl Avx512Bf16 {
    pub(super) fn detect(with: Avx512) -> Option<Self> {
        let has = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512bf16");
        has.then_some(Self(with))
    }
}

// SAFETY of every block below: `self` exists, so the features were detected.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::undocumented_unsafe_blocks, reason = "one line above holds for all")]
impl WordSimd for Avx512Bf16 {
    type Sums = __m512;
    type Weights = __m512i;
    type Word = __m512i;
    type Pairs = __m512i;
    type Float = Avx512;

    const VECTORS: usize = <Avx512 as Simd>::VECTORS;
    const VALUES: usize = 2;

    #[inline(always)]
    fn float(self) -> Avx512 {
        self.0
    }

    fn compiled<R: WordRoutine>(self) -> WordCompiled<R> {
        /// # Safety
        /// See [`WordRoutine::run`]; the machine has the features.
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,fma")]
        unsafe fn with_features<R: WordRoutine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise; there was a token when this function was chosen.
            unsafe { R::run(Avx512Bf16(Avx512::assumed(true)), call, common) }
        }
        with_features::<R>
    }

    #[inline(always)]
    fn zero(self) -> __m512 {
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn weights(self, from: *const f32) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn word(self, bits: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(bits as i32) }
    }
    #[inline(always)]
    fn add_products(self, sums: __m512, word: __m512i, weights: __m512i) -> __m512 {
        unsafe { _mm512_dpbf16_ps(sums, as_bf16(weights), as_bf16(word)) }
    }
    #[inline(always)]
    unsafe fn pairs(self, first: *const f32, second: *const f32) -> __m512i {
        /// Words of the first half and of the second one in turn.
        const IN_TURN: [u16; 2 * LANES] = {
            let mut order = [0; 2 * LANES];
            let mut lane = 0;
            while lane < LANES {
                order[2 * lane] = lane as u16;
                order[2 * lane + 1] = (LANES + lane) as u16;
                lane += 1;
            }
            order
        };
        unsafe {
            let first = _mm512_castsi256_si512(_mm256_loadu_si256(first.cast()));
            let both = _mm512_inserti64x4::<1>(first, _mm256_loadu_si256(second.cast()));
            _mm512_permutexvar_epi16(_mm512_loadu_si512(IN_TURN.as_ptr().cast()), both)
        }
    }
    #[inline(always)]
    unsafe fn pair_weights(self, from: *const f32) -> __m512i {
        unsafe { self.weights(from) }
    }
    #[inline(always)]
    fn add_pair_products(self, sums: __m512, pairs: __m512i, weights: __m512i) -> __m512 {
        self.add_products(sums, pairs, weights)
    }
    #[inline(always)]
    fn numbers(self, sums: __m512) -> __m512 {
        sums
    }
    #[inline(always)]
    fn store_bf16(self, to: &mut [u16; LANES], value: __m512) {
        unsafe {
            let bits = std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(value));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), bits);
        }
    }
}

/// The same 512 bits as 32 bf16.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn as_bf16(bits: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits of which any have a meaning.
    unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) }
}

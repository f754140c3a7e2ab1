//! AVX-512 with VNNI: products of four bytes are added to each sum by one instruction.

use super::{
    avx512::Avx512,
    vector::Simd,
    words::{WordCompiled, WordRoutine, WordSimd},
};
use std::arch::x86_64::*;

/// The proof that this machine has AVX-512 and its products of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vnni(Avx512);

impl Vnni {
    pub(super) fn detect(with: Avx512) -> Option<Self> {
        let has = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni");
        has.then_some(Self(with))
    }
}

// SAFETY of every block below: `self` exists, so the features were detected.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one line above holds for all")]
impl WordSimd for Vnni {
    type Sums = __m512i;
    type Weights = __m512i;
    type Word = __m512i;
    type Pairs = __m512i;
    type Float = Avx512;

    const VECTORS: usize = <Avx512 as Simd>::VECTORS;
    const VALUES: usize = 4;

    #[inline(always)]
    fn float(self) -> Avx512 {
        self.0
    }

    fn compiled<R: WordRoutine>(self) -> WordCompiled<R> {
        /// # Safety
        /// See [`WordRoutine::run`]; the machine has the features.
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx512vnni,fma")]
        unsafe fn with_features<R: WordRoutine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise; there was a token when this function was chosen.
            unsafe { R::run(Vnni(Avx512::assumed(false)), call, common) }
        }
        with_features::<R>
    }

    #[inline(always)]
    fn zero(self) -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    unsafe fn weights(self, from: *const f32) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn word(self, bytes: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(bytes as i32) }
    }
    #[inline(always)]
    fn add_products(self, sums: __m512i, word: __m512i, weights: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sums, word, weights) }
    }
    #[inline(always)]
    unsafe fn pairs(self, first: *const f32, second: *const f32) -> __m512i {
        unsafe {
            let first = _mm_loadu_si128(first.cast());
            let second = _mm_loadu_si128(second.cast());
            let (lower, upper) = (_mm_unpacklo_epi8(first, second), _mm_unpackhi_epi8(first, second));
            _mm512_cvtepu8_epi16(_mm256_set_m128i(upper, lower))
        }
    }
    #[inline(always)]
    unsafe fn pair_weights(self, from: *const f32) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    fn add_pair_products(self, sums: __m512i, pairs: __m512i, weights: __m512i) -> __m512i {
        unsafe { _mm512_dpwssd_epi32(sums, pairs, weights) }
    }
    #[inline(always)]
    fn numbers(self, sums: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(sums) }
    }
}

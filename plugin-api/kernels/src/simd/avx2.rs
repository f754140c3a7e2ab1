//! AVX2 with FMA: two registers hold the 16 values.

use super::{
    vector::{Compiled, Kernel, LANES, Routine, Simd},
    words::{WordCompiled, WordRoutine, WordSimd},
};
use std::arch::x86_64::*;

/// The proof that this machine has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

/// The lower and the upper 8 values.
#[derive(Clone, Copy)]
pub(crate) struct Halves(__m256, __m256);

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    #[inline]
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx2,fma")]
        fn with_features(simd: Avx2, kernel: impl Kernel) {
            kernel.run(simd);
        }
        // SAFETY: `self` exists, so the features were detected.
        unsafe { with_features(self, kernel) }
    }
}

macro_rules! each_half {
    ($($name:ident($($argument:ident),+) = $instruction:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, $($argument: Halves),+) -> Halves {
            // SAFETY: `self` exists, so the features were detected.
            unsafe { Halves($instruction($($argument.0),+), $instruction($($argument.1),+)) }
        }
    )+};
}

impl Simd for Avx2 {
    type Vector = Halves;

    const VECTORS: usize = 8;

    fn compiled<R: Routine>(self) -> Compiled<R> {
        /// # Safety
        /// See [`Routine::run`]; the machine has the features.
        #[target_feature(enable = "avx2,fma")]
        unsafe fn with_features<R: Routine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise; there was a token when this function was chosen.
            unsafe { R::run(Avx2(()), call, common) }
        }
        with_features::<R>
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a hint, which no address makes fail.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Halves {
        // SAFETY: `self` exists, so the features were detected.
        let half = unsafe { _mm256_set1_ps(value) };
        Halves(half, half)
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Halves {
        let from = from.as_ptr();
        // SAFETY: `self` exists, so the features were detected; `from` is 16 values long.
        unsafe { Halves(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES], value: Halves) {
        let to = to.as_mut_ptr();
        // SAFETY: `self` exists, so the features were detected; `to` is 16 values long.
        unsafe {
            _mm256_storeu_ps(to, value.0);
            _mm256_storeu_ps(to.add(8), value.1);
        }
    }
    #[inline(always)]
    fn load_bytes(self, from: &[u8; LANES]) -> Halves {
        // SAFETY: `self` exists, so the features were detected; `from` is 16 bytes long.
        unsafe {
            let bytes = _mm_loadu_si128(from.as_ptr().cast());
            let upper = _mm_unpackhi_epi64(bytes, bytes);
            Halves(
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)),
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(upper)),
            )
        }
    }
    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES], value: Halves) {
        // SAFETY: `self` exists, so the features were detected; `to` is 16 bytes long.
        unsafe {
            let words = _mm256_packus_epi32(_mm256_cvtps_epi32(value.0), _mm256_cvtps_epi32(value.1));
            // Halves of registers are packed each on its own.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packus_epi16(
                _mm256_castsi256_si128(words),
                _mm256_extracti128_si256::<1>(words),
            );
            _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
        }
    }
    #[inline(always)]
    fn load_bf16(self, from: &[u16; LANES]) -> Halves {
        // SAFETY: `self` exists, so the features were detected; `from` is 16 values long.
        unsafe {
            let half = |bits| {
                let wide = _mm256_cvtepu16_epi32(bits);
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
            };
            let from = from.as_ptr();
            Halves(
                half(_mm_loadu_si128(from.cast())),
                half(_mm_loadu_si128(from.add(8).cast())),
            )
        }
    }
    #[inline(always)]
    fn store_bf16(self, to: &mut [u16; LANES], value: Halves) {
        // SAFETY: `self` exists, so the features were detected; `to` is 16 values long.
        unsafe {
            let pairs = _mm256_packus_epi32(upper_half(value.0), upper_half(value.1));
            // Halves of registers are packed each on its own.
            let bits = _mm256_permute4x64_epi64::<0b11_01_10_00>(pairs);
            _mm256_storeu_si256(to.as_mut_ptr().cast(), bits);
        }
    }
    #[inline(always)]
    fn load_bf16_pairs(self, from: &[[u16; 2]; LANES]) -> [Halves; 2] {
        // SAFETY: `self` exists, so the features were detected; `from` is 16 pairs long.
        unsafe {
            let from = from.as_ptr();
            let pairs = [
                _mm256_loadu_si256(from.cast()),
                _mm256_loadu_si256(from.add(8).cast()),
            ];
            let [a, b] = pairs.map(|pairs| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(pairs)));
            let mask = _mm256_set1_epi32(0xffff_0000_u32 as i32);
            let [c, d] = pairs.map(|pairs| _mm256_castsi256_ps(_mm256_and_si256(pairs, mask)));
            [Halves(a, b), Halves(c, d)]
        }
    }
    #[inline(always)]
    fn transpose(self, rows: [Halves; LANES]) -> [Halves; LANES] {
        let mut columns = rows;
        for upper_rows in [false, true] {
            for upper_columns in [false, true] {
                let half = |row: usize| {
                    let Halves(lower, upper) = rows[row + if upper_rows { 8 } else { 0 }];
                    if upper_columns { upper } else { lower }
                };
                let quarter = [0, 1, 2, 3, 4, 5, 6, 7].map(half);
                // SAFETY: `self` exists, so the features were detected.
                let turned = unsafe { transpose_quarter(quarter) };
                for (column, turned) in turned.into_iter().enumerate() {
                    let column = &mut columns[column + if upper_columns { 8 } else { 0 }];
                    if upper_rows {
                        column.1 = turned;
                    } else {
                        column.0 = turned;
                    }
                }
            }
        }
        columns
    }
    each_half! {
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        min(a, b) = _mm256_min_ps;
        max(a, b) = _mm256_max_ps;
        mul_add(a, b, c) = _mm256_fmadd_ps;
        neg_mul_add(a, b, c) = _mm256_fnmadd_ps;
        round(a) = round_half;
        power_of_two(a) = power_of_two_half;
    }
}

/// Turns 8 vectors of 8 values.
///
/// # Safety
/// The machine has AVX.
#[inline(always)]
unsafe fn transpose_quarter(rows: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        // Pairs of rows, then fours: vector `4 i + j` has of rows `4 i..4 i + 4` column `j` of each half.
        let (mut pairs, mut fours, mut columns) = (rows, rows, rows);
        for i in 0..4 {
            let (a, b) = (rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i] = _mm256_unpacklo_ps(a, b);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(a, b);
        }
        for i in 0..2 {
            for j in 0..2 {
                let (a, b) = (pairs[4 * i + j], pairs[4 * i + 2 + j]);
                fours[4 * i + 2 * j] = _mm256_shuffle_ps::<0b01_00_01_00>(a, b);
                fours[4 * i + 2 * j + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(a, b);
            }
        }
        for j in 0..4 {
            let (a, b) = (fours[j], fours[4 + j]);
            columns[j] = _mm256_permute2f128_ps::<0b0010_0000>(a, b);
            columns[4 + j] = _mm256_permute2f128_ps::<0b0011_0001>(a, b);
        }
        columns
    }
}

/// 8 bf16 as integers of 32 bits, see [`bf16_of`](super::vector::bf16_of).
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
unsafe fn upper_half(value: __m256) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let bits = _mm256_castps_si256(value);
        let upper = _mm256_srli_epi32::<16>(bits);
        let even = _mm256_and_si256(upper, _mm256_set1_epi32(1));
        let added = _mm256_add_epi32(_mm256_set1_epi32(0x7fff), even);
        let rounded = _mm256_srli_epi32::<16>(_mm256_add_epi32(bits, added));
        let is_nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(value, value));
        let nan = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
        _mm256_blendv_epi8(rounded, nan, is_nan)
    }
}

/// # Safety
/// The machine has AVX.
#[inline(always)]
unsafe fn round_half(a: __m256) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
}

/// The exponent's bits are put together by integer arithmetic.
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
unsafe fn power_of_two_half(a: __m256) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    }
}

/// The lower and the upper 8 sums, or the weights for them.
#[derive(Clone, Copy)]
pub(crate) struct IntegerHalves(__m256i, __m256i);

impl WordSimd for Avx2 {
    type Sums = IntegerHalves;
    type Weights = IntegerHalves;
    type Word = __m256i;
    type Pairs = IntegerHalves;
    type Float = Self;

    const VECTORS: usize = <Self as Simd>::VECTORS;
    const VALUES: usize = 4;

    #[inline(always)]
    fn float(self) -> Self {
        self
    }

    fn compiled<R: WordRoutine>(self) -> WordCompiled<R> {
        /// # Safety
        /// See [`WordRoutine::run`]; the machine has the features.
        #[target_feature(enable = "avx2,fma")]
        unsafe fn with_features<R: WordRoutine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise; there was a token when this function was chosen.
            unsafe { R::run(Avx2(()), call, common) }
        }
        with_features::<R>
    }

    #[inline(always)]
    fn zero(self) -> IntegerHalves {
        // SAFETY: `self` exists, so the features were detected.
        let zero = unsafe { _mm256_setzero_si256() };
        IntegerHalves(zero, zero)
    }
    #[inline(always)]
    unsafe fn weights(self, from: *const f32) -> IntegerHalves {
        // SAFETY: `self` exists, so the features were detected; the caller's promise.
        unsafe {
            IntegerHalves(
                _mm256_loadu_si256(from.cast()),
                _mm256_loadu_si256(from.add(8).cast()),
            )
        }
    }
    #[inline(always)]
    fn word(self, bytes: u32) -> __m256i {
        // SAFETY: `self` exists, so the features were detected.
        unsafe { _mm256_set1_epi32(bytes as i32) }
    }
    #[inline(always)]
    fn add_products(self, sums: IntegerHalves, word: __m256i, weights: IntegerHalves) -> IntegerHalves {
        // SAFETY: `self` exists, so the features were detected.
        let half = |sums, weights| unsafe {
            // Two products each, which 16 bits hold: see `LARGEST_PAIR`.
            let pairs = _mm256_maddubs_epi16(word, weights);
            _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        };
        IntegerHalves(half(sums.0, weights.0), half(sums.1, weights.1))
    }
    #[inline(always)]
    unsafe fn pairs(self, first: *const f32, second: *const f32) -> IntegerHalves {
        // SAFETY: `self` exists, so the features were detected; the caller's promise.
        unsafe {
            let first = _mm_loadu_si128(first.cast());
            let second = _mm_loadu_si128(second.cast());
            let (lower, upper) = (_mm_unpacklo_epi8(first, second), _mm_unpackhi_epi8(first, second));
            IntegerHalves(_mm256_cvtepu8_epi16(lower), _mm256_cvtepu8_epi16(upper))
        }
    }
    #[inline(always)]
    unsafe fn pair_weights(self, from: *const f32) -> IntegerHalves {
        // SAFETY: the caller's promise: they lie as those of words do.
        unsafe { self.weights(from) }
    }
    #[inline(always)]
    fn add_pair_products(
        self,
        sums: IntegerHalves,
        pairs: IntegerHalves,
        weights: IntegerHalves,
    ) -> IntegerHalves {
        // SAFETY: `self` exists, so the features were detected.
        let half =
            |sums, pairs, weights| unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, weights)) };
        IntegerHalves(half(sums.0, pairs.0, weights.0), half(sums.1, pairs.1, weights.1))
    }
    #[inline(always)]
    fn numbers(self, sums: IntegerHalves) -> Halves {
        // SAFETY: `self` exists, so the features were detected.
        unsafe { Halves(_mm256_cvtepi32_ps(sums.0), _mm256_cvtepi32_ps(sums.1)) }
    }
}

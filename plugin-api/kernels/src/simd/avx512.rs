//! AVX-512: one register holds the 16 values.

use super::vector::{Compiled, Kernel, LANES, Routine, Simd};
use std::arch::{asm, x86_64::*};

/// The proof that this machine has AVX-512 F and DQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512 {
    /// Whether it rounds to bf16 by an instruction of its own.
    rounds: bool,
}

impl Avx512 {
    /// # Safety
    /// The machine has the features, and where it `rounds`, AVX512-BF16.
    #[inline(always)]
    pub(super) unsafe fn assumed(rounds: bool) -> Self {
        Self { rounds }
    }

    pub(super) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma");
        let rounds = is_x86_feature_detected!("avx512bf16");
        has.then_some(Self { rounds })
    }

    #[inline]
    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,fma")]
        fn with_features(simd: Avx512, kernel: impl Kernel) {
            kernel.run(simd);
        }
        // SAFETY: `self` exists, so the features were detected.
        unsafe { with_features(self, kernel) }
    }
}

// SAFETY of every block below: `self` exists, so the features were detected.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one line above holds for all")]
impl Simd for Avx512 {
    type Vector = __m512;

    const VECTORS: usize = 32;

    fn compiled<R: Routine>(self) -> Compiled<R> {
        /// # Safety
        /// See [`Routine::run`]; the machine has the features.
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,fma")]
        unsafe fn with_features<R: Routine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise; there was a token when this function was chosen.
            unsafe { R::run(Avx512 { rounds: false }, call, common) }
        }
        with_features::<R>
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a hint, which no address makes fail.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }

    #[inline(always)]
    fn prefetch_near(self, at: *const f32) {
        // SAFETY: a hint, which no address makes fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> __m512 {
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES], value: __m512) {
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn load_bytes(self, from: &[u8; LANES]) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }
    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES], value: __m512) {
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value));
            _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
        }
    }
    #[inline(always)]
    fn load_bf16(self, from: &[u16; LANES]) -> __m512 {
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.as_ptr().cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    fn store_bf16(self, to: &mut [u16; LANES], value: __m512) {
        if self.rounds {
            // The instruction takes numbers below the normal ones for 0.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), rounded(value)) }
            return;
        }
        unsafe {
            let bits = _mm512_castps_si512(value);
            let upper = _mm512_srli_epi32::<16>(bits);
            let even = _mm512_and_si512(upper, _mm512_set1_epi32(1));
            let added = _mm512_add_epi32(_mm512_set1_epi32(0x7fff), even);
            let rounded = _mm512_srli_epi32::<16>(_mm512_add_epi32(bits, added));
            let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(value, value);
            let rounded = _mm512_mask_or_epi32(rounded, is_nan, upper, _mm512_set1_epi32(0x40));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(rounded));
        }
    }
    #[inline(always)]
    fn load_bf16_pairs(self, from: &[[u16; 2]; LANES]) -> [__m512; 2] {
        unsafe {
            let pairs = _mm512_loadu_si512(from.as_ptr().cast());
            let second = _mm512_and_si512(pairs, _mm512_set1_epi32(0xffff_0000_u32 as i32));
            [_mm512_slli_epi32::<16>(pairs), second].map(|bits| _mm512_castsi512_ps(bits))
        }
    }
    #[inline(always)]
    fn transpose(self, rows: [__m512; LANES]) -> [__m512; LANES] {
        unsafe {
            // Pairs of rows, then fours: vector `4 i + j` has of rows `4 i..4 i + 4` column `j` of each quarter.
            let (mut pairs, mut fours) = (rows, rows);
            for i in 0..8 {
                let (a, b) = (rows[2 * i], rows[2 * i + 1]);
                pairs[2 * i] = _mm512_unpacklo_ps(a, b);
                pairs[2 * i + 1] = _mm512_unpackhi_ps(a, b);
            }
            for i in 0..4 {
                for j in 0..2 {
                    let (a, b) = (pairs[4 * i + j], pairs[4 * i + 2 + j]);
                    let (a, b) = (_mm512_castps_pd(a), _mm512_castps_pd(b));
                    fours[4 * i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                    fours[4 * i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                }
            }
            // Then the quarters.
            let mut columns = rows;
            for j in 0..4 {
                let [a, b, c, d] = [fours[j], fours[4 + j], fours[8 + j], fours[12 + j]];
                let (even, odd) = (
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b),
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b),
                );
                let (more_even, more_odd) = (
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(c, d),
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(c, d),
                );
                columns[j] = _mm512_shuffle_f32x4::<0b10_00_10_00>(even, more_even);
                columns[4 + j] = _mm512_shuffle_f32x4::<0b10_00_10_00>(odd, more_odd);
                columns[8 + j] = _mm512_shuffle_f32x4::<0b11_01_11_01>(even, more_even);
                columns[12 + j] = _mm512_shuffle_f32x4::<0b11_01_11_01>(odd, more_odd);
            }
            columns
        }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    fn power_of_two(self, a: __m512) -> __m512 {
        unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), a) }
    }
}

/// 16 numbers rounded to bf16. The compiler's own function for it can only become part of kernels that are compiled once
/// more for machines that have it.
///
/// # Safety
/// The machine has AVX512-BF16.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn rounded(value: __m512) -> __m256i {
    let bits: __m256i;
    // SAFETY: the caller's promise; it changes nothing else.
    unsafe {
        asm!(
            "vcvtneps2bf16 {bits}, {value}",
            bits = lateout(ymm_reg) bits,
            value = in(zmm_reg) value,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    bits
}

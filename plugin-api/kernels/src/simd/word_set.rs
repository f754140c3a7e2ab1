//! The choice among the instruction sets that have products of words.

#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512, bf16::Avx512Bf16, vnni::Vnni};
use super::{bf16::Bf16On, portable::Portable, words::WordSimd};

/// What a machine multiplies words with: bytes, or bf16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordSet {
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16(Avx512Bf16),
    #[cfg(target_arch = "x86_64")]
    Bf16OnAvx512(Bf16On<Avx512>),
    #[cfg(target_arch = "x86_64")]
    Bf16OnAvx2(Bf16On<Avx2>),
    #[cfg(target_arch = "aarch64")]
    Bf16OnNeon(Bf16On<Neon>),
    Bf16OnPortable(Bf16On<Portable>),
}

/// Calls a function of the set's token.
macro_rules! with_words {
    ($set:expr, $simd:ident => $value:expr) => {
        match $set {
            #[cfg(target_arch = "x86_64")]
            $crate::simd::WordSet::Vnni($simd) => $value,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::WordSet::Avx2($simd) => $value,
            $crate::simd::WordSet::Portable($simd) => $value,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::WordSet::Avx512Bf16($simd) => $value,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::WordSet::Bf16OnAvx512($simd) => $value,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::WordSet::Bf16OnAvx2($simd) => $value,
            #[cfg(target_arch = "aarch64")]
            $crate::simd::WordSet::Bf16OnNeon($simd) => $value,
            $crate::simd::WordSet::Bf16OnPortable($simd) => $value,
        }
    };
}
pub(crate) use with_words;

impl WordSet {
    /// See [`WordSimd::VECTORS`].
    pub(crate) fn vectors(self) -> usize {
        fn of<W: WordSimd>(_: W) -> usize {
            W::VECTORS
        }
        with_words!(self, simd => of(simd))
    }
}

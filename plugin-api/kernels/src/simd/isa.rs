//! The instruction sets of this machine.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::{bf16::Avx512Bf16, speed::bf16_pays, vnni::Vnni};
use super::{
    bf16::Bf16On,
    portable::Portable,
    vector::{Kernel, Simd},
    word_set::WordSet,
};

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    Portable(Portable),
}

impl Isa {
    /// The sets that this machine has, the fastest one first. The last one is portable.
    pub fn detected() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(Avx512::detect().map(|simd| Self(Set::Avx512(simd))));
            sets.extend(Avx2::detect().map(|simd| Self(Set::Avx2(simd))));
        }
        #[cfg(target_arch = "aarch64")]
        sets.extend(Neon::detect().map(|simd| Self(Set::Neon(simd))));
        sets.push(Self(Set::Portable(Portable)));
        sets
    }

    /// The fastest set of this machine.
    pub fn best() -> Self {
        Self::detected()[0]
    }

    /// A short name: `avx512`, `avx2`, `neon`, `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => "neon",
            Set::Portable(_) => "portable",
        }
    }

    /// Runs a kernel with this set's instructions.
    #[inline]
    pub(crate) fn run(self, kernel: impl Kernel) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => simd.run(kernel),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(simd) => simd.run(kernel),
            Set::Portable(simd) => kernel.run(simd),
        }
    }

    /// What bytes are multiplied with.
    pub(crate) fn bytes(self) -> WordSet {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => match (Vnni::detect(simd), Avx2::detect()) {
                (Some(simd), _) => WordSet::Vnni(simd),
                (None, Some(simd)) => WordSet::Avx2(simd),
                (None, None) => WordSet::Portable(Portable),
            },
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => WordSet::Avx2(simd),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => WordSet::Portable(Portable),
            Set::Portable(simd) => WordSet::Portable(simd),
        }
    }

    /// What bf16 are multiplied with.
    pub(crate) fn bf16(self) -> WordSet {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => match Avx512Bf16::detect(simd) {
                Some(simd) => WordSet::Avx512Bf16(simd),
                None => WordSet::Bf16OnAvx512(Bf16On(simd)),
            },
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => WordSet::Bf16OnAvx2(Bf16On(simd)),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(simd) => WordSet::Bf16OnNeon(Bf16On(simd)),
            Set::Portable(simd) => WordSet::Bf16OnPortable(Bf16On(simd)),
        }
    }

    /// Whether the machine multiplies bf16 by an instruction of its own that is faster than those of `f32`, which is
    /// measured the first time that it is asked.
    pub fn gains_by_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if let WordSet::Avx512Bf16(simd) = self.bf16() {
            return bf16_pays(simd);
        }
        false
    }

    /// See [`Simd::VECTORS`].
    pub(crate) fn vectors(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => Avx512::VECTORS,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => Avx2::VECTORS,
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => Neon::VECTORS,
            Set::Portable(_) => Portable::VECTORS,
        }
    }
}

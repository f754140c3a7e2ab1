//! The instruction sets of this machine.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::vnni::Vnni;
use super::{
    byte_set::ByteSet,
    portable::Portable,
    vector::{Kernel, Simd},
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
    pub(crate) fn bytes(self) -> ByteSet {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(simd) => match (Vnni::detect(simd), Avx2::detect()) {
                (Some(simd), _) => ByteSet::Vnni(simd),
                (None, Some(simd)) => ByteSet::Avx2(simd),
                (None, None) => ByteSet::Portable(Portable),
            },
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(simd) => ByteSet::Avx2(simd),
            #[cfg(target_arch = "aarch64")]
            Set::Neon(_) => ByteSet::Portable(Portable),
            Set::Portable(simd) => ByteSet::Portable(simd),
        }
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

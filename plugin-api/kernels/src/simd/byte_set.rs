//! The choice among the instruction sets that have products of bytes.

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, vnni::Vnni};
use super::{bytes::ByteSimd, portable::Portable};

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

//! How fast an instruction is, where having it does not say so: Intel's processors multiply pairs of bf16 at a quarter of the
//! rate of `f32`, AMD's at the same.

use super::{
    bf16::{Avx512Bf16, Bf16On},
    vector::{LANES, Simd},
    words::{WordRoutine, WordSimd},
};
use std::{
    cell::Cell,
    hint::black_box,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Sums that are added to in turn, so that none waits for the last addition to itself.
const SUMS: usize = 12;

/// How often something is added to each of them: about a microsecond for all.
const TIMES: usize = 200;

/// The fastest of so many tries counts: others were interrupted, or ran before the processor was at its full speed.
const TRIES: usize = 8;

/// Whether the instruction for bf16 is faster than those of `f32`; measured once.
pub(super) fn bf16_pays(simd: Avx512Bf16) -> bool {
    static PAYS: OnceLock<bool> = OnceLock::new();
    *PAYS.get_or_init(|| beats_floats(simd))
}

/// Whether `one` makes the sums of products of pairs of bf16 faster than multiplying `f32` makes them, by a fifth or more. It takes
/// some microseconds to know.
fn beats_floats<W: WordSimd>(one: W) -> bool {
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..TRIES {
        // In turn, so that both find the processor alike.
        let took = [time(one), time(Bf16On(one.float()))];
        for (fastest, took) in fastest.iter_mut().zip(took) {
            *fastest = took.min(*fastest);
        }
    }
    let [one, floats] = fastest;
    one * 6 <= floats * 5
}

/// What [`TIMES`] additions to each of the sums take.
fn time<W: WordSimd>(simd: W) -> Duration {
    let sums = Cell::new([0.0; LANES]);
    let routine = simd.compiled::<Additions>();
    let started = Instant::now();
    // SAFETY: the routine asks for nothing.
    unsafe { routine((), &sums) };
    let took = started.elapsed();
    black_box(sums.get());
    took
}

/// Adds 1 * 1 + 1 * 1 to each of the sums, [`TIMES`] times; what the lanes of all sums come to together is left behind.
struct Additions;

impl WordRoutine for Additions {
    type Call = ();
    type Common = Cell<[f32; LANES]>;

    #[inline(always)]
    unsafe fn run<W: WordSimd>(simd: W, (): (), total: &Self::Common) {
        /// Two bf16 of 1.
        const ONES: u32 = 0x3f80_3f80;
        let float = simd.float();
        let ones = black_box([f32::from_bits(ONES); LANES]);
        // SAFETY: there are 16 words.
        let weights = unsafe { simd.weights(ones.as_ptr()) };
        let word = simd.word(black_box(ONES));
        let mut sums = [simd.zero(); SUMS];
        for _ in 0..TIMES {
            for sum in &mut sums {
                *sum = simd.add_products(*sum, word, weights);
            }
        }
        let mut all = float.splat(0.0);
        for sum in sums {
            all = float.add(all, simd.numbers(sum));
        }
        let mut lanes = [0.0; LANES];
        float.store(&mut lanes, all);
        total.set(lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, with_words};

    #[test]
    fn what_is_timed_is_computed() {
        fn total<W: WordSimd>(simd: W) -> [f32; LANES] {
            let sums = Cell::new([0.0; LANES]);
            // SAFETY: the routine asks for nothing.
            unsafe { simd.compiled::<Additions>()((), &sums) };
            sums.get()
        }
        for isa in Isa::detected() {
            let total = with_words!(isa.bf16(), simd => total(simd));
            assert_eq!(total, [(2 * SUMS * TIMES) as f32; LANES], "{}", isa.name());
        }
    }
}

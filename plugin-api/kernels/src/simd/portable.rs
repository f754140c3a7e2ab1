//! Plain Rust, for machines without any of the other sets and for Miri; the compiler vectorises it as the
//! target allows.

use super::{
    vector::{Compiled, LANES, Routine, Simd},
    words::{WordCompiled, WordRoutine, WordSimd},
};

/// Every machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portable;

macro_rules! each_lane {
    ($($name:ident($a:ident $(, $other:ident)*) = $value:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, $a: [f32; LANES] $(, $other: [f32; LANES])*) -> [f32; LANES] {
            // Not `array::from_fn` or an iterator, whose calls take Miri most of its time.
            let mut result = [0.0; LANES];
            let mut lane = 0;
            while lane < LANES {
                let $a = $a[lane];
                $(let $other = $other[lane];)*
                result[lane] = $value;
                lane += 1;
            }
            result
        }
    )+};
}

impl Simd for Portable {
    type Vector = [f32; LANES];

    // What machines have at least that compilers make vectors for: 16 registers of 4 values.
    const VECTORS: usize = 4;

    fn compiled<R: Routine>(self) -> Compiled<R> {
        /// # Safety
        /// See [`Routine::run`].
        unsafe fn portable<R: Routine>(call: R::Call, common: &R::Common) {
            // SAFETY: the caller's promise.
            unsafe { R::run(Portable, call, common) }
        }
        portable::<R>
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; LANES] {
        [value; LANES]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> [f32; LANES] {
        *from
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES], value: [f32; LANES]) {
        *to = value;
    }
    each_lane! {
        add(a, b) = a + b;
        sub(a, b) = a - b;
        mul(a, b) = a * b;
        div(a, b) = a / b;
        min(a, b) = if a < b { a } else { b };
        max(a, b) = if a > b { a } else { b };
        // Not `f32::mul_add`, which is a slow library call on machines without the instruction.
        mul_add(a, b, c) = a * b + c;
        neg_mul_add(a, b, c) = c - a * b;
        round(a) = a.round_ties_even();
        power_of_two(a) = f32::from_bits(((a as i32 + 127) as u32) << 23);
    }
}

impl WordSimd for Portable {
    type Sums = [i32; LANES];
    type Weights = [[i8; 4]; LANES];
    type Word = [u8; 4];
    type Pairs = [[i16; 2]; LANES];
    type Float = Self;

    const VECTORS: usize = <Self as Simd>::VECTORS;
    const VALUES: usize = 4;

    #[inline(always)]
    fn float(self) -> Self {
        self
    }

    fn compiled<R: WordRoutine>(self) -> WordCompiled<R> {
        /// # Safety
        /// See [`WordRoutine::run`].
        unsafe fn portable<R: WordRoutine>(call: R::Call, common: &R::Common) {
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
    unsafe fn pairs(self, first: *const f32, second: *const f32) -> [[i16; 2]; LANES] {
        // SAFETY: the caller's promise; bytes have no alignment.
        let rows = unsafe { [*first.cast::<[u8; LANES]>(), *second.cast::<[u8; LANES]>()] };
        std::array::from_fn(|lane| rows.map(|row| i16::from(row[lane])))
    }

    #[inline(always)]
    unsafe fn pair_weights(self, from: *const f32) -> [[i16; 2]; LANES] {
        // SAFETY: the caller's promise; integers of 16 bits need less alignment than `f32`.
        unsafe { *from.cast::<[[i16; 2]; LANES]>() }
    }

    #[inline(always)]
    fn add_pair_products(
        self,
        sums: [i32; LANES],
        pairs: [[i16; 2]; LANES],
        weights: [[i16; 2]; LANES],
    ) -> [i32; LANES] {
        let product = |lane: usize, of: usize| i32::from(pairs[lane][of]) * i32::from(weights[lane][of]);
        std::array::from_fn(|lane| sums[lane] + product(lane, 0) + product(lane, 1))
    }

    #[inline(always)]
    fn numbers(self, sums: [i32; LANES]) -> [f32; LANES] {
        sums.map(|sum| sum as f32)
    }
}

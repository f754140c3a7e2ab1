//! A vector of 16 `f32`, and what is written once for every instruction set.

/// Values in a vector, and channels in a block of the blocked layout.
pub(crate) const LANES: usize = 16;

/// The bf16 that is nearest to a number, of two the even one. A bf16 is the upper 16 bits of an `f32`.
#[inline(always)]
pub(crate) fn bf16_of(number: f32) -> u16 {
    let bits = number.to_bits();
    if number.is_nan() {
        // With a bit set that rounding could not lose.
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// A computation that can be compiled for every instruction set.
pub(crate) trait Kernel {
    /// Runs it. Implementations are `#[inline(always)]`, or else they are compiled without the set's instructions.
    fn run<S: Simd>(self, simd: S);
}

/// A function of its own in machine code, which kernels choose once and call often.
pub(crate) trait Routine {
    /// What each call has for itself.
    type Call;
    /// What many calls share.
    type Common;

    /// Runs it. Implementations are `#[inline(always)]`, or else they are compiled without the set's instructions.
    ///
    /// # Safety
    /// What the implementation asks for.
    unsafe fn run<S: Simd>(simd: S, call: Self::Call, common: &Self::Common);
}

/// A [`Routine`] compiled for one instruction set.
pub(crate) type Compiled<R> = unsafe fn(<R as Routine>::Call, &<R as Routine>::Common);

/// 16 `f32` and what can be done with them.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// 16 `f32`.
    type Vector: Copy;

    /// How many vectors the registers hold.
    const VECTORS: usize;

    /// The routine compiled for this set. Calling it takes what [`Routine::run`] asks for, and no more: `self` is the
    /// proof that the machine has the instructions.
    fn compiled<R: Routine>(self) -> Compiled<R>;

    /// Begins to bring what is at an address, which need not be valid, into the second cache; or does nothing.
    #[inline(always)]
    fn prefetch(self, _: *const f32) {}

    /// The same for the first cache.
    #[inline(always)]
    fn prefetch_near(self, _: *const f32) {}

    fn splat(self, value: f32) -> Self::Vector;
    fn load(self, from: &[f32; LANES]) -> Self::Vector;
    fn store(self, to: &mut [f32; LANES], value: Self::Vector);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The smaller one; `b` where one is not a number, and where both are zero, of whatever sign.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger one; `b` where one is not a number, and where both are zero, of whatever sign.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// To the nearest integer, the even one of two.
    fn round(self, a: Self::Vector) -> Self::Vector;
    /// `2^a` for an integer `a` in -126..=127.
    fn power_of_two(self, a: Self::Vector) -> Self::Vector;

    /// 16 bytes as numbers.
    #[inline(always)]
    fn load_bytes(self, from: &[u8; LANES]) -> Self::Vector {
        self.load(&from.map(f32::from))
    }

    /// Writes integers of 0..=255 as bytes, each rounded to the nearest first.
    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; LANES], value: Self::Vector) {
        let mut rounded = [0.0; LANES];
        self.store(&mut rounded, self.round(value));
        *to = rounded.map(|value| value as u8);
    }

    /// 16 bf16 as numbers.
    #[inline(always)]
    fn load_bf16(self, from: &[u16; LANES]) -> Self::Vector {
        self.load(&from.map(|bits| f32::from_bits(u32::from(bits) << 16)))
    }

    /// Writes the bf16 that are nearest to the numbers, see [`bf16_of`].
    #[inline(always)]
    fn store_bf16(self, to: &mut [u16; LANES], value: Self::Vector) {
        let mut numbers = [0.0; LANES];
        self.store(&mut numbers, value);
        *to = numbers.map(bf16_of);
    }

    /// 16 pairs of bf16: the first ones as numbers, and the second ones.
    #[inline(always)]
    fn load_bf16_pairs(self, from: &[[u16; 2]; LANES]) -> [Self::Vector; 2] {
        let all = |of: usize| self.load_bf16(&from.map(|pair| pair[of]));
        [all(0), all(1)]
    }

    /// Turns 16 vectors: lane `i` of vector `j` of the result is lane `j` of vector `i`.
    #[inline(always)]
    fn transpose(self, rows: [Self::Vector; LANES]) -> [Self::Vector; LANES] {
        let mut values = [[0.0; LANES]; LANES];
        for (values, row) in values.iter_mut().zip(rows) {
            self.store(values, row);
        }
        let mut columns = rows;
        for (lane, column) in columns.iter_mut().enumerate() {
            *column = self.load(&values.map(|values| values[lane]));
        }
        columns
    }

    /// The first 16 values of a slice.
    ///
    /// # Panics
    /// Where there are fewer.
    #[inline(always)]
    fn load_slice(self, from: &[f32]) -> Self::Vector {
        assert!(from.len() >= LANES);
        // SAFETY: the assertion; an array of `f32` has the alignment of `f32`.
        unsafe { self.load_at(from.as_ptr()) }
    }

    /// # Safety
    /// 16 values can be read at `from`.
    #[inline(always)]
    unsafe fn load_at(self, from: *const f32) -> Self::Vector {
        // SAFETY: the caller's promise; an array of `f32` has the alignment of `f32`.
        self.load(unsafe { &*from.cast::<[f32; LANES]>() })
    }

    /// # Safety
    /// 16 values can be written at `to`, and nobody else reads or writes them now.
    #[inline(always)]
    unsafe fn store_at(self, to: *mut f32, value: Self::Vector) {
        // SAFETY: the caller's promise; an array of `f32` has the alignment of `f32`.
        self.store(unsafe { &mut *to.cast::<[f32; LANES]>() }, value);
    }
}

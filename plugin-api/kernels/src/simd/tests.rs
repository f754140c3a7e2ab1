//! Every operation of every instruction set against its definition, bit by bit.

use super::*;

const SPECIAL: [f32; LANES] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.5,
    -2.5,
    -0.3,
    8_388_609.0,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

#[derive(Clone, Copy)]
enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    MulAdd,
    NegMulAdd,
    Round,
    PowerOfTwo,
}

impl Operation {
    #[inline(always)]
    fn vectors<S: Simd>(self, simd: S, [a, b, c]: [S::Vector; 3]) -> S::Vector {
        match self {
            Self::Add => simd.add(a, b),
            Self::Sub => simd.sub(a, b),
            Self::Mul => simd.mul(a, b),
            Self::Div => simd.div(a, b),
            Self::Min => simd.min(a, b),
            Self::Max => simd.max(a, b),
            Self::MulAdd => simd.mul_add(a, b, c),
            Self::NegMulAdd => simd.neg_mul_add(a, b, c),
            Self::Round => simd.round(a),
            Self::PowerOfTwo => simd.power_of_two(a),
        }
    }

    fn definition(self, [a, b, c]: [f32; 3]) -> f32 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Min => [b, a][usize::from(a < b)],
            Self::Max => [b, a][usize::from(a > b)],
            Self::MulAdd => a * b + c,
            Self::NegMulAdd => c - a * b,
            Self::Round => a.round_ties_even(),
            Self::PowerOfTwo => 2.0_f64.powf(f64::from(a)) as f32,
        }
    }
}

struct Apply<'a> {
    operation: Operation,
    operands: [[f32; LANES]; 3],
    result: &'a mut [f32; LANES],
}

impl Kernel for Apply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let operands = self.operands.map(|operand| simd.load(&operand));
        simd.store(self.result, self.operation.vectors(simd, operands));
    }
}

/// Numbers that are not are alike; zeros of different signs are not.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

fn check(name: &str, operation: Operation, operands: [[f32; LANES]; 3]) {
    for isa in Isa::detected() {
        let mut result = [0.0; LANES];
        isa.run(Apply {
            operation,
            operands,
            result: &mut result,
        });
        for (lane, &found) in result.iter().enumerate() {
            let operands = operands.map(|operand| operand[lane]);
            let expected = operation.definition(operands);
            assert!(
                same(found, expected),
                "{} {name}{operands:?} in lane {lane} is {found}, not {expected}",
                isa.name()
            );
        }
    }
}

#[test]
fn arithmetic_treats_special_values_as_defined() {
    for turn in 0..LANES {
        let mut other = SPECIAL;
        other.rotate_left(turn);
        let operands = [SPECIAL, other, [0.0; LANES]];
        check("add", Operation::Add, operands);
        check("sub", Operation::Sub, operands);
        check("mul", Operation::Mul, operands);
        check("div", Operation::Div, operands);
        check("min", Operation::Min, operands);
        check("max", Operation::Max, operands);
    }
    check("round", Operation::Round, [SPECIAL; 3]);
}

/// Of small integers, because portable sets round the product.
#[test]
fn products_are_added_to_and_subtracted_from_the_third_operand() {
    let operands = [3.0, 5.0, -7.0].map(|factor| std::array::from_fn(|lane| factor * lane as f32 - 40.0));
    check("mul_add", Operation::MulAdd, operands);
    check("neg_mul_add", Operation::NegMulAdd, operands);
}

#[test]
fn powers_of_two_are_exact() {
    for first in (-126..=112).step_by(14) {
        let exponents = std::array::from_fn(|lane| (first + lane as i32).min(127) as f32);
        check("power_of_two", Operation::PowerOfTwo, [exponents; 3]);
    }
}

struct Transpose<'a> {
    rows: &'a [[f32; LANES]; LANES],
    columns: &'a mut [[f32; LANES]; LANES],
}

impl Kernel for Transpose<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let columns = simd.transpose(self.rows.map(|row| simd.load(&row)));
        for (to, column) in self.columns.iter_mut().zip(columns) {
            simd.store(to, column);
        }
    }
}

#[test]
fn rows_become_columns() {
    let rows = std::array::from_fn(|row| std::array::from_fn(|lane| (LANES * row + lane) as f32));
    for isa in Isa::detected() {
        let mut columns = [[0.0; LANES]; LANES];
        isa.run(Transpose {
            rows: &rows,
            columns: &mut columns,
        });
        for (row, values) in rows.iter().enumerate() {
            for (lane, &value) in values.iter().enumerate() {
                assert_eq!(columns[lane][row], value, "{} [{row}][{lane}]", isa.name());
            }
        }
    }
}

/// Through memory as bf16 and back.
struct ThroughBf16<'a> {
    numbers: &'a [f32; LANES],
    bits: &'a mut [u16; LANES],
    back: &'a mut [f32; LANES],
    pairs: &'a mut [[f32; LANES]; 2],
}

impl Kernel for ThroughBf16<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        simd.store_bf16(self.bits, simd.load(self.numbers));
        simd.store(self.back, simd.load_bf16(self.bits));
        let pairs = std::array::from_fn(|lane| [self.bits[lane], self.bits[LANES - 1 - lane]]);
        for (to, from) in self.pairs.iter_mut().zip(simd.load_bf16_pairs(&pairs)) {
            simd.store(to, from);
        }
    }
}

/// The nearest number of 8 binary digits, of two the even one.
fn nearest_bf16(number: f32) -> f32 {
    let exponent = f64::from(number.abs()).log2().floor().max(-126.0);
    let unit = (exponent - 7.0).exp2();
    let nearest = (f64::from(number) / unit).round_ties_even() * unit;
    // `MAX` of bf16 is less than that of `f32`.
    if number.is_finite() && nearest.abs() >= 2f64.powi(128) {
        return f32::INFINITY.copysign(number);
    }
    if number.is_finite() && number != 0.0 {
        nearest as f32
    } else {
        number
    }
}

#[test]
fn bf16_are_the_nearest_ones_and_come_back() {
    let ties = std::array::from_fn(|lane| f32::from_bits(0x3f80_8000 + ((lane as u32) << 16)));
    let others =
        std::array::from_fn(|lane| f32::from_bits(0x4567_89ab_u32.wrapping_mul(2 * lane as u32 + 1)));
    for numbers in [SPECIAL, ties, others] {
        for isa in Isa::detected() {
            let (mut bits, mut back, mut pairs) = ([0; LANES], [0.0; LANES], [[0.0; LANES]; 2]);
            isa.run(ThroughBf16 {
                numbers: &numbers,
                bits: &mut bits,
                back: &mut back,
                pairs: &mut pairs,
            });
            for (lane, &number) in numbers.iter().enumerate() {
                let (found, expected) = (back[lane], nearest_bf16(number));
                assert!(
                    same(found, expected),
                    "{} makes {found} of {number}, not {expected}",
                    isa.name()
                );
                assert!(same(pairs[0][lane], found) && same(pairs[1][LANES - 1 - lane], found));
            }
        }
    }
}

//! Functions of vectors: the exponential and those that follow from it.

use super::vector::Simd;

/// `e^x`, relative error below 2 ulp; below -87 it is 0 within 1e-38, above 88 it stays at `e^88`.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`, and Taylor's polynomial of degree 7 in `r`, whose remainder is
/// below 6e-9; `n ln 2` is subtracted in two parts (Cody and Waite) so that `r` is exact.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let x = simd.min(simd.max(x, simd.splat(-87.0)), simd.splat(88.0));
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    let r = simd.neg_mul_add(n, simd.splat(0.693_359_4), x);
    let r = simd.mul_add(n, simd.splat(2.121_944_4e-4), r);
    let mut sum = simd.splat(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = simd.mul_add(sum, r, simd.splat(coefficient));
    }
    simd.mul(sum, simd.power_of_two(n))
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    simd.div(one, simd.add(one, exp(simd, simd.sub(simd.splat(0.0), x))))
}

/// `sin(x)`; absolute error below 2e-7 for angles up to some thousands.
///
/// Whole half turns are taken off, which change the sign alone; a Taylor series has the rest, -pi/2 to pi/2.
#[inline(always)]
pub(crate) fn sin<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    // pi in three parts, the first of few enough bits that whole multiples of it are exact.
    const PI: [f32; 3] = [3.140_625, 9.676_536e-4, 5.126_566e-12];
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::FRAC_1_PI)));
    let r = PI
        .into_iter()
        .fold(x, |r, part| simd.neg_mul_add(n, simd.splat(part), r));
    let square = simd.mul(r, r);
    let mut sum = simd.splat(-1.0 / 39_916_800.0);
    for coefficient in [1.0 / 362_880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0, 1.0] {
        sum = simd.mul_add(sum, square, simd.splat(coefficient));
    }
    // n - 2 round(n / 2) is 0 where n is even, and 1 or -1 where it is odd.
    let whole_turns = simd.round(simd.mul(n, simd.splat(0.5)));
    let odd = simd.neg_mul_add(whole_turns, simd.splat(2.0), n);
    let sign = simd.neg_mul_add(simd.mul(odd, odd), simd.splat(2.0), simd.splat(1.0));
    simd.mul(simd.mul(r, sum), sign)
}

/// `erfc(z)` for `z >= 0`; absolute error below 2e-7.
///
/// Rational Chebyshev fit after Numerical Recipes (`erfcc`): `t e^(-z^2 + p(t))` with `t = 1 / (1 + z / 2)`,
/// whose relative error is below 1.2e-7 everywhere.
#[inline(always)]
#[allow(
    clippy::excessive_precision,
    reason = "the coefficients as they were published"
)]
pub(crate) fn complementary_error<S: Simd>(simd: S, z: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    let t = simd.div(one, simd.mul_add(z, simd.splat(0.5), one));
    let mut sum = simd.splat(0.170_872_77);
    for coefficient in [
        -0.822_152_23,
        1.488_515_9,
        -1.135_204,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_7,
        -1.265_512_23,
    ] {
        sum = simd.mul_add(sum, t, simd.splat(coefficient));
    }
    simd.mul(t, exp(simd, simd.neg_mul_add(z, z, sum)))
}

#[cfg(test)]
mod tests;

//! Functions of vectors: the exponential and the activations.

use super::Simd;
use crate::graph::Activation;

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
fn sigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    simd.div(one, simd.add(one, exp(simd, simd.sub(simd.splat(0.0), x))))
}

/// `min(max(x + 3, 0), 6) / 6`
#[inline(always)]
fn hard_sigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let shifted = simd.max(simd.add(x, simd.splat(3.0)), simd.splat(0.0));
    simd.mul(simd.min(shifted, simd.splat(6.0)), simd.splat(1.0 / 6.0))
}

/// `|x|`
#[inline(always)]
fn magnitude<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.max(x, simd.sub(simd.splat(0.0), x))
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
fn complementary_error<S: Simd>(simd: S, z: S::Vector) -> S::Vector {
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

/// `x * (1 + erf(x / sqrt(2))) / 2`
#[inline(always)]
fn gelu<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let size = magnitude(simd, x);
    let tail = complementary_error(simd, simd.mul(size, simd.splat(std::f32::consts::FRAC_1_SQRT_2)));
    // gelu(x) = max(x, 0) - |x| erfc(|x| / sqrt(2)) / 2, on both sides of zero.
    let half = simd.mul(size, simd.splat(0.5));
    simd.neg_mul_add(half, tail, simd.max(x, simd.splat(0.0)))
}

/// An activation of 16 values.
#[inline(always)]
pub(crate) fn activate<S: Simd>(simd: S, activation: Activation, x: S::Vector) -> S::Vector {
    match activation {
        Activation::Relu => simd.max(x, simd.splat(0.0)),
        Activation::Relu6 => simd.min(simd.max(x, simd.splat(0.0)), simd.splat(6.0)),
        Activation::LeakyRelu(slope) => simd.max(simd.mul(x, simd.splat(slope)), x),
        Activation::Silu => simd.mul(x, sigmoid(simd, x)),
        Activation::HardSwish => simd.mul(x, hard_sigmoid(simd, x)),
        Activation::HardSigmoid => hard_sigmoid(simd, x),
        Activation::Sigmoid => sigmoid(simd, x),
        Activation::Gelu => gelu(simd, x),
        Activation::QuickGelu => simd.mul(x, sigmoid(simd, simd.mul(x, simd.splat(1.702)))),
        Activation::Tanh => {
            // tanh(x) = 2 sigmoid(2 x) - 1
            let twice = sigmoid(simd, simd.add(x, x));
            simd.sub(simd.add(twice, twice), simd.splat(1.0))
        }
    }
}

#[cfg(test)]
mod tests;

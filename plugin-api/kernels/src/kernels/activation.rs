//! Activations of vectors.

use crate::{
    graph::Activation,
    simd::{Simd, complementary_error, sigmoid},
};

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

/// `x * (1 + erf(x / sqrt(2))) / 2`
#[inline(always)]
fn gelu<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let size = magnitude(simd, x);
    let tail = complementary_error(simd, simd.mul(size, simd.splat(std::f32::consts::FRAC_1_SQRT_2)));
    // gelu(x) = max(x, 0) - |x| erfc(|x| / sqrt(2)) / 2, on both sides of zero.
    let half = simd.mul(size, simd.splat(0.5));
    simd.neg_mul_add(half, tail, simd.max(x, simd.splat(0.0)))
}

/// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2`, which is `x * sigmoid` of twice that argument.
#[inline(always)]
fn tanh_gelu<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    const TWICE_SQRT_2_OVER_PI: f32 = 1.595_769_2;
    let square = simd.mul(x, x);
    let slope = simd.mul_add(
        square,
        simd.splat(0.044_715 * TWICE_SQRT_2_OVER_PI),
        simd.splat(TWICE_SQRT_2_OVER_PI),
    );
    simd.mul(x, sigmoid(simd, simd.mul(x, slope)))
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
        Activation::TanhGelu => tanh_gelu(simd, x),
        Activation::QuickGelu => simd.mul(x, sigmoid(simd, simd.mul(x, simd.splat(1.702)))),
        Activation::Clamp(limit) => {
            let least = simd.max(x, simd.splat(-limit));
            simd.min(least, simd.splat(limit))
        }
        Activation::Tanh => {
            // tanh(x) = 2 sigmoid(2 x) - 1
            let twice = sigmoid(simd, simd.add(x, x));
            simd.sub(simd.add(twice, twice), simd.splat(1.0))
        }
    }
}

#[cfg(test)]
mod tests;

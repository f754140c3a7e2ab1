//! Operators that work element by element, or only rearrange channels.

use super::{Operand, offset};
use crate::graph::{Activation, Function, Shape, Weight};

pub(super) fn activate(activation: Activation, x: f64) -> f64 {
    let hard_sigmoid = |x: f64| (x + 3.0).clamp(0.0, 6.0) / 6.0;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                x
            } else {
                f64::from(slope) * x
            }
        }
        Activation::Silu => x * sigmoid(x),
        Activation::HardSwish => x * hard_sigmoid(x),
        Activation::HardSigmoid => hard_sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Gelu => x * 0.5 * complementary_error_function(-x / std::f64::consts::SQRT_2),
        Activation::TanhGelu => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            x * (1.0 + inner.tanh()) / 2.0
        }
        Activation::QuickGelu => x * sigmoid(1.702 * x),
        Activation::Tanh => x.tanh(),
        Activation::Clamp(limit) => x.max(-f64::from(limit)).min(f64::from(limit)),
    }
}

pub(super) fn function(function: Function, operand: Operand) -> Vec<f64> {
    let value = |&x: &f64| match function {
        Function::Exp => x.clamp(-87.0, 88.0).exp(),
        Function::Sin => x.sin(),
    };
    operand.data.iter().map(value).collect()
}

/// `erfc(x)`: Taylor's series near zero, the continued fraction of the tail (Abramowitz and Stegun 7.1.5, 7.1.14)
/// elsewhere; relative error below 1e-11.
fn complementary_error_function(x: f64) -> f64 {
    let scale = 2.0 / std::f64::consts::PI.sqrt();
    if x < -2.5 {
        return 2.0 - complementary_error_function(-x);
    }
    if x <= 2.5 {
        let (mut power, mut sum) = (x, x);
        for n in 1..60 {
            power *= -x * x / f64::from(n);
            sum += power / f64::from(2 * n + 1);
        }
        return 1.0 - scale * sum;
    }
    let tail = (1..120)
        .rev()
        .fold(x, |fraction, n| x + f64::from(n) / 2.0 / fraction);
    scale / 2.0 * (-x * x).exp() / tail
}

pub(super) fn affine(x: Operand, scale: &Weight, shift: &Weight) -> Vec<f64> {
    let mut result = x.data.to_vec();
    for channel in 0..x.shape.channels() {
        for position in 0..x.shape.positions() {
            let value = &mut result[x.offset(channel, position)];
            *value = f64::from(scale.data()[channel]) * *value + f64::from(shift.data()[channel]);
        }
    }
    result
}

/// Two values of one shape, or a value and one factor for each channel.
pub(super) fn combine(operands: &[Operand], operation: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let (left, right) = (operands[0], operands[1]);
    let broadcast = left.shape != right.shape;
    let mut result = vec![0.0; left.data.len()];
    for channel in 0..left.shape.channels() {
        for position in 0..left.shape.positions() {
            let at = left.offset(channel, position);
            let other = if broadcast {
                right.data[channel]
            } else {
                right.data[at]
            };
            result[at] = operation(left.data[at], other);
        }
    }
    result
}

pub(super) fn concat(operands: &[Operand], shape: Shape) -> Vec<f64> {
    let mut result = vec![0.0; shape.elements()];
    let mut start = 0;
    for operand in operands {
        for channel in 0..operand.shape.channels() {
            for position in 0..shape.positions() {
                result[offset(shape, start + channel, position)] =
                    operand.data[operand.offset(channel, position)];
            }
        }
        start += operand.shape.channels();
    }
    result
}

/// A value of `shape` whose channels are the operand's channels `source(channel)`.
pub(super) fn gather(x: Operand, shape: Shape, source: impl Fn(usize) -> usize) -> Vec<f64> {
    let mut result = vec![0.0; shape.elements()];
    for channel in 0..shape.channels() {
        for position in 0..shape.positions() {
            result[offset(shape, channel, position)] = x.data[x.offset(source(channel), position)];
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_agrees_with_published_values_of_erf() {
        // erf(0.5) and erfc(3), Abramowitz and Stegun, tables 7.1 and 7.3.
        assert!((1.0 - complementary_error_function(0.5) - 0.520_499_877_813_046_5).abs() < 1e-14);
        assert!((complementary_error_function(3.0) / 2.209_049_699_858_544e-5 - 1.0).abs() < 1e-11);
        let two = complementary_error_function(2.499_999_999) - complementary_error_function(2.500_000_001);
        assert!(two.abs() < 1e-10, "the two branches meet");
    }
}

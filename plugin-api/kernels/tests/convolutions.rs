//! Convolutions of random shapes against the reference.
// Miri would take hours; it runs the small networks of `graphs.rs`.
#![cfg(not(miri))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Numbers, assert_agrees, largest_of, network, run};
use modelzoo_kernels::{
    Isa,
    graph::{Activation, Convolution, Padding, Shape, TransposedConvolution, Weight},
    plan::{Plan, PlanOptions},
    reference,
};
use proptest::prelude::*;

/// Of the largest value.
const TOLERANCE: f64 = 1e-5;

fn activation() -> impl Strategy<Value = Option<Activation>> {
    prop_oneof![
        Just(None),
        Just(Some(Activation::Relu)),
        Just(Some(Activation::Relu6)),
        Just(Some(Activation::LeakyRelu(0.1))),
        Just(Some(Activation::Silu)),
        Just(Some(Activation::HardSwish)),
        Just(Some(Activation::Gelu)),
    ]
}

/// What follows a convolution.
#[derive(Clone, Debug)]
struct Tail {
    norm: bool,
    activation: Option<Activation>,
    residual: bool,
    after: Option<Activation>,
}

impl Tail {
    /// Of the largest value. Sums of up to about 40 have errors relative to those, also where ReLU6 cuts them off.
    fn tolerance(&self) -> f64 {
        if [self.activation, self.after].contains(&Some(Activation::Relu6)) {
            40.0 / 6.0 * TOLERANCE
        } else {
            TOLERANCE
        }
    }
}

fn tail() -> impl Strategy<Value = Tail> {
    (any::<bool>(), activation(), any::<bool>(), activation()).prop_map(
        |(norm, activation, residual, after)| Tail {
            norm,
            activation,
            residual,
            after,
        },
    )
}

/// A convolution, then what `tail` says. The residual is another convolution of the same input.
fn check(shape: Shape, convolution: Convolution, tail: &Tail, batch: usize) -> Result<(), TestCaseError> {
    let mut numbers = Numbers::new(3);
    let outputs = convolution.weight.dims()[0];
    let graph = network(shape, |network, x| {
        // An activation before it, so that the convolution reads a value and not the network's input.
        let x = network.activation("before", x, Activation::Tanh)?;
        let mut y = network.conv2d("conv", x, convolution.clone())?;
        if tail.norm {
            y = network.affine(
                "norm",
                y,
                numbers.weight(&[outputs], 1.0),
                numbers.weight(&[outputs], 1.0),
            )?;
        }
        if let Some(activation) = tail.activation {
            y = network.activation("activation", y, activation)?;
        }
        if tail.residual {
            let other = network.conv2d("other", x, convolution.clone())?;
            y = network.add("add", y, other)?;
            if let Some(activation) = tail.after {
                y = network.activation("after", y, activation)?;
            }
        }
        Ok(y)
    });
    // Windows larger than their input are refused, which is fine.
    let Ok(graph) = graph else {
        return Err(TestCaseError::reject("does not fit"));
    };
    assert_agrees(&graph, batch, tail.tolerance());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_convolution(
        (inputs, outputs) in (1usize..40, 1usize..70),
        (height, width) in (1usize..20, 1usize..34),
        kernel in (1usize..5, 1usize..5),
        stride in (1usize..4, 1usize..4),
        padding in (0usize..4, 0usize..4, 0usize..4, 0usize..4),
        dilation in (1usize..3, 1usize..3),
        batch in 1usize..4,
        (bias, wide_sums, is_same) in any::<(bool, bool, bool)>(),
        tail in tail(),
    ) {
        let mut numbers = Numbers::new(1);
        let weight = numbers.weight(&[outputs, inputs, kernel.0, kernel.1], 1.0);
        let bias = bias.then(|| numbers.weight(&[outputs], 1.0));
        let (top, bottom, left, right) = padding;
        let convolution = Convolution {
            stride: [stride.0, stride.1],
            padding: Padding { top, bottom, left, right },
            dilation: [dilation.0, dilation.1],
            wide_sums,
            is_same,
            ..Convolution::new(weight, bias)
        };
        check(Shape::map(inputs, height, width), convolution, &tail, batch)?;
    }

    #[test]
    fn three_by_three(
        (inputs, outputs) in (1usize..50, 1usize..70),
        (height, width) in (1usize..20, 1usize..20),
        padding in 0usize..2,
        batch in 1usize..6,
        tail in tail(),
    ) {
        let mut numbers = Numbers::new(2);
        let weight = numbers.weight(&[outputs, inputs, 3, 3], 1.0);
        let convolution = Convolution::new(weight, Some(numbers.weight(&[outputs], 1.0))).padding(padding);
        check(Shape::map(inputs, height, width), convolution, &tail, batch)?;
    }

    #[test]
    fn pointwise(
        (inputs, outputs) in (1usize..90, 1usize..90),
        (height, width) in (1usize..12, 1usize..20),
        batch in 1usize..4,
        tail in tail(),
    ) {
        let mut numbers = Numbers::new(2);
        let weight = numbers.weight(&[outputs, inputs, 1, 1], 1.0);
        check(Shape::map(inputs, height, width), Convolution::new(weight, None), &tail, batch)?;
    }

    #[test]
    fn grouped(
        groups in 1usize..9,
        (inputs, outputs) in (1usize..12, 1usize..12),
        (height, width) in (1usize..12, 1usize..12),
        kernel in 1usize..4,
        stride in 1usize..3,
        batch in 1usize..3,
        wide_sums: bool,
        tail in tail(),
    ) {
        let mut numbers = Numbers::new(2);
        let weight = numbers.weight(&[groups * outputs, inputs, kernel, kernel], 1.0);
        let convolution = Convolution {
            wide_sums,
            ..Convolution::new(weight, None).stride(stride).padding(kernel / 2).groups(groups)
        };
        check(Shape::map(groups * inputs, height, width), convolution, &tail, batch)?;
    }

    #[test]
    fn depthwise(
        channels in 1usize..50,
        (height, width) in (1usize..20, 1usize..34),
        kernel in 1usize..8,
        stride in 1usize..3,
        dilation in 1usize..3,
        padding in 0usize..5,
        batch in 1usize..3,
        tail in tail(),
    ) {
        let mut numbers = Numbers::new(2);
        let weight = numbers.weight(&[channels, 1, kernel, kernel], 1.0);
        let convolution =
            Convolution::new(weight, None).stride(stride).padding(padding).dilation(dilation).groups(channels);
        check(Shape::map(channels, height, width), convolution, &tail, batch)?;
    }

    #[test]
    fn a_first_convolution(
        (inputs, outputs) in (1usize..12, 1usize..40),
        (height, width) in (1usize..40, 1usize..40),
        kernel in 1usize..8,
        stride in 1usize..9,
        padding in 0usize..4,
        twice: bool,
        batch in 1usize..4,
    ) {
        let mut numbers = Numbers::new(2);
        let weight = numbers.weight(&[outputs, inputs, kernel, kernel], 1.0);
        let convolution = Convolution::new(weight, Some(numbers.weight(&[outputs], 1.0))).stride(stride).padding(padding);
        let graph = network(Shape::map(inputs, height, width), |network, x| {
            let y = network.conv2d("conv", x, convolution.clone())?;
            let y = network.activation("relu", y, Activation::Relu)?;
            if twice {
                network.output(y)?;
                let wider = Convolution { padding: Padding::all(padding + 1), ..convolution };
                return network.conv2d("other", x, wider);
            }
            Ok(y)
        });
        let Ok(graph) = graph else { return Err(TestCaseError::reject("does not fit")) };
        assert_agrees(&graph, batch, TOLERANCE);
    }

    #[test]
    fn transposed(
        (inputs, outputs) in (1usize..40, 1usize..40),
        (height, width) in (1usize..12, 1usize..12),
        kernel in (1usize..5, 1usize..5),
        stride in (1usize..4, 1usize..4),
        padding in 0usize..3,
        output_padding in 0usize..2,
        batch in 1usize..3,
        activation in activation(),
    ) {
        let mut numbers = Numbers::new(2);
        let parameters = TransposedConvolution {
            weight: numbers.weight(&[inputs, outputs, kernel.0, kernel.1], 1.0),
            bias: Some(numbers.weight(&[outputs], 1.0)),
            stride: [stride.0, stride.1],
            padding,
            output_padding,
        };
        let graph = network(Shape::map(inputs, height, width), |network, x| {
            let y = network.conv_transpose2d("up", x, parameters.clone())?;
            let y = network.affine("norm", y, numbers.weight(&[outputs], 1.0), numbers.weight(&[outputs], 1.0))?;
            match activation {
                Some(activation) => network.activation("activation", y, activation),
                None => Ok(y),
            }
        });
        let Ok(graph) = graph else { return Err(TestCaseError::reject("does not fit")) };
        assert_agrees(&graph, batch, TOLERANCE);
    }
}

/// The largest error of a convolution whose bias takes away what a large channel adds, on one instruction set,
/// relative to the largest result.
fn error_of_cancelling_terms(isa: Isa, wide_sums: bool) -> f64 {
    const LARGE: f32 = 4096.0;
    let mut numbers = Numbers::new(3);
    let mut weight = numbers.take(20 * 20 * 9);
    for (output, weights) in weight.chunks_exact_mut(20 * 9).enumerate() {
        weights[..9].fill(0.37 + 0.01 * output as f32);
    }
    let bias = weight
        .chunks_exact(20 * 9)
        .map(|weights| -9.0 * LARGE * weights[0]);
    let bias = Weight::new([20], bias.collect::<Vec<_>>());
    let graph = network(Shape::map(20, 9, 11), |network, x| {
        let convolution = Convolution {
            wide_sums,
            ..Convolution::new(Weight::new([20, 20, 3, 3], weight), Some(bias))
        };
        network.conv2d("conv", x, convolution)
    })
    .unwrap();
    let mut x = numbers.take(20 * 9 * 11);
    x[..9 * 11].fill(LARGE);
    let expected = &reference::run(&graph, &[&x], 1).unwrap()[0];
    let options = PlanOptions {
        isa: Some(isa),
        ..PlanOptions::default()
    };
    let found = &run(&Plan::compile(&graph, &options).unwrap(), &[&x], 1)[0];
    let errors = found
        .iter()
        .zip(expected)
        .map(|(&found, &expected)| (f64::from(found) - expected).abs());
    errors.fold(0.0, f64::max) / largest_of(expected)
}

#[test]
fn wide_sums_keep_what_is_left_of_large_terms() {
    for isa in Isa::detected() {
        let (wide, narrow) = (
            error_of_cancelling_terms(isa, true),
            error_of_cancelling_terms(isa, false),
        );
        assert!(wide < 1e-7, "{}: {wide:e}", isa.name());
        assert!(
            narrow > 1e-5,
            "{}: the terms do not cancel: {narrow:e}",
            isa.name()
        );
    }
}

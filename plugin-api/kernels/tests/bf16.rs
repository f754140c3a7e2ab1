//! Plans of bf16 against plain loops over rounded numbers, and against themselves: other instruction sets, batches and
//! numbers of threads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    Numbers, assert_close,
    bf16::{STEP, all_rounded, options},
    choices::Choices,
    largest_of, network,
    random_graph::{OPERATORS, RandomGraph},
    run,
};
use modelzoo_kernels::{
    Isa,
    graph::{Activation, Convolution, Graph, LayerNorm, Shape, Weight},
    plan::{Plan, PlanOptions},
    reference,
};
use proptest::prelude::*;

const CASES: u32 = if cfg!(miri) { 2 } else { 150 };
const MOST_CHANNELS: usize = if cfg!(miri) { 20 } else { 70 };
const MOST_SIZE: usize = if cfg!(miri) { 4 } else { 20 };
/// Of the largest result: products are exact, and sums are of `f32`.
const TOLERANCE: f64 = 1e-5;

/// What a layer of rounded operands and weights gives, by the reference.
fn check_convolution(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(0)));
    let channels = (8 + choices.size(MOST_CHANNELS)).next_multiple_of(2);
    let outputs = choices.size(MOST_CHANNELS);
    let kernel = choices.pick(&[1, 1, 2, 3, 5]);
    let stride = choices.pick(&[1, 1, 2, 3]);
    let size = [choices.size(MOST_SIZE), choices.size(MOST_SIZE)].map(|length| length.max(kernel));
    let activation = choices.pick(&[
        None,
        Some(Activation::Relu),
        Some(Activation::Relu6),
        Some(Activation::Clamp(0.5)),
        Some(Activation::LeakyRelu(0.1)),
        Some(Activation::Silu),
    ]);
    let weights = numbers.take(outputs * channels * kernel * kernel);
    let bias = numbers.take(outputs);
    let build = |weights: &[f32]| -> Graph {
        network(Shape::map(channels, size[0], size[1]), |network, x| {
            let weight = Weight::new([outputs, channels, kernel, kernel], weights.to_vec());
            let convolution = Convolution::new(weight, Some(Weight::vector(bias.clone())))
                .stride(stride)
                .padding(kernel / 2);
            let y = network.conv2d("layer", x, convolution)?;
            match activation {
                Some(activation) => network.activation("activation", y, activation),
                None => Ok(y),
            }
        })
        .unwrap()
    };
    let batch = choices.size(3);
    let image = numbers.take(channels * size[0] * size[1] * batch);
    let expected = reference::run(&build(&all_rounded(&weights)), &[&all_rounded(&image)], batch).unwrap();
    // Sums are rounded before an activation bounds them.
    let terms = channels * kernel * kernel;
    let largest = largest_of(&expected[0]).max((terms as f64).sqrt());
    // Winograd's algorithm does not round, and has results of its own: see the other tests.
    let graph = build(&weights);
    for isa in Isa::detected() {
        for threads in [1, 3] {
            let options = PlanOptions {
                direct_only: true,
                ..options(isa, threads)
            };
            let plan = Plan::compile(&graph, &options).unwrap();
            if graph.input_shapes().next().unwrap().positions() == 1 {
                return;
            }
            for _ in 0..2 {
                let found = run(&plan, &[&image], batch);
                let what = format!("{} with {threads} threads", isa.name());
                assert_close(&found[0], &expected[0], TOLERANCE, largest, &what);
            }
        }
    }
}

/// Layers that hand each other bf16, with residuals: in each place the nearest one, or its neighbour where a sum was
/// just between two.
fn check_block(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(1)));
    let channels = (8 + choices.size(MOST_CHANNELS)).next_multiple_of(2);
    let count = choices.size(MOST_SIZE).max(2);
    let normed = choices.flag();
    let middle = choices.pick(&[None, Some(Activation::Relu), Some(Activation::Gelu)]);
    let last = choices.pick(&[None, Some(Activation::Relu)]);
    let spread = (3.0 / channels as f32).sqrt();
    let weights = [0, 1, 2].map(|_| numbers.weight(&[channels, channels], spread));
    let norm = [0, 1].map(|_| numbers.weight(&[channels], 1.0));
    let graph = network(Shape::tokens(count, channels), |network, x| {
        let mut y = network.linear("first", x, weights[0].clone(), None)?;
        if normed {
            let [weight, bias] = norm.clone();
            y = network.layer_norm(
                "norm",
                y,
                LayerNorm {
                    weight,
                    bias,
                    epsilon: 1e-5,
                },
            )?;
        }
        let mut z = network.linear("second", y, weights[1].clone(), None)?;
        if let Some(activation) = middle {
            z = network.activation("activation", z, activation)?;
        }
        let z = network.linear("third", z, weights[2].clone(), None)?;
        let sum = network.add("sum", z, y)?;
        match last {
            Some(activation) => network.activation("end", sum, activation),
            None => Ok(sum),
        }
    })
    .unwrap();
    let batch = choices.size(3);
    let tokens = numbers.take(channels * count * batch);
    let expected = reference::run(&graph, &[&tokens], batch).unwrap();
    let largest = largest_of(&expected[0]).max(1.0);
    for isa in Isa::detected() {
        let alone = run(
            &Plan::compile(&graph, &options(isa, 1)).unwrap(),
            &[&tokens],
            batch,
        );
        // What is rounded four times.
        assert_close(&alone[0], &expected[0], 4.0 * STEP, largest, isa.name());
        for threads in [2, 3] {
            let plan = Plan::compile(&graph, &options(isa, threads)).unwrap();
            assert_eq!(run(&plan, &[&tokens], batch), alone, "{}", isa.name());
        }
        let plan = Plan::compile(&graph, &options(isa, 1)).unwrap();
        let length = tokens.len() / batch;
        for (image, expected) in tokens.chunks(length).zip(alone[0].chunks(length)) {
            assert_eq!(run(&plan, &[image], 1)[0], expected, "{}", isa.name());
        }
    }
}

/// A wide layer, a depthwise one and a narrow one with a residual, which hand each other bf16.
fn check_inverted_residual(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(2)));
    let channels = (8 + choices.size(MOST_CHANNELS / 2)).next_multiple_of(2);
    let wide = choices.size(MOST_CHANNELS).next_multiple_of(2);
    let kernel = choices.pick(&[3, 5, 7]);
    let stride = choices.pick(&[1, 1, 2]);
    let squeezed = choices.flag();
    let size = [choices.size(MOST_SIZE).max(2), choices.size(MOST_SIZE).max(2)];
    let mut spread = |dims: &[usize], terms: usize| numbers.weight(dims, (3.0 / terms as f32).sqrt());
    let expand = spread(&[wide, channels, 1, 1], channels);
    let filter = spread(&[wide, 1, kernel, kernel], kernel * kernel);
    let project = spread(&[channels, wide, 1, 1], wide);
    let graph = network(Shape::map(channels, size[0], size[1]), |network, x| {
        let y = network.conv2d("expand", x, Convolution::new(expand.clone(), None))?;
        let y = network.activation("expanded", y, Activation::Relu6)?;
        let depthwise = Convolution::new(filter.clone(), None)
            .padding(kernel / 2)
            .stride(stride)
            .groups(wide);
        let y = network.conv2d("depthwise", y, depthwise)?;
        let mut y = network.activation("filtered", y, Activation::HardSwish)?;
        if squeezed {
            let mean = network.adaptive_avg_pool2d("mean", y, [1, 1])?;
            let factor = network.activation("factor", mean, Activation::Sigmoid)?;
            y = network.mul("scaled", y, factor)?;
        }
        let y = network.conv2d("project", y, Convolution::new(project.clone(), None))?;
        if stride == 1 {
            network.add("sum", y, x)
        } else {
            Ok(y)
        }
    })
    .unwrap();
    let image = numbers.take(channels * size[0] * size[1]);
    let expected = reference::run(&graph, &[&image], 1).unwrap();
    let largest = largest_of(&expected[0]).max(1.0);
    for isa in Isa::detected() {
        let alone = run(&Plan::compile(&graph, &options(isa, 1)).unwrap(), &[&image], 1);
        // What is rounded five times.
        assert_close(&alone[0], &expected[0], 5.0 * STEP, largest, isa.name());
        let plan = Plan::compile(&graph, &options(isa, 2)).unwrap();
        assert_eq!(run(&plan, &[&image], 1), alone, "{}", isa.name());
    }
}

/// A random network is about what it is in `f32`, and the same in any batch and for any number of threads.
fn check_network(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut graph = RandomGraph::new(&mut choices);
    for _ in 0..graph.choices().size(6) {
        let operator = graph.choices().below(OPERATORS);
        graph.add(operator);
    }
    let graph = graph.finish();
    let mut numbers = Numbers::new(7);
    let images: Vec<Vec<f32>> = graph
        .input_shapes()
        .map(|shape| numbers.take(shape.elements() * 3))
        .collect();
    let images: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
    for isa in Isa::detected() {
        let alone = run(&Plan::compile(&graph, &options(isa, 1)).unwrap(), &images, 3);
        for threads in [2, 3] {
            let plan = Plan::compile(&graph, &options(isa, threads)).unwrap();
            let found = run(&plan, &images, 3);
            for (found, expected) in found.iter().zip(&alone) {
                let is_same = found
                    .iter()
                    .zip(expected)
                    .all(|(found, expected)| found.to_bits() == expected.to_bits());
                assert!(is_same, "{} with {threads} threads", isa.name());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_multiply_rounded_numbers(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        check_convolution(&bytes);
    }

    #[test]
    fn blocks_are_rounded_between_layers(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        check_block(&bytes);
    }

    #[test]
    fn depthwise_layers_read_and_write_what_is_rounded(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        check_inverted_residual(&bytes);
    }

    #[test]
    fn networks_do_not_depend_on_threads(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        check_network(&bytes);
    }
}

#[test]
fn what_is_no_number_stays_so() {
    let graph = network(Shape::tokens(3, 32), |network, x| {
        let y = network.linear("first", x, Weight::new([32, 32], vec![0.1; 32 * 32]), None)?;
        let y = network.linear("second", y, Weight::new([32, 32], vec![0.1; 32 * 32]), None)?;
        network.activation("relu", y, Activation::Relu)
    })
    .unwrap();
    let mut tokens = vec![1.0; 3 * 32];
    tokens[32] = f32::NAN;
    for isa in Isa::detected() {
        let found = run(&Plan::compile(&graph, &options(isa, 1)).unwrap(), &[&tokens], 1);
        for (token, values) in found[0].chunks(32).enumerate() {
            assert!(
                values.iter().all(|value| value.is_nan() == (token == 1)),
                "{}",
                isa.name()
            );
        }
    }
}

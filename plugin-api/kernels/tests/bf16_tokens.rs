//! Attention with products of bf16, and layers that move what others write as bf16, against the reference and against
//! themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    Numbers, assert_close,
    bf16::{STEP, all_rounded, options},
    choices::Choices,
    largest_of, network, run,
};
use modelzoo_kernels::{
    Isa,
    graph::{Activation, Attention, Convolution, Graph, GraphBuilder, Shape, WindowAttention},
    plan::{Plan, PlanOptions},
    reference,
};
use proptest::prelude::*;

const CASES: u32 = if cfg!(miri) { 2 } else { 100 };
const MOST_TOKENS: usize = if cfg!(miri) { 18 } else { 70 };

/// Queries, keys and values as inputs of a network: of the reference's results on rounded ones, those of a plan differ
/// by the rounding of the weights alone.
fn check_attention(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(0)));
    let heads = choices.size(3);
    let [features, value_features] = [0, 1].map(|_| choices.pick(&[16, 32, 48]) * heads);
    let windows = choices.pick(&[0, 0, 1, 3]);
    let keys = choices.size(MOST_TOKENS);
    let causal = choices.flag();
    let queries = if causal { keys } else { choices.size(MOST_TOKENS) };
    let scale = choices.pick(&[None, Some(0.5), Some(2.0)]);
    let parts = windows.max(1);
    let mut builder = GraphBuilder::new();
    let inputs = [
        ("queries", queries, features),
        ("keys", keys, features),
        ("values", keys, value_features),
    ]
    .map(|(name, count, features)| {
        builder
            .input(name, Shape::tokens(count * parts, features))
            .unwrap()
    });
    let y = if windows == 0 {
        let parameters = Attention { heads, scale, causal };
        builder.attention("attention", inputs, parameters).unwrap()
    } else {
        let of = choices.pick(&[1, windows]);
        let bias = numbers.weight(&[of, heads, queries, keys], 1.0);
        let parameters = WindowAttention {
            heads,
            scale,
            windows,
            bias,
        };
        builder.window_attention("attention", inputs, parameters).unwrap()
    };
    builder.output(y).unwrap();
    let graph = builder.build().unwrap();
    let batch = choices.size(2);
    let values: Vec<Vec<f32>> = graph
        .input_shapes()
        .map(|shape| numbers.take(shape.elements() * batch))
        .collect();
    let rounded: Vec<Vec<f32>> = values.iter().map(|values| all_rounded(values)).collect();
    let inputs: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
    let rounded: Vec<&[f32]> = rounded.iter().map(Vec::as_slice).collect();
    let expected = reference::run(&graph, &rounded, batch).unwrap();
    check_plans(&graph, &inputs, batch, &expected[0], STEP / 2.0);
}

/// Tokens that go through slices, attention, other orders and maps, as those of transformers do.
fn check_moved(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(1)));
    let heads = choices.size(2);
    let channels = 16 * heads * choices.size(2);
    let size = [choices.size(6), choices.size(6)];
    let count = size[0] * size[1];
    let order: Vec<usize> = (0..count).map(|token| (token * 7 + 3) % count).collect();
    let graph = moved(&mut numbers, (heads, channels), size, &order);
    let batch = choices.size(2);
    let tokens = numbers.take(channels * count * batch);
    let expected = reference::run(&graph, &[&tokens], batch).unwrap();
    // What is rounded six times.
    check_plans(&graph, &[&tokens], batch, &expected[0], 6.0 * STEP);
}

fn moved(
    numbers: &mut Numbers,
    (heads, channels): (usize, usize),
    size: [usize; 2],
    order: &[usize],
) -> Graph {
    let spread = (3.0 / channels as f32).sqrt();
    let projections = numbers.weight(&[3 * channels, channels], spread);
    let [mixed, last] = [0, 1].map(|_| numbers.weight(&[channels, channels], spread));
    let filter = numbers.weight(&[channels, 1, 3, 3], 0.3);
    network(Shape::tokens(size[0] * size[1], channels), |network, x| {
        let all = network.linear("projections", x, projections, None)?;
        let parts = [
            network.slice_channels("queries", all, 0, channels)?,
            network.slice_channels("keys", all, channels, channels)?,
            network.slice_channels("values", all, 2 * channels, channels)?,
        ];
        let parameters = Attention {
            heads,
            scale: None,
            causal: false,
        };
        let y = network.attention("attention", parts, parameters)?;
        let y = network.take_tokens("order", y, order)?;
        let y = network.linear("mixed", y, mixed, None)?;
        let y = network.to_map("map", y, size)?;
        let y = network.conv2d(
            "filter",
            y,
            Convolution::new(filter, None).padding(1).groups(channels),
        )?;
        let y = network.activation("filtered", y, Activation::Gelu)?;
        let y = network.to_tokens("tokens", y)?;
        network.linear("last", y, last, None)
    })
    .unwrap()
}

/// The results of all instruction sets, the same for any number of threads and in any batch.
fn check_plans(graph: &Graph, inputs: &[&[f32]], batch: usize, expected: &[f64], tolerance: f64) {
    let largest = largest_of(expected).max(1.0);
    for isa in Isa::detected() {
        let alone = run(&Plan::compile(graph, &options(isa, 1)).unwrap(), inputs, batch);
        assert_close(&alone[0], expected, tolerance, largest, isa.name());
        let plan = Plan::compile(graph, &options(isa, 3)).unwrap();
        assert_eq!(run(&plan, inputs, batch), alone, "{}", isa.name());
        let plan = Plan::compile(graph, &options(isa, 1)).unwrap();
        for (image, expected) in alone[0].chunks(expected.len() / batch).enumerate() {
            let one: Vec<&[f32]> = inputs
                .iter()
                .map(|all| &all[all.len() / batch * image..][..all.len() / batch])
                .collect();
            assert_eq!(run(&plan, &one, 1)[0], expected, "{}", isa.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attention_multiplies_rounded_numbers(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        check_attention(&bytes);
    }

    #[test]
    fn what_is_rounded_is_moved_as_it_is(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        check_moved(&bytes);
    }
}

#[test]
fn values_take_half_of_the_memory() {
    let order: Vec<usize> = (0..256).rev().collect();
    let graph = moved(&mut Numbers::new(3), (2, 64), [16, 16], &order);
    let isa = Isa::best();
    let values = |options: &PlanOptions| Plan::compile(&graph, options).unwrap().memory().values;
    let narrow = values(&options(isa, 1));
    let wide = values(&PlanOptions {
        isa: Some(isa),
        ..PlanOptions::default()
    });
    assert!(narrow * 10 <= wide * 6, "{narrow} of {wide}");
}

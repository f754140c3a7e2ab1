//! Random networks of all layers, with right and wrong settings, weights and slices.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    Numbers,
    choices::Choices,
    network,
    random_graph::{OPERATORS, RandomGraph, TO_TOKENS},
    random_runs::{check_plans, check_random_network},
    run,
};
use modelzoo_kernels::{
    graph::{Convolution, Graph, LayerNorm, Shape},
    plan::{Plan, PlanOptions},
};
use proptest::prelude::*;

/// Networks that are compared with the reference for each operator.
const NETWORKS: usize = if cfg!(miri) { 1 } else { 12 };
const CASES: u32 = if cfg!(miri) { 2 } else { 300 };

/// Two layers of one kind behind each other, many times.
#[test]
fn every_operator() {
    for operator in 0..OPERATORS {
        let mut networks = 0;
        for seed in 0.. {
            let bytes: Vec<u8> = Numbers::new(seed)
                .take(100)
                .iter()
                .map(|number| (number * 125.0 + 125.0) as u8)
                .collect();
            let mut choices = Choices::new(&bytes);
            let mut graph = RandomGraph::new(&mut choices);
            // Half of all operators take tokens.
            let tokens = graph.add(TO_TOKENS);
            let fits = graph.add(operator);
            graph.add(operator);
            let graph = graph.finish();
            if tokens && fits {
                check_plans(&graph, &mut choices);
                networks += 1;
            }
            if networks == NETWORKS {
                break;
            }
            assert!(seed < 1000, "operator {operator} fits nothing");
        }
    }
}

/// Threads that share an image write different pixels of the same rows: of Winograd's tiles, and of normalisations.
#[test]
fn threads_share_rows() {
    let (graph, input) = rows_to_share(1);
    let [alone, together] = [1, 2].map(|threads| run(&plan(&graph, threads), &[&input], 1));
    assert_eq!(alone, together);
}

/// Each plan tries both ways in which threads can share a batch, on its first batches, and here in parts of it.
#[test]
fn batches_are_the_same_however_threads_share_them() {
    const BATCH: usize = 7;
    let (graph, input) = rows_to_share(BATCH);
    let expected = run(&plan(&graph, 1), &[&input], BATCH);
    for threads in [2, 3] {
        let plan = plan(&graph, threads);
        for _ in 0..8 {
            assert_eq!(run(&plan, &[&input], BATCH), expected, "{threads} threads");
        }
    }
}

/// A network with rows that threads share, and a batch of its input.
fn rows_to_share(batch: usize) -> (Graph, Vec<f32>) {
    let mut numbers = Numbers::new(4);
    let shape = Shape::map(6, 4, 76);
    let graph = network(shape, |network, x| {
        let weight = numbers.weight(&[5, 6, 3, 3], 1.0);
        let y = network.conv2d("conv", x, Convolution::new(weight, None).padding(1))?;
        let (weight, bias) = (numbers.weight(&[5], 1.0), numbers.weight(&[5], 1.0));
        let y = network.layer_norm(
            "norm",
            y,
            LayerNorm {
                weight,
                bias,
                epsilon: 0.1,
            },
        )?;
        network.softmax("softmax", y)
    });
    (graph.unwrap(), numbers.take(batch * shape.elements()))
}

/// A plan for so many threads, which has room for three images at a time.
fn plan(graph: &Graph, threads: usize) -> Plan {
    let options = PlanOptions {
        threads,
        images_together: 3,
        ..PlanOptions::default()
    };
    Plan::compile(graph, &options).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_network(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
        check_random_network(&bytes);
    }
}

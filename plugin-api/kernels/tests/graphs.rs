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
    graph::{Convolution, LayerNorm, Shape},
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
    let graph = graph.unwrap();
    let input = numbers.take(shape.elements());
    let [alone, together] = [1, 2].map(|threads| {
        let options = PlanOptions {
            threads,
            ..PlanOptions::default()
        };
        run(&Plan::compile(&graph, &options).unwrap(), &[&input], 1)
    });
    assert_eq!(alone, together);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_network(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
        check_random_network(&bytes);
    }
}

//! Comparing plans with the reference on every instruction set of this machine.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod bf16;
pub mod choices;
#[path = "../../examples/networks/numbers.rs"]
mod numbers;
pub mod random_graph;
pub mod random_runs;

use modelzoo_kernels::{
    Isa,
    graph::{Graph, GraphBuilder, GraphError, Shape, Value},
    plan::{Plan, PlanOptions},
    reference,
};

pub use numbers::Numbers;

/// A network of one input.
pub fn network(
    shape: Shape,
    layers: impl FnOnce(&mut GraphBuilder, Value) -> Result<Value, GraphError>,
) -> Result<Graph, GraphError> {
    let mut builder = GraphBuilder::new();
    let x = builder.input("x", shape)?;
    let y = layers(&mut builder, x)?;
    builder.output(y)?;
    builder.build()
}

/// Asserts that a plan computes what the reference does, on every instruction set, with one thread and with
/// two, within `tolerance` of the largest value.
pub fn assert_agrees(graph: &Graph, batch: usize, tolerance: f64) {
    let mut numbers = Numbers::new(7);
    let inputs: Vec<Vec<f32>> = graph
        .input_shapes()
        .map(|shape| numbers.take(shape.elements() * batch))
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let expected = reference::run(graph, &inputs, batch).unwrap();
    for isa in Isa::detected() {
        for (threads, direct_only) in [(1, false), (2, false), (1, true)] {
            let options = PlanOptions {
                threads,
                direct_only,
                isa: Some(isa),
                ..PlanOptions::default()
            };
            let plan = Plan::compile(graph, &options).unwrap();
            // Twice: the second run finds memory that the first one used.
            for _ in 0..2 {
                let found = run(&plan, &inputs, batch);
                for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let what = format!("{} with {threads} threads, output {index}", isa.name());
                    let largest = largest_of(expected);
                    assert_close(found, expected, tolerance, largest, &what);
                }
            }
        }
    }
}

/// Runs a plan into fresh memory that holds no numbers.
pub fn run(plan: &Plan, inputs: &[&[f32]], batch: usize) -> Vec<Vec<f32>> {
    let mut outputs: Vec<Vec<f32>> = plan
        .graph()
        .output_shapes()
        .map(|shape| vec![f32::NAN; shape.elements() * batch])
        .collect();
    let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    plan.run(inputs, &mut slices, batch).unwrap();
    outputs
}

/// The largest value, or a thousandth where all are smaller.
pub fn largest_of(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(1e-3f64, |largest, value| largest.max(value.abs()))
}

/// Asserts that no value is further off than `tolerance` times `largest`.
pub fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, largest: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}: value {index} is {found}, not {expected} (largest {largest})"
        );
    }
}

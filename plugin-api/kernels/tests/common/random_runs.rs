//! Runs of random networks, with slices of any length: the result of the reference, or a typed error.

use super::{
    Numbers, assert_close,
    choices::Choices,
    random_graph::{OPERATORS, RandomGraph},
    run,
};
use modelzoo_kernels::{
    Isa,
    graph::{Graph, Shape},
    plan::{Plan, PlanOptions},
    reference,
};

/// Of the largest value of any layer: what a layer is off by goes through all that follow.
const TOLERANCE: f64 = 5e-5;
const MOST_IMAGES: usize = if cfg!(miri) { 2 } else { 5 };
const RUNS: usize = if cfg!(miri) { 1 } else { 2 };
const LAYERS: usize = if cfg!(miri) { 3 } else { 9 };

/// Makes a network of a few layers and compares plans of it with the reference.
///
/// # Panics
/// Where a result is wrong, or an error is none or does not say which layer it is about.
pub fn check_random_network(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut graph = RandomGraph::new(&mut choices);
    for _ in 0..graph.choices().size(LAYERS) {
        let operator = graph.choices().below(OPERATORS);
        graph.add(operator);
    }
    let graph = graph.finish();
    check_plans(&graph, &mut choices);
}

/// Compares plans of a network, one for each instruction set, with the reference.
pub fn check_plans(graph: &Graph, choices: &mut Choices) {
    let options = PlanOptions {
        threads: choices.size(3),
        direct_only: choices.flag(),
        images_together: choices.pick(&[4, 1, 0, 2, usize::MAX]),
        ..PlanOptions::default()
    };
    let case = Case::of(graph, choices.below(MOST_IMAGES + 1));
    let sizes: Vec<Shape> = graph
        .input_shapes()
        .map(|shape| other_size(shape, choices))
        .collect();
    let other = graph.with_input_shapes(&sizes).ok().filter(|_| !cfg!(miri));
    let other = other.filter(|graph| graph.shapes().iter().all(|shape| shape.elements() < 20_000));
    let other = other.map(|graph| Case::of(&graph, 1));
    for isa in Isa::detected() {
        let options = PlanOptions {
            isa: Some(isa),
            ..options.clone()
        };
        let plan = Plan::compile(graph, &options).expect("the graph has been checked");
        case.check(&plan, isa, choices);
        if let Some(other) = &other {
            let plan = plan
                .with_input_shapes(&sizes)
                .expect("the sizes have been checked");
            other.check(&plan, isa, choices);
        }
    }
}

/// Another height and width for a map.
fn other_size(shape: Shape, choices: &mut Choices) -> Shape {
    match shape {
        Shape::Map {
            channels,
            height,
            width,
        } if choices.flag() => Shape::map(channels, height + choices.below(3), choices.setting(1, width)),
        shape => shape,
    }
}

/// A batch and its results.
struct Case {
    batch: usize,
    inputs: Vec<Vec<f32>>,
    expected: Vec<Vec<f64>>,
    /// The largest value of any layer.
    largest: f64,
}

impl Case {
    fn of(graph: &Graph, batch: usize) -> Self {
        let mut numbers = Numbers::new(7);
        let inputs: Vec<Vec<f32>> = graph
            .input_shapes()
            .map(|shape| numbers.take(shape.elements() * batch))
            .collect();
        let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let names: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        let all = graph.with_outputs(&names).expect("every layer is there");
        let all = reference::run(&all, &slices, batch).expect("the inputs fit");
        let largest = all
            .iter()
            .flatten()
            .fold(1.0, |largest: f64, value| largest.max(value.abs()));
        let expected = graph.outputs().iter().map(|&node| all[node].clone()).collect();
        Self {
            batch,
            inputs,
            expected,
            largest,
        }
    }

    fn check(&self, plan: &Plan, isa: Isa, choices: &mut Choices) {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        // Twice: the second run finds memory that the first one used.
        for _ in 0..RUNS {
            let found = run(plan, &inputs, self.batch);
            for (index, (found, expected)) in found.iter().zip(&self.expected).enumerate() {
                let what = format!("{}, output {index}", isa.name());
                assert_close(found, expected, TOLERANCE, self.largest, &what);
            }
        }
        self.check_lengths(plan, choices);
    }

    /// One slice is too long, too short or missing.
    fn check_lengths(&self, plan: &Plan, choices: &mut Choices) {
        let mut lengths: Vec<usize> = self.inputs.iter().map(Vec::len).collect();
        let inputs = lengths.len();
        lengths.extend(self.expected.iter().map(Vec::len));
        let wrong = choices.below(lengths.len().min(256));
        lengths[wrong] = match choices.below(3) {
            0 => lengths[wrong] + 1 + choices.below(100),
            1 => lengths[wrong].saturating_sub(1 + choices.below(100)),
            _ => 0,
        };
        let mut slices: Vec<Vec<f32>> = lengths.iter().map(|&length| vec![0.5; length]).collect();
        let mut outputs = slices.split_off(inputs);
        let inputs: Vec<&[f32]> = slices.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let fits = slices.iter().map(Vec::len).eq(self.inputs.iter().map(Vec::len))
            && outputs
                .iter()
                .map(|output| output.len())
                .eq(self.expected.iter().map(Vec::len));
        let result = plan.run(&inputs, &mut outputs, self.batch);
        assert_eq!(result.is_ok(), fits, "{result:?}");
        assert!(plan.run(&inputs, &mut outputs, self.batch + 1).is_err());
        assert!(plan.run(&inputs, &mut outputs[1..], self.batch).is_err());
        assert!(plan.profile(&inputs[1..], &mut outputs, self.batch).is_err());
        if !fits {
            assert!(
                outputs
                    .iter()
                    .all(|output| output.iter().all(|&value| value == 0.5))
            );
        }
    }
}

//! Plans of bytes against plain loops over integers, bit by bit, on every instruction set of this machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    Numbers,
    choices::Choices,
    random_graph::{OPERATORS, RandomGraph},
    run,
};
use modelzoo_kernels::{
    Isa,
    graph::{Activation, Convolution, Graph, GraphBuilder, Shape, Weight},
    plan::{Calibration, Plan, PlanOptions, Ranges},
};
use proptest::prelude::*;
use std::sync::Arc;

const CASES: u32 = if cfg!(miri) { 2 } else { 200 };
const MOST_CHANNELS: usize = if cfg!(miri) { 20 } else { 70 };
/// A network's input of fewer channels is read as numbers.
const LEAST_CHANNELS: usize = 8;
const MOST_SIZE: usize = if cfg!(miri) { 4 } else { 20 };

/// `(byte - zero) * step`
#[derive(Clone, Copy, Debug)]
struct Scale {
    step: f32,
    zero: f32,
}

impl Scale {
    fn of([lowest, highest]: [f32; 2]) -> Self {
        let (lowest, highest) = (f64::from(lowest.min(0.0)), f64::from(highest.max(0.0)));
        let step = ((highest - lowest) / 255.0).max(1e-30) as f32;
        let zero = (-lowest / f64::from(step)).round().clamp(0.0, 255.0) as f32;
        Self { step, zero }
    }

    fn byte(self, number: f32) -> f32 {
        (number * (1.0 / self.step) + self.zero)
            .clamp(0.0, 255.0)
            .round_ties_even()
    }

    fn number(self, byte: f32) -> f32 {
        (byte - self.zero) * self.step
    }
}

/// A convolution, and all that is chosen about it.
#[derive(Clone, Debug)]
struct Layer {
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    depthwise: bool,
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Option<Activation>,
}

/// Values by channel, row and column.
#[derive(Clone, Debug)]
struct Map {
    size: [usize; 2],
    values: Vec<f32>,
}

impl Layer {
    fn choose(choices: &mut Choices, numbers: &mut Numbers, inputs: usize, depthwise: bool) -> Self {
        let outputs = if depthwise {
            inputs
        } else {
            choices.size(MOST_CHANNELS)
        };
        let kernel = choices.pick(&[1, 3, 3, 5, 2]);
        let terms = if depthwise { 1 } else { inputs } * kernel * kernel;
        Self {
            inputs,
            outputs,
            kernel,
            stride: choices.pick(&[1, 1, 2, 3]),
            padding: kernel / 2,
            depthwise,
            weights: numbers
                .weight(&[outputs * terms], (3.0 / terms as f32).sqrt())
                .data()
                .to_vec(),
            bias: numbers.take(outputs),
            activation: choices.pick(&[
                None,
                Some(Activation::Relu),
                Some(Activation::Relu6),
                Some(Activation::Clamp(0.5)),
                Some(Activation::LeakyRelu(0.1)),
            ]),
        }
    }

    fn terms(&self) -> usize {
        self.weights.len() / self.outputs
    }

    fn size(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        [height, width].map(|length| (length + 2 * self.padding - self.kernel) / self.stride + 1)
    }

    fn add_to(
        &self,
        network: &mut GraphBuilder,
        name: &str,
        x: modelzoo_kernels::graph::Value,
    ) -> modelzoo_kernels::graph::Value {
        let groups = if self.depthwise { self.inputs } else { 1 };
        let weight = Weight::new(
            [self.outputs, self.inputs / groups, self.kernel, self.kernel],
            self.weights.clone(),
        );
        let convolution = Convolution::new(weight, Some(Weight::vector(self.bias.clone())))
            .stride(self.stride)
            .padding(self.padding)
            .groups(groups);
        network.conv2d(name, x, convolution).unwrap()
    }

    /// The exact sums of bytes, as `sum * factor + summand` on a scale with this unit and zero.
    fn sums(&self, x: &Map, of: Scale, unit: f64, summand: impl Fn(f64) -> f64) -> Map {
        let size = self.size(x.size);
        let mut values = Vec::new();
        for output in 0..self.outputs {
            let weights = &self.weights[output * self.terms()..][..self.terms()];
            let largest = weights
                .iter()
                .fold(0.0f64, |largest, weight| largest.max(f64::from(weight.abs())));
            let step = f64::from((largest / 63.0) as f32).max(1e-30);
            let integers: Vec<i64> = weights
                .iter()
                .map(|&weight| (f64::from(weight) / step).round().clamp(-63.0, 63.0) as i64)
                .collect();
            let factor = step * f64::from(of.step);
            let offset = f64::from(of.zero) * integers.iter().sum::<i64>() as f64 * factor;
            let factor_of_unit = (factor / unit) as f32;
            let summand = summand(f64::from(self.bias[output]) - offset) as f32;
            for row in 0..size[0] {
                for column in 0..size[1] {
                    let sum = self.sum(x, of, &integers, [output, row, column]);
                    values.push(sum as f32 * factor_of_unit + summand);
                }
            }
        }
        Map { size, values }
    }

    fn sum(&self, x: &Map, of: Scale, weights: &[i64], [output, row, column]: [usize; 3]) -> i64 {
        let [height, width] = x.size;
        let mut sum = 0;
        for (term, weight) in weights.iter().enumerate() {
            let (channel, tap) = (
                term / (self.kernel * self.kernel),
                term % (self.kernel * self.kernel),
            );
            let channel = if self.depthwise { output } else { channel };
            let y = (row * self.stride + tap / self.kernel).wrapping_sub(self.padding);
            let x_at = (column * self.stride + tap % self.kernel).wrapping_sub(self.padding);
            let byte = if y < height && x_at < width {
                x.values[(channel * height + y) * width + x_at]
            } else {
                of.zero
            };
            sum += byte as i64 * weight;
        }
        sum
    }
}

/// What an activation does, plainly.
fn activated(activation: Option<Activation>, value: f32) -> f32 {
    match activation {
        None => value,
        Some(Activation::Relu) => value.max(0.0),
        Some(Activation::Relu6) => value.clamp(0.0, 6.0),
        Some(Activation::Clamp(limit)) => value.clamp(-limit, limit),
        Some(Activation::LeakyRelu(slope)) => value.max(value * slope),
        Some(other) => panic!("{other:?} is not chosen"),
    }
}

/// Where an activation ends, if it does nothing else.
fn ends(activation: Option<Activation>) -> Option<[f32; 2]> {
    match activation {
        None => Some([f32::NEG_INFINITY, f32::INFINITY]),
        Some(Activation::Relu) => Some([0.0, f32::INFINITY]),
        Some(Activation::Relu6) => Some([0.0, 6.0]),
        Some(Activation::Clamp(limit)) => Some([-limit, limit]),
        _ => None,
    }
}

/// A layer whose result is bytes.
fn to_bytes(layer: &Layer, x: &Map, of: Scale, result: Scale) -> Map {
    let (unit, zero) = (f64::from(result.step), f64::from(result.zero));
    let Some([lowest, highest]) = ends(layer.activation) else {
        let Map { size, values } = layer.sums(x, of, 1.0, |bias| bias);
        let values = values
            .into_iter()
            .map(|value| result.byte(activated(layer.activation, value)));
        return Map {
            size,
            values: values.collect(),
        };
    };
    let on_scale = |bound: f32| (f64::from(bound) / unit + zero) as f32;
    let [lowest, highest] = [on_scale(lowest).max(0.0), on_scale(highest).min(255.0)];
    let Map { size, values } = layer.sums(x, of, unit, |bias| bias / unit + zero);
    let values = values
        .into_iter()
        .map(|value| value.max(lowest).min(highest).round_ties_even());
    Map {
        size,
        values: values.collect(),
    }
}

/// A layer whose result is numbers, with a residual of bytes if there is one.
fn to_numbers(layer: &Layer, x: &Map, of: Scale, residual: Option<(&Map, Scale)>) -> Map {
    let Map { size, mut values } = layer.sums(x, of, 1.0, |bias| bias);
    match residual {
        None => values
            .iter_mut()
            .for_each(|value| *value = activated(layer.activation, *value)),
        Some((residual, scale)) => {
            for (value, &byte) in values.iter_mut().zip(&residual.values) {
                *value = activated(layer.activation, *value + scale.number(byte));
            }
        }
    }
    Map { size, values }
}

/// Runs a network with ranges on every instruction set, with one to three threads and in batches.
fn assert_exact(graph: &Graph, ranges: &Ranges, image: &[f32], expected: &[f32]) {
    let ranges = Arc::new(ranges.clone());
    for isa in Isa::detected() {
        for (threads, batch) in [(1, 1), (2, 1), (3, 5)] {
            let options = PlanOptions {
                threads,
                isa: Some(isa),
                ranges: Some(ranges.clone()),
                ..PlanOptions::default()
            };
            let plan = Plan::compile(graph, &options).unwrap();
            let images = image.repeat(batch);
            for _ in 0..2 {
                let found = run(&plan, &[&images], batch);
                for found in found[0].chunks(expected.len()) {
                    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                        assert!(
                            found == expected,
                            "{} with {threads} threads: value {index} is {found}, not {expected}",
                            isa.name()
                        );
                    }
                }
            }
        }
    }
}

/// Two layers behind each other, the second one with the first one's operand or result as its residual where it fits.
fn check_layers(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(0)));
    let size = [choices.size(MOST_SIZE), choices.size(MOST_SIZE)].map(|length| length.max(2));
    let channels = LEAST_CHANNELS + choices.size(MOST_CHANNELS);
    // A depthwise convolution of numbers stays one.
    let first = Layer::choose(&mut choices, &mut numbers, channels, false);
    let depthwise = choices.flag();
    let second = Layer::choose(&mut choices, &mut numbers, first.outputs, depthwise);
    let middle = first.size(size);
    if middle.iter().product::<usize>() == 1 {
        return;
    }
    let wants_residual = choices.flag();
    let image = numbers.take(channels * size[0] * size[1]);

    let mut network = GraphBuilder::new();
    let x = network
        .input("x", Shape::map(channels, size[0], size[1]))
        .unwrap();
    let mut y = first.add_to(&mut network, "first", x);
    let mut name = "first";
    if let Some(activation) = first.activation {
        y = network.activation("first activation", y, activation).unwrap();
        name = "first activation";
    }
    let mut z = second.add_to(&mut network, "second", y);
    let residual = wants_residual && second.outputs == first.outputs && second.size(middle) == middle;
    if residual {
        z = network.add("add", z, y).unwrap();
    }
    if let Some(activation) = second.activation {
        z = network.activation("second activation", z, activation).unwrap();
    }
    network.output(z).unwrap();
    let graph = network.build().unwrap();

    let (x_range, y_range) = (
        [-1.0, choices.pick(&[0.9, 0.0])],
        choices.pick(&[[-2.5, 3.0], [0.0, 4.0], [-1.0, -0.5]]),
    );
    let ranges = Ranges::from_iter([("x".to_owned(), x_range), (name.to_owned(), y_range)]);
    let (x_scale, y_scale) = (Scale::of(x_range), Scale::of(y_range));
    let x = Map {
        size,
        values: image.iter().map(|&value| x_scale.byte(value)).collect(),
    };
    let y = to_bytes(&first, &x, x_scale, y_scale);
    let z = to_numbers(&second, &y, y_scale, residual.then_some((&y, y_scale)));
    assert_exact(&graph, &ranges, &image, &z.values);
}

/// A residual block whose sum is bytes as well: `last(relu(second(first(x)) + x))`.
fn check_residual(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut numbers = Numbers::new(u64::from(bytes.first().copied().unwrap_or(1)));
    let size = [choices.size(MOST_SIZE).max(2), choices.size(MOST_SIZE)];
    let channels = LEAST_CHANNELS + choices.size(MOST_CHANNELS);
    let same = |layer: Layer| Layer {
        stride: 1,
        kernel: layer.kernel,
        ..layer
    };
    let mut layers = Vec::new();
    for depthwise in [false, true, false] {
        let inputs = layers.last().map_or(channels, |layer: &Layer| layer.outputs);
        let mut layer = same(Layer::choose(&mut choices, &mut numbers, inputs, depthwise));
        if layer.kernel % 2 == 0 {
            return;
        }
        layer.activation = None;
        layers.push(layer);
    }
    let [first, second, last] = [&layers[0], &layers[1], &layers[2]];
    let image = numbers.take(channels * size[0] * size[1]);
    let mut network = GraphBuilder::new();
    let x = network
        .input("x", Shape::map(channels, size[0], size[1]))
        .unwrap();
    let a = first.add_to(&mut network, "a", x);
    let b = second.add_to(&mut network, "b", a);
    let sum = network.add("sum", b, a).unwrap();
    let sum = network.activation("relu", sum, Activation::Relu).unwrap();
    let end = last.add_to(&mut network, "end", sum);
    network.output(end).unwrap();
    let graph = network.build().unwrap();

    let ranges = [("x", [-1.0, 1.0]), ("a", [-2.0, 3.0]), ("relu", [0.0, 5.0])];
    let scales = ranges.map(|(_, range)| Scale::of(range));
    let ranges = Ranges::from_iter(ranges.map(|(name, range)| (name.to_owned(), range)));
    let x = Map {
        size,
        values: image.iter().map(|&value| scales[0].byte(value)).collect(),
    };
    let a = to_bytes(first, &x, scales[0], scales[1]);
    let (unit, zero) = (f64::from(scales[2].step), f64::from(scales[2].zero));
    let factor = f64::from(scales[1].step) / unit;
    let sums = second.sums(&a, scales[1], unit, |bias| {
        bias / unit + zero - f64::from(scales[1].zero) * factor
    });
    let values = sums.values.iter().zip(&a.values).map(|(sum, byte)| {
        (sum + byte * factor as f32)
            .max(scales[2].zero)
            .min(255.0)
            .round_ties_even()
    });
    let sum = Map {
        size,
        values: values.collect(),
    };
    let end = to_numbers(last, &sum, scales[2], None);
    assert_exact(&graph, &ranges, &image, &end.values);
}

/// A random network with the ranges that its own inputs have is about what it is in `f32`, the same in any batch and
/// for any number of threads.
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
    let options = PlanOptions {
        threads: 1,
        ..PlanOptions::default()
    };
    let mut calibration = Calibration::new(&graph, &options).unwrap();
    calibration.observe(&images, 3).unwrap();
    let ranges = Some(Arc::new(calibration.ranges().clone()));
    let plan = |threads| {
        let options = PlanOptions {
            threads,
            ranges: ranges.clone(),
            ..PlanOptions::default()
        };
        Plan::compile(&graph, &options).unwrap()
    };
    let expected = run(&Plan::compile(&graph, &options).unwrap(), &images, 3);
    let found = run(&plan(1), &images, 3);
    let bits = |results: &[Vec<f32>]| Vec::from_iter(results.iter().flatten().map(|value| value.to_bits()));
    assert_eq!(bits(&run(&plan(2), &images, 3)), bits(&found));
    for (found, expected) in found.iter().zip(&expected) {
        let largest = expected
            .iter()
            .fold(1e-3f32, |largest, value| largest.max(value.abs()));
        let error: f32 = found
            .iter()
            .zip(expected)
            .map(|(found, expected)| (found - expected).abs())
            .sum();
        let mean = error / expected.len() as f32;
        assert!(
            mean <= 0.5 * largest,
            "results are off by {mean} in the mean, of {largest}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layers_are_exact(bytes in prop::collection::vec(any::<u8>(), 20..30)) {
        check_layers(&bytes);
    }

    #[test]
    fn residual_blocks_are_exact(bytes in prop::collection::vec(any::<u8>(), 20..30)) {
        check_residual(&bytes);
    }

    #[test]
    fn networks_are_about_the_same(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
        check_network(&bytes);
    }
}

#[test]
fn ranges_are_what_was_seen_of_finite_numbers() {
    let mut ranges = Ranges::default();
    ranges.widen("a", &[f32::NAN, 2.0, -1.0]);
    ranges.widen("a", &[3.0, f32::INFINITY]);
    ranges.widen("b", &[f32::NAN]);
    assert_eq!(ranges.iter().collect::<Vec<_>>(), [("a", [-1.0, 3.0])]);
    let again = Ranges::from_iter(ranges.iter().map(|(layer, range)| (layer.to_owned(), range)));
    assert_eq!(again, ranges);
    let wrong = [("c", [1.0, 0.0]), ("d", [f32::NAN, 0.0])].map(|(layer, range)| (layer.to_owned(), range));
    assert_eq!(Ranges::from_iter(wrong), Ranges::default());
}

#[test]
fn a_network_without_ranges_is_what_it_was() {
    let mut network = GraphBuilder::new();
    let x = network.input("x", Shape::map(8, 6, 6)).unwrap();
    let weight = Numbers::new(3).weight(&[8, 8, 3, 3], 0.2);
    let y = network
        .conv2d("conv", x, Convolution::new(weight, None).padding(1))
        .unwrap();
    network.output(y).unwrap();
    let graph = network.build().unwrap();
    let image = Numbers::new(5).take(8 * 36);
    let results = [None, Some(Arc::new(Ranges::default()))].map(|ranges| {
        let options = PlanOptions {
            threads: 1,
            ranges,
            ..PlanOptions::default()
        };
        run(&Plan::compile(&graph, &options).unwrap(), &[&image], 1)
    });
    assert_eq!(results[0], results[1]);
}

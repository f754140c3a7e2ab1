//! Plans of bytes against plain loops over integers, bit by bit, on every instruction set of this machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "bytes/reference.rs"]
mod reference;

use common::{
    Numbers,
    choices::Choices,
    random_graph::{OPERATORS, RandomGraph},
    run,
};
use modelzoo_kernels::{
    Isa,
    graph::{Activation, Convolution, Graph, GraphBuilder, Shape},
    plan::{ByteRange, Calibration, Plan, PlanOptions, Ranges, RangesError},
};
use proptest::prelude::*;
use reference::{Layer, MOST_CHANNELS, Map, byte, choose_range, to_bytes, to_numbers};
use std::sync::Arc;

const CASES: u32 = if cfg!(miri) { 2 } else { 200 };
/// A network's input of fewer channels is read as numbers.
const LEAST_CHANNELS: usize = 8;
const MOST_SIZE: usize = if cfg!(miri) { 4 } else { 20 };

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

/// An image as bytes.
fn bytes_of(range: &ByteRange, size: [usize; 2], image: &[f32]) -> Map {
    let plane = size[0] * size[1];
    let values = image.iter().enumerate();
    Map {
        size,
        values: values
            .map(|(index, &value)| byte(range, index / plane, value))
            .collect(),
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

    let x_range = choose_range(&mut choices, &mut numbers, channels, &[128, 0]);
    let y_range = choose_range(&mut choices, &mut numbers, first.outputs, &[128, 0, 37, 255]);
    let ranges = Ranges::from_iter([
        ("x".to_owned(), x_range.clone()),
        (name.to_owned(), y_range.clone()),
    ]);
    let x = bytes_of(&x_range, size, &image);
    let y = to_bytes(&first, &x, &x_range, &y_range);
    let z = to_numbers(&second, &y, &y_range, residual.then_some((&y, &y_range)));
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
    // A single channel has no depthwise convolution, and another one may have another number of results.
    if second.outputs != first.outputs {
        return;
    }
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

    let mut range = |channels, zeros: &[u8]| choose_range(&mut choices, &mut numbers, channels, zeros);
    let x_range = range(channels, &[128]);
    let a_range = range(first.outputs, &[128, 37]);
    let sum_range = range(first.outputs, &[0, 3]);
    let given = [("x", &x_range), ("a", &a_range), ("relu", &sum_range)];
    let ranges = Ranges::from_iter(given.map(|(name, range)| (name.to_owned(), range.clone())));
    let x = bytes_of(&x_range, size, &image);
    let a = to_bytes(first, &x, &x_range, &a_range);
    let unit = |channel: usize| f64::from(sum_range.steps[channel]);
    let factor = |channel: usize| f64::from(a_range.steps[channel]) / unit(channel);
    let mut sum = second.sums(&a, &a_range, unit, |channel, bias| {
        bias / unit(channel) + f64::from(sum_range.zero) - f64::from(a_range.zero) * factor(channel)
    });
    let plane = size[0] * size[1];
    for (index, (value, byte)) in sum.values.iter_mut().zip(&a.values).enumerate() {
        *value = (*value + byte * factor(index / plane) as f32)
            .max(f32::from(sum_range.zero))
            .min(255.0)
            .round_ties_even();
    }
    let end = to_numbers(last, &sum, &sum_range, None);
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
    let ranges = Some(Arc::new(calibration.ranges()));
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

/// Of a range's channels.
fn range(steps: &[f32]) -> ByteRange {
    ByteRange {
        zero: 7,
        steps: steps.to_vec(),
        means: vec![0.5; steps.len()],
    }
}

#[test]
fn ranges_are_kept_in_files() {
    let mut ranges = Ranges::from_iter([("b".to_owned(), range(&[0.5, 1.0])), ("a".to_owned(), range(&[]))]);
    ranges.keep_in_numbers("c");
    let bytes = ranges.to_bytes();
    assert_eq!(Ranges::from_bytes(&bytes), Ok(ranges.clone()));
    for length in 0..bytes.len() {
        assert!(Ranges::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(
        Ranges::from_bytes(&[&bytes[..], &[0]].concat()),
        Err(RangesError::Length)
    );
    let mut later = bytes;
    later[20] = 2;
    assert_eq!(Ranges::from_bytes(&later), Err(RangesError::Version(2)));
}

#[test]
fn ranges_that_cannot_be_are_none() {
    let wrong = [vec![0.0], vec![f32::NAN], vec![-1.0], vec![1.0, f32::INFINITY]];
    for steps in wrong {
        assert_eq!(
            Ranges::from_iter([("a".to_owned(), range(&steps))]),
            Ranges::default()
        );
    }
    let unequal = ByteRange {
        means: vec![0.0],
        ..range(&[1.0, 1.0])
    };
    assert_eq!(Ranges::from_iter([("a".to_owned(), unequal)]), Ranges::default());
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

/// Two convolutions behind one of an input of numbers, and an image.
fn small_network() -> (Graph, Vec<f32>) {
    let mut network = GraphBuilder::new();
    let mut x = network.input("x", Shape::map(3, 12, 12)).unwrap();
    let mut numbers = Numbers::new(3);
    for (name, inputs) in [("a", 3), ("b", 20), ("c", 20)] {
        let weight = numbers.weight(&[20, inputs, 3, 3], 0.2);
        x = network
            .conv2d(name, x, Convolution::new(weight, None).padding(1))
            .unwrap();
    }
    network.output(x).unwrap();
    (network.build().unwrap(), numbers.take(3 * 144))
}

/// The network's results with these ranges.
fn results(graph: &Graph, ranges: Option<Ranges>, image: &[f32]) -> Vec<f32> {
    let options = PlanOptions {
        threads: 1,
        ranges: ranges.map(Arc::new),
        ..PlanOptions::default()
    };
    run(&Plan::compile(graph, &options).unwrap(), &[image], 1).remove(0)
}

#[test]
fn what_was_seen_has_bytes() {
    let (graph, image) = small_network();
    let calibrate = || {
        let mut calibration = Calibration::new(&graph, &PlanOptions::default()).unwrap();
        calibration.observe(&[&image], 1).unwrap();
        calibration.ranges()
    };
    let ranges = calibrate();
    assert_eq!(calibrate().to_bytes(), ranges.to_bytes());
    let names: Vec<&str> = ranges.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for name in names {
        let values = results(&graph.with_outputs(&[name]).unwrap(), None, &image);
        let range = ranges.get(name).unwrap();
        for (index, value) in values.iter().enumerate() {
            let channel = index / 144;
            let byte = value / range.steps[channel] + f32::from(range.zero);
            assert!((-0.01..255.01).contains(&byte), "{name}: {value} is byte {byte}");
        }
        for (channel, values) in values.chunks(144).enumerate() {
            let mean = values.iter().sum::<f32>() / 144.0;
            assert!((mean - range.means[channel]).abs() < 1e-4);
        }
    }
}

#[test]
fn images_of_any_size_are_observed() {
    let (graph, image) = small_network();
    let observed = |shapes: &[[usize; 2]]| {
        let mut calibration = Calibration::new(&graph, &PlanOptions::default()).unwrap();
        for &[height, width] in shapes {
            calibration
                .set_input_shapes(&[Shape::map(3, height, width)])
                .unwrap();
            calibration.observe(&[&image[..3 * height * width]], 1).unwrap();
        }
        calibration.ranges()
    };
    let one = observed(&[[12, 12]]);
    assert_ne!(observed(&[[12, 12], [6, 8]]), one);
    assert_eq!(
        observed(&[[12, 12], [6, 8], [12, 12]]).iter().len(),
        one.iter().len()
    );
    let mut calibration = Calibration::new(&graph, &PlanOptions::default()).unwrap();
    assert!(calibration.set_input_shapes(&[Shape::map(4, 12, 12)]).is_err());
    assert!(calibration.memory() >= 3 * 144 * size_of::<f32>());
}

#[test]
fn layers_that_cost_too_much_stay_in_numbers() {
    let (graph, image) = small_network();
    let mut calibration = Calibration::new(&graph, &PlanOptions::default()).unwrap();
    calibration.observe(&[&image], 1).unwrap();
    let within = |most: f64| {
        let told = &mut |tried: usize, of: usize| assert!(tried < of);
        calibration.ranges_within(most, &[&image], 1, told).unwrap()
    };
    assert_eq!(within(1.0), calibration.ranges());
    let kept = |ranges: &Ranges| ranges.in_numbers().map(String::from).collect::<Vec<_>>();
    assert_eq!(kept(&within(0.0)), ["b", "c"]);
    let expected = results(&graph, None, &image);
    assert_eq!(results(&graph, Some(within(0.0)), &image), expected);
    // Both layers on bytes are worse than one, and none is without an error.
    let error = |ranges: Ranges| -> f64 {
        let square = |value: f32| f64::from(value) * f64::from(value);
        let found = results(&graph, Some(ranges), &image);
        let errors = found
            .iter()
            .zip(&expected)
            .map(|(found, expected)| square(found - expected));
        (errors.sum::<f64>() / expected.iter().copied().map(square).sum::<f64>()).sqrt()
    };
    let both = error(calibration.ranges());
    let settled = within(both * 0.9);
    assert_eq!(kept(&settled).len(), 1);
    assert!(error(settled) < both && both < 0.05);
}

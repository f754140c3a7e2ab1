//! Layers of bytes as plain loops over integers.

use super::common::{Numbers, choices::Choices};
use modelzoo_kernels::{
    graph::{Activation, Convolution, GraphBuilder, Value, Weight},
    plan::ByteRange,
};

pub const MOST_CHANNELS: usize = if cfg!(miri) { 20 } else { 70 };

/// A range for so many channels.
pub fn choose_range(
    choices: &mut Choices,
    numbers: &mut Numbers,
    channels: usize,
    zeros: &[u8],
) -> ByteRange {
    let zero = choices.pick(zeros);
    let largest = choices.pick(&[0.02, 6.0 / 255.0, 0.005]);
    let steps = numbers.take(channels).into_iter();
    ByteRange {
        zero,
        steps: steps.map(|number| largest * (0.1 + 0.9 * number.abs())).collect(),
        means: numbers.take(channels),
    }
}

/// The byte that comes nearest to a number of a channel.
pub fn byte(range: &ByteRange, channel: usize, number: f32) -> f32 {
    (number * (1.0 / range.steps[channel]) + f32::from(range.zero))
        .clamp(0.0, 255.0)
        .round_ties_even()
}

/// The number that a byte of a channel stands for.
fn number(range: &ByteRange, channel: usize, byte: f32) -> f32 {
    (byte - f32::from(range.zero)) * range.steps[channel]
}

/// A convolution, and all that is chosen about it.
#[derive(Clone, Debug)]
pub struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub depthwise: bool,
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Option<Activation>,
}

/// Values by channel, row and column.
#[derive(Clone, Debug)]
pub struct Map {
    pub size: [usize; 2],
    pub values: Vec<f32>,
}

impl Layer {
    pub fn choose(choices: &mut Choices, numbers: &mut Numbers, inputs: usize, depthwise: bool) -> Self {
        // A single channel is convolved as any others are.
        let depthwise = depthwise && inputs > 1;
        let outputs = if depthwise {
            inputs
        } else {
            choices.size(MOST_CHANNELS)
        };
        let kernel = choices.pick(&[1, 3, 3, 5, 7, 2]);
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

    pub fn size(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        [height, width].map(|length| (length + 2 * self.padding - self.kernel) / self.stride + 1)
    }

    pub fn add_to(&self, network: &mut GraphBuilder, name: &str, x: Value) -> Value {
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

    /// The integers of an output channel's weights, what one more of them does, and what they lack in the mean.
    fn integers(&self, output: usize, of: &ByteRange) -> (Vec<i64>, f64, f64) {
        let taps = self.kernel * self.kernel;
        let channel_of = |term: usize| if self.depthwise { output } else { term / taps };
        let step_of = |term: usize| f64::from(of.steps[channel_of(term)]);
        let weights: Vec<f64> = self.weights[output * self.terms()..][..self.terms()]
            .iter()
            .enumerate()
            .map(|(term, &weight)| f64::from(weight) * step_of(term))
            .collect();
        let largest = weights
            .iter()
            .fold(0.0f64, |largest, weight| largest.max(weight.abs()));
        let step = if self.depthwise {
            largest / f64::from(((1u32 << 24) / (255 * taps as u32)).min(32767))
        } else {
            // Two channels next to each other, of one tap, are one pair.
            let pair = |term: usize| match (term / taps % 2, term + taps < weights.len()) {
                (0, true) => [weights[term], weights[term + taps]],
                _ => [weights[term], 0.0],
            };
            (0..weights.len())
                .map(pair)
                .fold(largest / 127.0, |step, [one, other]| {
                    let positive = one.max(0.0) + other.max(0.0);
                    let negative = (-one).max(0.0) + (-other).max(0.0);
                    step.max(positive / 127.0).max(negative / 127.0)
                })
        };
        let step = f64::from(step as f32).max(1e-30);
        let integers: Vec<i64> = weights
            .iter()
            .map(|weight| (weight / step).round() as i64)
            .collect();
        let mut lacking = 0.0;
        for first in (0..weights.len() / taps).step_by(16) {
            for tap in 0..taps {
                for channel in first..(first + 16).min(weights.len() / taps) {
                    let term = channel * taps + tap;
                    let mean = f64::from(of.means[channel_of(term)]) / step_of(term);
                    lacking += (weights[term] - integers[term] as f64 * step) * mean;
                }
            }
        }
        (integers, step, f64::from(lacking as f32))
    }

    /// The exact sums of bytes on the scale of a result's channels, with what `summand` makes of a channel's bias.
    pub fn sums(
        &self,
        x: &Map,
        of: &ByteRange,
        unit: impl Fn(usize) -> f64,
        summand: impl Fn(usize, f64) -> f64,
    ) -> Map {
        let size = self.size(x.size);
        let mut values = Vec::new();
        for output in 0..self.outputs {
            let (integers, step, lacking) = self.integers(output, of);
            let offset = f64::from(of.zero) * integers.iter().sum::<i64>() as f64 * step;
            let factor = (step / unit(output)) as f32;
            let summand = summand(output, f64::from(self.bias[output]) + lacking - offset) as f32;
            for row in 0..size[0] {
                for column in 0..size[1] {
                    let sum = self.sum(x, of.zero, &integers, [output, row, column]);
                    values.push(sum as f32 * factor + summand);
                }
            }
        }
        Map { size, values }
    }

    fn sum(&self, x: &Map, zero: u8, weights: &[i64], [output, row, column]: [usize; 3]) -> i64 {
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
                f32::from(zero)
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

/// The channel of each value of a map.
fn channels(map: &Map) -> impl Fn(usize) -> usize + use<> {
    let plane = map.size[0] * map.size[1];
    move |index| index / plane
}

/// A layer whose result is bytes.
pub fn to_bytes(layer: &Layer, x: &Map, of: &ByteRange, result: &ByteRange) -> Map {
    let zero = f32::from(result.zero);
    let is_highest = |highest: f32| {
        let reaches =
            |&step: &f32| f64::from(highest) / f64::from(step) + f64::from(zero) >= 255.0 * (1.0 - 1e-6);
        result.steps.iter().all(reaches)
    };
    let bounds = ends(layer.activation)
        .filter(|[lowest, highest]| (*lowest == 0.0 || *lowest == f32::NEG_INFINITY) && is_highest(*highest));
    let Some([lowest, _]) = bounds else {
        let mut sums = layer.sums(x, of, |_| 1.0, |_, bias| bias);
        let channel = channels(&sums);
        for (index, value) in sums.values.iter_mut().enumerate() {
            *value = byte(result, channel(index), activated(layer.activation, *value));
        }
        return sums;
    };
    let unit = |channel: usize| f64::from(result.steps[channel]);
    let mut sums = layer.sums(x, of, unit, |channel, bias| {
        bias / unit(channel) + f64::from(zero)
    });
    let lowest = if lowest == 0.0 { zero } else { 0.0 };
    for value in &mut sums.values {
        *value = value.max(lowest).min(255.0).round_ties_even();
    }
    sums
}

/// A layer whose result is numbers, with a residual of bytes if there is one.
pub fn to_numbers(layer: &Layer, x: &Map, of: &ByteRange, residual: Option<(&Map, &ByteRange)>) -> Map {
    let mut sums = layer.sums(x, of, |_| 1.0, |_, bias| bias);
    let channel = channels(&sums);
    for (index, value) in sums.values.iter_mut().enumerate() {
        let added = residual.map_or(0.0, |(residual, range)| {
            number(range, channel(index), residual.values[index])
        });
        // A sum with 0 is the same number.
        *value = activated(layer.activation, *value + added);
    }
    sums
}

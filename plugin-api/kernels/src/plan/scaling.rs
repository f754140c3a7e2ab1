//! Steps of bytes for the channels of a value.

use super::{fuse::Layer, ranges::ByteRange, statistics::Statistics, weights::scale_of};
use crate::graph::{Graph, Weight};

/// What the largest integer of an output channel's weights is as a rule: between what one weight may be and what it may
/// be beside its neighbours.
const USUAL_LARGEST: f64 = 110.0;

/// How often steps and weights take turns; they are settled before.
const TURNS: usize = 10;

/// The least of a channel's step to the largest one of the value.
const LEAST_SHARE: f64 = 1e-4;

/// The weights of a layer that sums up all channels of a value.
pub(super) struct Weights {
    /// Of each input channel the sum of squares.
    squares: Vec<f64>,
    /// `[outputs][inputs]`: the largest one among those of the kernel.
    largest: Vec<f32>,
    taps: usize,
}

impl Weights {
    pub(super) fn of(graph: &Graph, layer: &Layer, weight: &Weight) -> Self {
        let [outputs, inputs] = [weight.dims()[0], weight.dims()[1]];
        let taps = weight.data().len() / (outputs * inputs).max(1);
        let scale = scale_of(graph, layer);
        let mut squares = vec![0.0; inputs];
        let mut largest = Vec::with_capacity(outputs * inputs);
        for (index, kernel) in weight.data().chunks(taps.max(1)).enumerate() {
            let scale = scale(index / inputs);
            squares[index % inputs] += kernel
                .iter()
                .map(|&weight| (f64::from(weight) * scale).powi(2))
                .sum::<f64>();
            let most = kernel
                .iter()
                .fold(0.0, |most: f32, weight| most.max(weight.abs()));
            largest.push((f64::from(most) * scale).abs() as f32);
        }
        Self {
            squares,
            largest,
            taps,
        }
    }

    /// The sum of squares of the steps that the weights of the output channels have with these steps of the input.
    fn squared_steps(&self, steps: &[f64]) -> f64 {
        let of_output = |weights: &[f32]| {
            let largest = weights
                .iter()
                .zip(steps)
                .fold(0.0, |largest: f64, (&weight, step)| {
                    largest.max(f64::from(weight) * step)
                });
            (largest / USUAL_LARGEST).powi(2)
        };
        self.largest.chunks(steps.len()).map(of_output).sum::<f64>() * self.taps as f64
    }
}

/// The range of a value, read by these layers and by depthwise convolutions.
///
/// Bytes of small steps are good for the value, and bad for the weights: these are integers for what one more of a byte
/// does, so that a channel of small steps has small integers, where one step for all weights of an output channel is
/// coarse. So the steps are those with the least sum of both errors, but no smaller than what has been seen asks for, and
/// no larger than that of the channel that needs the largest one. Depthwise convolutions have weights that are fine enough.
pub(super) fn byte_range(statistics: &Statistics, readers: &[Weights]) -> ByteRange {
    let (zero, least) = least_steps(statistics);
    let largest = least.iter().copied().fold(0.0, f64::max);
    let least: Vec<f64> = least
        .iter()
        .map(|step| {
            step.max(largest * LEAST_SHARE)
                .max(f64::from(ByteRange::LEAST_STEP))
        })
        .collect();
    let largest = largest.max(least[0]);
    let mut steps = least.clone();
    if !readers.is_empty() {
        let mut squares = vec![0.0; steps.len()];
        for reader in readers {
            for (sum, square) in squares.iter_mut().zip(&reader.squares) {
                *sum += square;
            }
        }
        for _ in 0..TURNS {
            let of_weights: f64 = readers.iter().map(|reader| reader.squared_steps(&steps)).sum();
            for (channel, step) in steps.iter_mut().enumerate() {
                // Where `step^2 * squares + variance * of_weights / step^2` is least.
                let best = (statistics.variance(channel) * of_weights / squares[channel])
                    .sqrt()
                    .sqrt();
                *step = (*step * best.max(least[channel]).min(largest)).sqrt();
            }
        }
    }
    let steps = steps
        .iter()
        .zip(&least)
        .map(|(step, least)| step.max(*least) as f32);
    ByteRange {
        zero,
        steps: steps.collect(),
        means: (0..least.len())
            .map(|channel| statistics.mean(channel) as f32)
            .collect(),
    }
}

/// The byte for 0, and steps with which all that has been seen has bytes: those with the least sum of squares.
fn least_steps(statistics: &Statistics) -> (u8, Vec<f64>) {
    let ends: Vec<[f64; 2]> = statistics
        .channels()
        .map(|[lowest, highest]| [f64::from(-lowest.min(0.0)), f64::from(highest.max(0.0))])
        .collect();
    let share = |length: f64, bytes: u8| {
        if length == 0.0 {
            0.0
        } else {
            length / f64::from(bytes)
        }
    };
    let steps = |zero: u8| {
        ends.iter()
            .map(move |&[below, above]| share(below, zero).max(share(above, u8::MAX - zero)))
    };
    let cost = |zero: u8| steps(zero).map(|step| step * step).sum::<f64>();
    let mut best = (0, cost(0));
    for zero in 1..=u8::MAX {
        let cost = cost(zero);
        if cost < best.1 {
            best = (zero, cost);
        }
    }
    (best.0, steps(best.0).collect())
}

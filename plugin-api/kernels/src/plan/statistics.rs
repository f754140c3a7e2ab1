//! What is seen of the channels of a value.

use crate::graph::Shape;

/// The extremes and moments of the channels of a value, of those numbers that are finite.
#[derive(Clone, Debug)]
pub(super) struct Statistics(Vec<Channel>);

#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    range: [f32; 2],
    count: f64,
    sum: f64,
    squares: f64,
}

impl Statistics {
    pub(super) fn new(shape: Shape) -> Self {
        Self(vec![Channel::default(); shape.channels()])
    }

    /// Takes in an image of this shape.
    pub(super) fn observe(&mut self, shape: Shape, values: &[f32]) {
        match shape {
            Shape::Map { .. } => {
                for (channel, values) in self.0.iter_mut().zip(values.chunks(shape.positions())) {
                    values.iter().for_each(|&value| channel.add(value));
                }
            }
            Shape::Tokens { .. } | Shape::Vector { .. } => {
                for values in values.chunks(self.0.len()) {
                    for (channel, &value) in self.0.iter_mut().zip(values) {
                        channel.add(value);
                    }
                }
            }
        }
    }

    /// Whether anything has been seen of each channel.
    pub(super) fn is_complete(&self) -> bool {
        self.0.iter().all(|channel| channel.count > 0.0)
    }

    /// The smallest and the largest number of each channel.
    pub(super) fn channels(&self) -> impl Iterator<Item = [f32; 2]> + '_ {
        self.0.iter().map(|channel| channel.range)
    }

    pub(super) fn mean(&self, channel: usize) -> f64 {
        self.0[channel].sum / self.0[channel].count
    }

    pub(super) fn variance(&self, channel: usize) -> f64 {
        let Channel { count, squares, .. } = self.0[channel];
        (squares / count - self.mean(channel).powi(2)).max(0.0)
    }
}

impl Channel {
    fn add(&mut self, value: f32) {
        if !value.is_finite() {
            return;
        }
        let [lowest, highest] = self.range;
        self.range = if self.count == 0.0 {
            [value; 2]
        } else {
            [lowest.min(value), highest.max(value)]
        };
        self.count += 1.0;
        self.sum += f64::from(value);
        self.squares += f64::from(value) * f64::from(value);
    }
}

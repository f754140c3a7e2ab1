//! Squeeze and excitation: factors of a map's channels, found from their means.
//!
//! Source: Hu et al., "Squeeze-and-Excitation Networks" (2017), section 3.

use crate::network::{Activation, Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Squeeze and excitation, with convolutions of 1 x 1 that have biases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SqueezeExcitation {
    channels: usize,
    activation: Activation,
    gate: Activation,
}

impl SqueezeExcitation {
    /// With so many channels between the two convolutions, a ReLU behind the first and a sigmoid behind the second.
    pub const fn new(channels: usize) -> Self {
        Self {
            channels,
            activation: Activation::Relu,
            gate: Activation::Sigmoid,
        }
    }

    /// With another activation behind the first convolution: EfficientNet has [`Activation::Silu`].
    pub const fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// With another activation behind the second convolution: MobileNetV3 has [`Activation::HardSigmoid`].
    pub const fn gate(self, gate: Activation) -> Self {
        Self { gate, ..self }
    }

    /// The map times the factors that the convolutions of these names find.
    ///
    /// # Errors
    /// As for [`NetworkBuilder::conv2d`].
    pub fn describe(
        self,
        network: &mut NetworkBuilder<'_>,
        [reduce, expand]: [&str; 2],
        x: Value,
    ) -> Result<Value> {
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let factors = network.conv2d(reduce, mean, Conv2d::new(self.channels, 1))?;
        let factors = network.activation(factors, self.activation)?;
        let channels = network.channels(x)?;
        let factors = network.conv2d(expand, factors, Conv2d::new(channels, 1))?;
        let factors = network.activation(factors, self.gate)?;
        network.mul(x, factors)
    }
}

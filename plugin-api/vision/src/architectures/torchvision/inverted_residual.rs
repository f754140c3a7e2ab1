//! The block of EfficientNet and MobileNetV3: wider, filtered, excited, narrower.

use super::{Layers, MOST_LAYERS, Steps};
use crate::architectures::activation::Activation;
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// What the tensors of a block do not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) stride: usize,
    /// Of the filtering convolution; with more than 1 there is no stride.
    pub(super) dilation: usize,
    pub(super) activation: Activation,
    pub(super) excitation: Excitation,
}

/// How squeeze and excitation ends: which functions are behind its two convolutions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Excitation {
    /// The block's activation, and a sigmoid.
    Smooth,
    /// `max(x, 0)`, and a sigmoid of straight lines.
    Hard,
}

impl Block {
    /// Describes the block whose parts are `NAME.block.0`, `NAME.block.1` and so on.
    ///
    /// The first convolution that is wider than 1 x 1 filters; the last one has no activation, unless it is the only one.
    pub(super) fn describe(
        self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let parts: Vec<String> = (0..MOST_LAYERS)
            .map(|part| format!("{name}.block.{part}"))
            .take_while(|part| layers.checkpoint.has_any(&format!("{part}.")))
            .collect();
        let (mut x, mut has_filtered) = (input, false);
        for (place, part) in parts.iter().enumerate() {
            if layers.has(&format!("{part}.fc1")) {
                x = self.excite(network, layers, part, x)?;
                continue;
            }
            let [_, _, kernel, _] = layers.dims(&format!("{part}.0"))?;
            let filters = kernel > 1 && !has_filtered;
            has_filtered |= filters;
            let steps = match (filters, self.dilation) {
                (false, _) => Steps::ONE,
                (true, 1) => Steps::of(self.stride),
                (true, dilation) => Steps::ONE.dilation(dilation),
            };
            x = layers.sequence(network, &format!("{part}."), 0, x, steps)?;
            if place + 1 < parts.len() || place == 0 {
                x = self.activation.apply(network, x)?;
            }
        }
        if self.stride == 1 && network.channels(x)? == network.channels(input)? {
            x = network.add(x, input)?;
        }
        network.alias(name, x)?;
        Ok(x)
    }

    fn excite(
        self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        x: Value,
    ) -> Result<Value> {
        let (inner, is_hard) = match self.excitation {
            Excitation::Smooth => (self.activation, false),
            Excitation::Hard => (Activation::Relu, true),
        };
        excite(network, layers, name, x, inner, is_hard)
    }
}

/// Squeeze and excitation: factors of the channels, found from their means by the convolutions `fc1` and `fc2`.
pub(super) fn excite(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
    inner: Activation,
    is_hard: bool,
) -> Result<Value> {
    let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
    let factors = layers.convolve(network, &format!("{name}.fc1"), mean, Steps::ONE)?;
    let factors = inner.apply(network, factors)?;
    let channels = network.channels(x)?;
    let factors = network.conv2d(&format!("{name}.fc2"), factors, Conv2d::new(channels, 1))?;
    let factors = if is_hard {
        network.hardsigmoid(factors)?
    } else {
        network.sigmoid(factors)?
    };
    network.mul(x, factors)
}

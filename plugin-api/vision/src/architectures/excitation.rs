//! Squeeze and excitation: factors of a map's channels, found from their means.
//!
//! Source: Hu et al., "Squeeze-and-Excitation Networks" (2017), section 3.

use super::{
    activation::Activation,
    layers::{Layers, Steps},
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Which functions are behind the two convolutions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Excitation {
    /// An activation, and a sigmoid.
    Smooth(Activation),
    /// `max(x, 0)`, and a sigmoid of straight lines.
    Hard,
}

/// The map times the factors that the convolutions of these names find.
pub(super) fn excite(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    [reduce, expand]: [&str; 2],
    x: Value,
    excitation: Excitation,
) -> Result<Value> {
    let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
    let factors = layers.convolve(network, reduce, mean, Steps::ONE)?;
    let factors = match excitation {
        Excitation::Smooth(activation) => activation.apply(network, factors)?,
        Excitation::Hard => network.relu(factors)?,
    };
    let channels = network.channels(x)?;
    let factors = network.conv2d(expand, factors, Conv2d::new(channels, 1))?;
    let factors = match excitation {
        Excitation::Smooth(_) => network.sigmoid(factors)?,
        Excitation::Hard => network.hardsigmoid(factors)?,
    };
    network.mul(x, factors)
}

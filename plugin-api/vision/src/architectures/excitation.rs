//! Squeeze and excitation: factors of a map's channels, found from their means.
//!
//! Source: Hu et al., "Squeeze-and-Excitation Networks" (2017), section 3.

use super::{activation::Activation, layers::Layers};
use modelzoo_candle::{
    blocks::SqueezeExcitation,
    network::{self, NetworkBuilder, Value},
};
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
    let [reduced, ..] = layers.dims::<4>(reduce)?;
    let block = SqueezeExcitation::new(reduced);
    let block = match excitation {
        Excitation::Smooth(activation) => block.activation(activation.into()),
        Excitation::Hard => block.gate(network::Activation::HardSigmoid),
    };
    block.describe(network, [reduce, expand], x)
}

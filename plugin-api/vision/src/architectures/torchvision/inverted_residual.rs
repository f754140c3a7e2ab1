//! The block of EfficientNet and MobileNetV3: wider, filtered, excited, narrower.

use super::{Layers, MOST_LAYERS, Steps};
use crate::architectures::{
    activation::Activation,
    excitation::{Excitation, excite},
};
use modelzoo_candle::network::{NetworkBuilder, Value};
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
        let mut x = self.through(network, layers, &format!("{name}.block."), input)?;
        if self.stride == 1 && network.channels(x)? == network.channels(input)? {
            x = network.add(x, input)?;
        }
        network.alias(name, x)?;
        Ok(x)
    }

    /// The parts `ROOT0`, `ROOT1` and so on, one after the other; those at the beginning may be elsewhere.
    pub(super) fn through(
        self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        root: &str,
        input: Value,
    ) -> Result<Value> {
        let is_there = |part: &String| layers.checkpoint.has_any(&format!("{part}."));
        let parts: Vec<String> = (0..MOST_LAYERS)
            .map(|part| format!("{root}{part}"))
            .skip_while(|part| !is_there(part))
            .take_while(is_there)
            .collect();
        let (mut x, mut has_filtered) = (input, false);
        for (place, part) in parts.iter().enumerate() {
            if layers.has(&format!("{part}.fc1")) {
                let names = ["fc1", "fc2"].map(|layer| format!("{part}.{layer}"));
                x = excite(network, layers, [&names[0], &names[1]], x, self.excitation)?;
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
        Ok(x)
    }
}

//! The stages of BiT's ResNet, as hybrids of a ResNet and a vision transformer begin with them: weights are standardised
//! before they are used, and channels normalised in groups.
//!
//! Sources: Kolesnikov et al., "Big Transfer (BiT): General Visual Representation Learning" (2020), section 3; Qiao et al.,
//! "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization" (2019), section 3.2; names and
//! defaults: those of transformers' `BitConfig`.

use super::{activation::Activation, transformer};
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Padding, Pool, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// How many times more channels a block's result has than its middle.
const REDUCTION: usize = 4;
/// Numbers of channels are multiples of this.
const MULTIPLE: usize = 8;
/// Added to the variances of weights.
const EPSILON: f64 = 1e-8;
/// Added to the variances of groups.
const GROUP_EPSILON: f32 = 1e-5;

/// Its settings.
pub(super) struct Bit {
    stem: usize,
    /// Channels and blocks of each stage.
    stages: Vec<[usize; 2]>,
    groups: usize,
    activation: Activation,
}

impl Bit {
    /// Reads the settings, which hybrids may leave out.
    pub(super) fn read(config: &Config) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        let supported = [("layer_type", "bottleneck"), ("global_padding", "same")];
        for (key, only) in supported {
            let found = config.text(key)?.unwrap_or(only);
            if !found.eq_ignore_ascii_case(only) {
                return Err(config.unsupported(key, &format!("\"{only}\"")));
            }
        }
        if !config.flag("embedding_dynamic_padding", true)? {
            return Err(config.unsupported("embedding_dynamic_padding", "true"));
        }
        for (key, only) in [("output_stride", 32), ("width_factor", 1)] {
            if config.count(key, only)? != only {
                return Err(config.unsupported(key, &only.to_string()));
            }
        }
        let depths = config.counts("depths", &[3, 4, 9])?;
        let channels = config.counts("hidden_sizes", &[256, 512, 1024, 2048])?;
        if channels.len() < depths.len() {
            return Err(config.wrong(
                "hidden_sizes",
                &format!("a list of at least {} numbers, as `depths` has,", depths.len()),
            ));
        }
        let rounded = channels.into_iter().map(in_eights);
        Ok(Self {
            stem: config.count("embedding_size", 64)?,
            stages: rounded.zip(depths).map(Into::into).collect(),
            groups: config.count("num_groups", 32)?,
            activation: Activation::of(config, "hidden_act", Activation::Relu)?,
        })
    }

    /// The maps of all stages, the largest first; `root` is before the names of all tensors.
    pub(super) fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let described = Described {
            bit: self,
            checkpoint,
        };
        let stem = Conv2d::new(self.stem, 7).stride(2);
        let x = described.convolve(network, &format!("{root}embedder.convolution"), image, stem)?;
        let x = described.norm(network, &format!("{root}embedder.norm"), x, true)?;
        let mut x = same_max_pool(network, x)?;
        let mut maps = Vec::new();
        for (stage, &[channels, blocks]) in self.stages.iter().enumerate() {
            for block in 0..blocks {
                let name = format!("{root}encoder.stages.{stage}.layers.{block}");
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                x = described.block(network, &name, x, channels, stride, block == 0)?;
            }
            maps.push(x);
        }
        Ok(maps)
    }
}

/// The stages with their tensors.
struct Described<'a> {
    bit: &'a Bit,
    checkpoint: &'a Checkpoint,
}

impl Described<'_> {
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        channels: usize,
        stride: usize,
        is_first: bool,
    ) -> Result<Value> {
        let mut shortcut = input;
        if is_first {
            let part = format!("{name}.downsample");
            let settings = Conv2d::new(channels, 1).stride(stride);
            shortcut = self.convolve(network, &format!("{part}.conv"), input, settings)?;
            shortcut = self.norm(network, &format!("{part}.norm"), shortcut, false)?;
        }
        let middle = in_eights(channels / REDUCTION);
        let layers = [
            Conv2d::new(middle, 1),
            Conv2d::new(middle, 3).stride(stride),
            Conv2d::new(channels, 1),
        ];
        let mut x = input;
        for (number, settings) in (1..).zip(layers) {
            x = self.convolve(network, &format!("{name}.conv{number}"), x, settings)?;
            x = self.norm(network, &format!("{name}.norm{number}"), x, number < layers.len())?;
        }
        let x = network.add(x, shortcut)?;
        let x = self.bit.activation.apply(network, x)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// A convolution with standardised weights, and with zeros around its operand as TensorFlow has them.
    fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        settings: Conv2d,
    ) -> Result<Value> {
        let weight = format!("{name}.weight");
        if !self.checkpoint.has_made(&weight) {
            let standard = standardised(&self.checkpoint.tensor(&weight)?);
            self.checkpoint.make(weight, standard);
        }
        network.conv2d(name, x, settings.same().without_bias())
    }

    fn norm(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, activates: bool) -> Result<Value> {
        let x = network.group_norm_of_each(name, &[x], self.bit.groups, GROUP_EPSILON)?[0];
        if activates {
            self.bit.activation.apply(network, x)
        } else {
            Ok(x)
        }
    }
}

/// A weight whose outputs have each the mean 0 and the variance 1.
fn standardised(weight: &Weight) -> Weight {
    let outputs = weight.dims().first().copied().unwrap_or(1).max(1);
    let count = (weight.data().len() / outputs).max(1);
    let values: Vec<f32> = weight
        .data()
        .chunks(count)
        .flat_map(|values| {
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count as f64;
            let squares = values.iter().map(|&value| (f64::from(value) - mean).powi(2));
            let deviation = (squares.sum::<f64>() / count as f64 + EPSILON).sqrt();
            values
                .iter()
                .map(move |&value| ((f64::from(value) - mean) / deviation) as f32)
        })
        .collect();
    Weight::new(weight.dims(), values)
}

/// The largest of 3 x 3 values at every second place, with as many zeros around them as TensorFlow's padding `SAME` has; they
/// count as values.
fn same_max_pool(network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
    let dims = network.dims(x)?;
    let [rows, columns] = [dims[1], dims[2]].map(|side| {
        let needed = (side.div_ceil(2) - 1) * 2 + 3;
        needed.saturating_sub(side)
    });
    let padded = network.zero_pad2d(
        x,
        Padding {
            top: rows / 2,
            bottom: rows - rows / 2,
            left: columns / 2,
            right: columns - columns / 2,
        },
    )?;
    network.max_pool2d(padded, Pool::new(3, 2, 0))
}

/// The nearest multiple of eight, which is not much smaller.
fn in_eights(channels: usize) -> usize {
    let nearest = ((channels + MULTIPLE / 2) / MULTIPLE * MULTIPLE).max(MULTIPLE);
    if nearest * 10 < channels * 9 {
        nearest + MULTIPLE
    } else {
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_multiples_of_eight() {
        assert_eq!([1, 8, 11, 12, 64, 68].map(in_eights), [8, 8, 16, 16, 64, 72]);
    }

    #[test]
    fn standardised_weights_have_the_mean_0_and_the_variance_1() {
        let weight = standardised(&Weight::new([2, 1, 1, 2], vec![1.0, 3.0, -5.0, -5.0]));
        assert_eq!(weight.data(), [-1.0, 1.0, 0.0, 0.0]);
        assert_eq!(weight.dims(), [2, 1, 1, 2]);
    }
}

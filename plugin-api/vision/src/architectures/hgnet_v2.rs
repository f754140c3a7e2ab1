//! HGNetV2, the backbone of D-FINE: blocks that put the results of all of their layers together.
//!
//! Source: Baidu's PP-HGNetV2 in PaddleClas (no paper); names and defaults: those of transformers' `HGNetV2Config`.

use super::activation::Activation;
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Padding, Parameters, Pool, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// A row below and a column at the right.
const CORNER: Padding = Padding {
    top: 0,
    bottom: 1,
    left: 0,
    right: 1,
};

/// The settings of an HGNetV2.
#[derive(Debug)]
pub(super) struct HgNetV2 {
    stem: Stem,
    stages: Vec<Stage>,
}

/// The first layers.
#[derive(Clone, Debug)]
pub(super) struct Stem {
    /// Channels within it and of its result.
    channels: [usize; 2],
    strides: [usize; 5],
    activation: Activation,
    has_affine: bool,
}

#[derive(Debug)]
struct Stage {
    middle: usize,
    outputs: usize,
    blocks: usize,
    layers: usize,
    kernel: usize,
    /// The stride of a convolution before the blocks, where there is one.
    downsample: Option<[usize; 2]>,
    /// Whether a layer is a convolution of single pixels and a depthwise one.
    is_light: bool,
}

impl HgNetV2 {
    pub(super) fn read(config: &Config) -> Result<Self> {
        let outputs_of_stages = config.counts("stage_out_channels", &[128, 512, 1024, 2048])?;
        let count = outputs_of_stages.len();
        let numbers = |key: &str, default: [usize; 4]| -> Result<Vec<usize>> {
            let numbers = config.counts(key, &default)?;
            if numbers.len() == count {
                Ok(numbers)
            } else {
                Err(config.wrong(key, &format!("a list of {count} numbers, one for each stage,")))
            }
        };
        let middles = numbers("stage_mid_channels", [48, 96, 192, 384])?;
        let blocks = numbers("stage_num_blocks", [1, 1, 3, 1])?;
        let layers = numbers("stage_numb_of_layers", [6; 4])?;
        let kernels = numbers("stage_kernel_size", [3, 3, 5, 5])?;
        let strides = strides(config, "stage_downsample_strides", count)?;
        let are_light = flags(config, "stage_light_block", &[false, false, true, true], count)?;
        let downsample = flags(config, "stage_downsample", &[false, true, true, true], count)?;
        let stages = (0..count)
            .map(|index| Stage {
                middle: middles[index],
                outputs: outputs_of_stages[index],
                blocks: blocks[index],
                layers: layers[index],
                kernel: kernels[index],
                downsample: downsample[index].then_some(strides[index]),
                is_light: are_light[index],
            })
            .collect();
        Ok(Self {
            stem: Stem::read(config, [3, 32, 48])?,
            stages,
        })
    }

    /// The map of the stem and of each stage; `root` is before the names of all tensors.
    pub(super) fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let layers = Layers {
            checkpoint,
            has_affine: self.stem.has_affine,
        };
        let mut x = self
            .stem
            .describe(network, checkpoint, &format!("{root}embedder"), image)?;
        let mut maps = vec![x];
        for (index, stage) in self.stages.iter().enumerate() {
            let name = format!("{root}encoder.stages.{index}");
            if let Some(stride) = stage.downsample {
                let channels = network.channels(x)?;
                let convolution = Conv2d::new(channels, 3)
                    .strides(stride)
                    .padding(1)
                    .groups(channels);
                x = layers.describe(network, &format!("{name}.downsample"), x, convolution, None)?;
            }
            for block in 0..stage.blocks {
                let name = format!("{name}.blocks.{block}");
                let y = stage.block(network, &layers, &name, x)?;
                x = if block > 0 { network.add(y, x)? } else { y };
            }
            network.alias(&name, x)?;
            maps.push(x);
        }
        Ok(maps)
    }
}

impl Stem {
    /// What a configuration says, with these channels where it says nothing of them.
    pub(super) fn read(config: &Config, default: [usize; 3]) -> Result<Self> {
        let [inputs, middle, outputs] = config.counts_of("stem_channels", default)?;
        if inputs != 3 {
            return Err(config.unsupported("stem_channels", "3 channels of a picture first"));
        }
        Ok(Self {
            channels: [middle, outputs],
            strides: config.counts_of("stem_strides", [2, 1, 1, 2, 1])?,
            activation: Activation::of(config, "hidden_act", Activation::Relu)?,
            has_affine: config.flag("use_learnable_affine_block", false)?,
        })
    }

    /// The map of a picture; `name` is before the names of all tensors.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        image: Value,
    ) -> Result<Value> {
        let layers = Layers {
            checkpoint,
            has_affine: self.has_affine,
        };
        let [middle, outputs] = self.channels;
        let activation = Some(self.activation);
        let layer = |network: &mut NetworkBuilder<'_>, part: &str, x, convolution| {
            layers.describe(network, &format!("{name}.{part}"), x, convolution, activation)
        };
        let [first, second, third, fourth, last] = self.strides;
        let wide = Conv2d::new(middle, 3).stride(first).padding(1);
        let x = layer(network, "stem1", image, wide)?;
        let small =
            |channels: usize, stride: usize| Conv2d::new(channels, 2).stride(stride).uneven_padding(CORNER);
        let y = layer(network, "stem2a", x, small((middle / 2).max(1), second))?;
        let y = layer(network, "stem2b", y, small(middle, third))?;
        // Here zeros count in a maximum.
        let padded = network.zero_pad2d(x, CORNER)?;
        let pool = Pool {
            ceil_mode: true,
            ..Pool::new(2, 1, 0)
        };
        let pooled = network.max_pool2d(padded, pool)?;
        let both = network.cat(&[pooled, y])?;
        let wide = Conv2d::new(middle, 3).stride(fourth).padding(1);
        let x = layer(network, "stem3", both, wide)?;
        layer(network, "stem4", x, Conv2d::new(outputs, 1).stride(last))
    }
}

/// A stride for each stage: a number for both directions, or two; 2 unless told otherwise.
fn strides(config: &Config, key: &str, count: usize) -> Result<Vec<[usize; 2]>> {
    let Some(value) = config.value(key) else {
        return Ok(vec![[2; 2]; count]);
    };
    value
        .as_array()
        .and_then(|values| values.iter().map(pair).collect::<Option<Vec<_>>>())
        .filter(|strides| {
            strides.len() == count && strides.iter().flatten().all(|stride| (1..=8).contains(stride))
        })
        .ok_or_else(|| config.wrong(key, &format!("a list of {count} strides, one for each stage,")))
}

/// A whole number for both directions, or two of them, the vertical one first.
pub(super) fn pair(value: &serde_json::Value) -> Option<[usize; 2]> {
    let number = |value: &serde_json::Value| usize::try_from(value.as_u64()?).ok();
    match value.as_array().map(Vec::as_slice) {
        None => Some([number(value)?; 2]),
        Some([vertical, horizontal]) => Some([number(vertical)?, number(horizontal)?]),
        Some(_) => None,
    }
}

/// One truth value for each stage.
fn flags(config: &Config, key: &str, default: &[bool], count: usize) -> Result<Vec<bool>> {
    let found = match config.value(key) {
        None => Some(default.to_vec()),
        Some(value) => value
            .as_array()
            .and_then(|values| values.iter().map(serde_json::Value::as_bool).collect()),
    };
    found
        .filter(|flags| flags.len() == count)
        .ok_or_else(|| config.wrong(key, &format!("a list of {count} times true or false")))
}

impl Stage {
    /// Layers one after the other, whose results become one map.
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: &Layers<'_>,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let relu = Some(Activation::Relu);
        let mut results = vec![input];
        let mut x = input;
        for layer in 0..self.layers {
            let name = format!("{name}.layers.{layer}");
            let wide = Conv2d::new(self.middle, self.kernel).padding((self.kernel - 1) / 2);
            x = if self.is_light {
                let point = Conv2d::new(self.middle, 1);
                let y = layers.describe(network, &format!("{name}.conv1"), x, point, None)?;
                layers.describe(
                    network,
                    &format!("{name}.conv2"),
                    y,
                    wide.groups(self.middle),
                    relu,
                )?
            } else {
                layers.describe(network, &name, x, wide, relu)?
            };
            results.push(x);
        }
        let mut x = network.cat(&results)?;
        for (index, channels) in [(self.outputs / 2).max(1), self.outputs].into_iter().enumerate() {
            let name = format!("{name}.aggregation.{index}");
            x = layers.describe(network, &name, x, Conv2d::new(channels, 1), relu)?;
        }
        Ok(x)
    }
}

/// What all layers have in common.
#[derive(Debug)]
struct Layers<'a> {
    checkpoint: &'a Checkpoint,
    /// Whether activations are followed by a factor and a summand for all channels.
    has_affine: bool,
}

impl Layers<'_> {
    /// A convolution with its normalisation, and perhaps an activation.
    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        convolution: Conv2d,
        activation: Option<Activation>,
    ) -> Result<Value> {
        let x = network.conv2d(&format!("{name}.convolution"), x, convolution.without_bias())?;
        let x = network.batch_norm(&format!("{name}.normalization"), x)?;
        let Some(activation) = activation else {
            return Ok(x);
        };
        let x = activation.apply(network, x)?;
        if !self.has_affine {
            return Ok(x);
        }
        let channels = network.channels(x)?;
        let same = |part: &str| -> Result<Weight> {
            let stored = self.checkpoint.parameter(&format!("{name}.lab.{part}"), &[1])?;
            Ok(Weight::vector(vec![stored.data()[0]; channels]))
        };
        network.affine(x, same("scale")?, same("bias")?)
    }
}

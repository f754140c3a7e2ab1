//! As transformers publishes it: names and defaults are those of its `EfficientNetConfig`.

use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        excitation::{Excitation, excite},
        layers::{Layers, Steps},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::{self, Config, Repository},
};
use modelzoo_candle::network::{NetworkBuilder, Padding, Value};
use modelzoo_plugin_api::Result;

/// Before the names of all tensors but the classifier's, where there is one.
const ROOT: &str = "efficientnet.";

/// More blocks than any network has.
const MOST_BLOCKS: usize = 4096;

struct EfficientNet {
    image: [usize; 2],
    blocks: Vec<Block>,
    activation: Activation,
    epsilon: f64,
    classes: usize,
}

/// What the tensors of a block do not say.
#[derive(Clone, Copy, Debug)]
struct Block {
    stride: usize,
    is_first: bool,
    /// Whether a filter with a stride has one row and column of zeros less at the top and the left.
    is_adjusted: bool,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    if config
        .text("pooling_type")?
        .is_some_and(|pooling| pooling != "mean")
    {
        return Err(config.unsupported("pooling_type", "\"mean\""));
    }
    let names = repository::class_names(repository)?;
    Ok(Box::new(EfficientNet {
        image: config.size("image_size", [600; 2])?,
        blocks: blocks(config)?,
        activation: Activation::of(config, "hidden_act", Activation::Silu)?,
        epsilon: config.epsilon("batch_norm_eps", 1e-3)?,
        classes: names.map_or(2, |names| names.len()),
    }))
}

/// Stages of some blocks each, more of them in deeper networks.
fn blocks(config: &Config) -> Result<Vec<Block>> {
    let repeats = config.counts("num_block_repeats", &[1, 2, 2, 3, 3, 4, 1])?;
    let strides = config.counts("strides", &[1, 2, 2, 2, 1, 2, 1])?;
    if strides.len() != repeats.len() {
        return Err(config.wrong(
            "strides",
            &format!("a list of {} numbers, as `num_block_repeats` has,", repeats.len()),
        ));
    }
    let depth = config.number("depth_coefficient")?.unwrap_or(3.1);
    if !(0.01..=100.0).contains(&depth) {
        return Err(config.wrong("depth_coefficient", "a number from 0.01 to 100"));
    }
    let unadjusted = config.numbers("depthwise_padding")?.unwrap_or_default();
    let mut blocks = Vec::new();
    for (repeats, stride) in repeats.into_iter().zip(strides) {
        for block in 0..(depth * repeats as f64).ceil() as usize {
            if blocks.len() == MOST_BLOCKS {
                return Err(config.wrong("num_block_repeats", "a network of fewer blocks"));
            }
            blocks.push(Block {
                stride: if block == 0 { stride } else { 1 },
                is_first: block == 0,
                is_adjusted: !unadjusted.contains(&(blocks.len() as f64)),
            });
        }
    }
    Ok(blocks)
}

impl Architecture for EfficientNet {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let root = if checkpoint.has_any(ROOT) { ROOT } else { "" };
        let layers = Layers {
            checkpoint,
            epsilon: self.epsilon,
        };
        let names = ["convolution", "batchnorm"].map(|part| format!("{root}embeddings.{part}"));
        let corner = Padding {
            bottom: 1,
            right: 1,
            ..Padding::default()
        };
        let x = layers.normed(
            network,
            [&names[0], &names[1]],
            image,
            Steps::of(2).uneven_padding(corner),
        )?;
        let mut x = self.activation.apply(network, x)?;
        for (index, block) in self.blocks.iter().enumerate() {
            x = self.block(
                network,
                layers,
                &format!("{root}encoder.blocks.{index}"),
                x,
                *block,
            )?;
        }
        let names = ["top_conv", "top_bn"].map(|part| format!("{root}encoder.{part}"));
        let x = layers.normed(network, [&names[0], &names[1]], x, Steps::ONE)?;
        let x = self.activation.apply(network, x)?;
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let embedding = network.flatten(mean)?;
        let logits = if layers.has("classifier") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl EfficientNet {
    /// Wider, filtered, excited, narrower; those behind the first block of a stage add their operand.
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        input: Value,
        block: Block,
    ) -> Result<Value> {
        let pair = |part: &str, [convolution, norm]: [&str; 2]| {
            [
                format!("{name}.{part}.{convolution}"),
                format!("{name}.{part}.{norm}"),
            ]
        };
        let mut x = input;
        let widening = pair("expansion", ["expand_conv", "expand_bn"]);
        if layers.has(&widening[0]) {
            x = layers.normed(network, [&widening[0], &widening[1]], x, Steps::ONE)?;
            x = self.activation.apply(network, x)?;
        }
        let filter = pair("depthwise_conv", ["depthwise_conv", "depthwise_norm"]);
        let [_, _, kernel, _] = layers.dims(&filter[0])?;
        let mut steps = Steps::of(block.stride);
        if block.stride > 1 && block.is_adjusted {
            let after = kernel / 2;
            let before = after.saturating_sub(1);
            steps = steps.uneven_padding(Padding {
                top: before,
                bottom: after,
                left: before,
                right: after,
            });
        }
        x = layers.normed(network, [&filter[0], &filter[1]], x, steps)?;
        x = self.activation.apply(network, x)?;
        let excitation = pair("squeeze_excite", ["reduce", "expand"]);
        let kind = Excitation::Smooth(self.activation);
        x = excite(network, layers, [&excitation[0], &excitation[1]], x, kind)?;
        let narrowing = pair("projection", ["project_conv", "project_bn"]);
        x = layers.normed(network, [&narrowing[0], &narrowing[1]], x, Steps::ONE)?;
        if !block.is_first {
            x = network.add(x, input)?;
        }
        network.alias(name, x)?;
        Ok(x)
    }
}

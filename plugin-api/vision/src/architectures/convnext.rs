//! ConvNeXt.
//!
//! Source: Liu et al., "A ConvNet for the 2020s" (2022), section 2 and figure 4; names and defaults: those of
//! transformers' `ConvNextConfig`, and of timm's `ConvNeXt`.

use super::{Architecture, Outputs, activation::Activation, transformer};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Added to variances everywhere but before the classifier.
const EPSILON: f32 = 1e-6;
/// How many times more channels a layer has in its middle.
const EXPANSION: usize = 4;

struct ConvNext {
    patch: usize,
    channels: Vec<usize>,
    depths: Vec<usize>,
    activation: Activation,
    epsilon: f32,
    classes: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let channels = config.counts("hidden_sizes", &[96, 192, 384, 768])?;
    let depths = config.counts("depths", &[3, 3, 9, 3])?;
    if depths.len() != channels.len() {
        return Err(config.wrong(
            "depths",
            &format!("a list of {} numbers, as `hidden_sizes` has,", channels.len()),
        ));
    }
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(ConvNext {
        patch: config.count("patch_size", 4)?,
        channels,
        depths,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-12)? as f32,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for ConvNext {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn depends_on_size(&self) -> bool {
        // Tokens are made maps of sizes that the description names.
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let root = if checkpoint.has_any("convnext.") {
            "convnext."
        } else {
            ""
        };
        let stem = Conv2d::new(self.channels[0], self.patch).stride(self.patch);
        let x = network.conv2d(&format!("{root}embeddings.patch_embeddings"), image, stem)?;
        let mut x = network.layer_norm(&format!("{root}embeddings.layernorm"), x, EPSILON)?;
        for (stage, (&channels, &depth)) in self.channels.iter().zip(&self.depths).enumerate() {
            let name = format!("{root}encoder.stages.{stage}");
            if stage > 0 {
                x = network.layer_norm(&format!("{name}.downsampling_layer.0"), x, EPSILON)?;
                let halving = Conv2d::new(channels, 2).stride(2);
                x = network.conv2d(&format!("{name}.downsampling_layer.1"), x, halving)?;
            }
            for layer in 0..depth {
                x = self.layer(network, checkpoint, &format!("{name}.layers.{layer}"), x)?;
            }
            network.alias(&name, x)?;
        }
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let x = network.flatten(x)?;
        let embedding = network.layer_norm(&format!("{root}layernorm"), x, self.epsilon)?;
        let logits = if checkpoint.has("classifier.weight") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl ConvNext {
    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let dims = network.dims(input)?;
        let (channels, size) = (dims[0], [dims[1], dims[2]]);
        let x = network.conv2d(
            &format!("{name}.dwconv"),
            input,
            Conv2d::new(channels, 7).padding(3).groups(channels),
        )?;
        let x = network.layer_norm(&format!("{name}.layernorm"), x, EPSILON)?;
        let x = network.to_tokens(x)?;
        let names = ["pwconv1", "pwconv2"].map(|part| format!("{name}.{part}"));
        let x = transformer::perceptron(
            network,
            [&names[0], &names[1]],
            EXPANSION * channels,
            self.activation,
            x,
        )?;
        let scale = format!("{name}.layer_scale_parameter");
        let x = if checkpoint.has(&scale) {
            transformer::layer_scale(network, &scale, x)?
        } else {
            x
        };
        let x = network.to_map(x, size)?;
        network.add(input, x)
    }
}

/// As timm publishes it: widths and depths are read off the tensors.
struct TimmConvNext {
    image: [usize; 2],
    classes: usize,
}

pub(super) fn timm(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(TimmConvNext {
        image: [height, width],
        classes: names.map_or(0, |names| names.len()),
    }))
}

impl Architecture for TimmConvNext {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn depends_on_size(&self) -> bool {
        // Tokens are made maps of sizes that the description names.
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let x = patchify(network, checkpoint, "stem.0", image)?;
        let mut x = network.layer_norm("stem.1", x, EPSILON)?;
        let mut stage = 0;
        while checkpoint.has_any(&format!("stages.{stage}.")) {
            let name = format!("stages.{stage}");
            if checkpoint.has(&format!("{name}.downsample.0.weight")) {
                x = network.layer_norm(&format!("{name}.downsample.0"), x, EPSILON)?;
                x = patchify(network, checkpoint, &format!("{name}.downsample.1"), x)?;
            }
            let mut layer = 0;
            while checkpoint.has_any(&format!("{name}.blocks.{layer}.")) {
                x = timm_layer(network, checkpoint, &format!("{name}.blocks.{layer}"), x)?;
                layer += 1;
            }
            network.alias(&name, x)?;
            stage += 1;
        }
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let x = network.flatten(x)?;
        let embedding = if checkpoint.has("head.norm.weight") {
            network.layer_norm("head.norm", x, EPSILON)?
        } else {
            x
        };
        let logits = if checkpoint.has("head.fc.weight") {
            Some(network.linear("head.fc", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

/// A convolution of patches that do not overlap, as large as its weight.
fn patchify(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    x: Value,
) -> Result<Value> {
    match checkpoint.dims(&format!("{name}.weight")).as_deref() {
        Some(&[channels, _, height, width]) if height == width && height > 0 => {
            network.conv2d(name, x, Conv2d::new(channels, height).stride(height))
        }
        Some(dims) => Err(unfit(name, dims)),
        // Says that it is missing.
        None => network.conv2d(name, x, Conv2d::new(1, 1)),
    }
}

fn timm_layer(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    input: Value,
) -> Result<Value> {
    if checkpoint.has_any(&format!("{name}.mlp.grn.")) {
        return Err(Error::unsupported(
            "ConvNeXt V2's response normalisation is not known",
        ));
    }
    let dims = network.dims(input)?;
    let (channels, size) = (dims[0], [dims[1], dims[2]]);
    let x = network.conv2d(
        &format!("{name}.conv_dw"),
        input,
        Conv2d::new(channels, 7).padding(3).groups(channels),
    )?;
    let x = network.layer_norm(&format!("{name}.norm"), x, EPSILON)?;
    let names = ["fc1", "fc2"].map(|part| format!("{name}.mlp.{part}"));
    let hidden = match checkpoint.dims(&format!("{}.weight", names[0])).as_deref() {
        Some(&[hidden, _]) => hidden,
        Some(dims) => return Err(unfit(&names[0], dims)),
        None => EXPANSION * channels,
    };
    let x = network.to_tokens(x)?;
    let x = transformer::perceptron(network, [&names[0], &names[1]], hidden, Activation::Gelu, x)?;
    let scale = format!("{name}.gamma");
    let x = if checkpoint.has(&scale) {
        transformer::layer_scale(network, &scale, x)?
    } else {
        x
    };
    let x = network.to_map(x, size)?;
    let x = network.add(x, input)?;
    network.alias(name, x)?;
    Ok(x)
}

fn unfit(name: &str, dims: &[usize]) -> Error {
    Error::new(format!(
        "tensor `{name}.weight` has dimensions {dims:?}, which are no ConvNeXt's"
    ))
    .with_kind(ErrorKind::Weights)
}

//! ConvNeXt, and ConvNeXt V2, which normalises the responses of its features.
//!
//! Sources: Liu et al., "A ConvNet for the 2020s" (2022), section 2 and figure 4; Woo et al., "ConvNeXt V2: Co-designing and
//! Scaling ConvNets with Masked Autoencoders" (2023), section 3.2; names and defaults: those of transformers'
//! `ConvNextConfig`, `ConvNextV2Config` and `DINOv3ConvNextConfig`, and of timm's `ConvNeXt`.

use super::{Architecture, Outputs, activation::Activation, transformer};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Added to variances everywhere but before the classifier.
const EPSILON: f32 = 1e-6;
/// How many times more channels a layer has in its middle.
const EXPANSION: usize = 4;

struct ConvNext {
    /// Before the names of all tensors but the classifier's, where there is one.
    root: &'static str,
    names: &'static Names,
    image: [usize; 2],
    patch: usize,
    channels: Vec<usize>,
    depths: Vec<usize>,
    activation: Activation,
    epsilon: f32,
    classes: usize,
}

/// What the layers are called.
struct Names {
    /// The convolution of patches and its normalisation.
    stem: [&'static str; 2],
    /// A stage's number follows.
    stages: &'static str,
    /// Within a stage: a normalisation `0` and a convolution `1`.
    downsampling: &'static str,
    /// Within a layer.
    filter: &'static str,
    norm: &'static str,
    dense: [&'static str; 2],
    scale: &'static str,
    last_norm: &'static str,
}

/// Those of both versions.
const CONVNEXT: Names = Names {
    stem: ["embeddings.patch_embeddings", "embeddings.layernorm"],
    stages: "encoder.stages",
    downsampling: "downsampling_layer",
    filter: "dwconv",
    norm: "layernorm",
    dense: ["pwconv1", "pwconv2"],
    scale: "layer_scale_parameter",
    last_norm: "layernorm",
};

/// Those of DINOv3's.
const DINOV3: Names = Names {
    stem: ["stages.0.downsample_layers.0", "stages.0.downsample_layers.1"],
    stages: "stages",
    downsampling: "downsample_layers",
    filter: "depthwise_conv",
    norm: "layer_norm",
    dense: ["pointwise_conv1", "pointwise_conv2"],
    scale: "gamma",
    last_norm: "layer_norm",
};

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
    let (root, names_of_layers, epsilon) = match config.text("model_type")? {
        Some("convnextv2") => ("convnextv2.", &CONVNEXT, 1e-12),
        Some("dinov3_convnext") => ("model.", &DINOV3, 1e-6),
        _ => ("convnext.", &CONVNEXT, 1e-12),
    };
    Ok(Box::new(ConvNext {
        root,
        names: names_of_layers,
        image: config.size("image_size", [224; 2])?,
        patch: config.count("patch_size", 4)?,
        channels,
        depths,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        epsilon: config.epsilon("layer_norm_eps", epsilon)? as f32,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for ConvNext {
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
        let root = if checkpoint.has_any(self.root) {
            self.root
        } else {
            ""
        };
        let stem = Conv2d::new(self.channels[0], self.patch).stride(self.patch);
        let names = self.names;
        let x = network.conv2d(&format!("{root}{}", names.stem[0]), image, stem)?;
        let mut x = network.layer_norm(&format!("{root}{}", names.stem[1]), x, EPSILON)?;
        for (stage, (&channels, &depth)) in self.channels.iter().zip(&self.depths).enumerate() {
            let name = format!("{root}{}.{stage}", names.stages);
            if stage > 0 {
                let downsampling = format!("{name}.{}", names.downsampling);
                x = network.layer_norm(&format!("{downsampling}.0"), x, EPSILON)?;
                let halving = Conv2d::new(channels, 2).stride(2);
                x = network.conv2d(&format!("{downsampling}.1"), x, halving)?;
            }
            for layer in 0..depth {
                x = self.layer(network, checkpoint, &format!("{name}.layers.{layer}"), x)?;
            }
            network.alias(&name, x)?;
        }
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let x = network.flatten(x)?;
        // transformers 5 has DINOv3's layers in a model of their own in memory.
        let last_norm = match self.names.last_norm {
            norm if checkpoint.has(&format!("{norm}.weight")) => norm.to_owned(),
            norm => format!("{root}{norm}"),
        };
        let embedding = network.layer_norm(&last_norm, x, self.epsilon)?;
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
            &format!("{name}.{}", self.names.filter),
            input,
            Conv2d::new(channels, 7).padding(3).groups(channels),
        )?;
        let x = network.layer_norm(&format!("{name}.{}", self.names.norm), x, EPSILON)?;
        let x = network.to_tokens(x)?;
        let names = self.names.dense.map(|part| format!("{name}.{part}"));
        let hidden = EXPANSION * channels;
        let x = network.linear(&names[0], x, hidden)?;
        let x = self.activation.apply(network, x)?;
        let x = normalise_responses(network, checkpoint, &format!("{name}.grn"), x)?;
        let x = network.linear(&names[1], x, channels)?;
        let scale = format!("{name}.{}", self.names.scale);
        let x = if checkpoint.has(&scale) {
            transformer::layer_scale(network, &scale, x)?
        } else {
            x
        };
        let x = network.to_map(x, size)?;
        network.add(input, x)
    }
}

/// Global response normalisation of tokens, where a layer has it: features that respond more than others do are raised.
fn normalise_responses(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    x: Value,
) -> Result<Value> {
    if !checkpoint.has_any(&format!("{name}.")) {
        return Ok(x);
    }
    let features = network.channels(x)?;
    let parameter = |part: &str| -> Result<Weight> {
        let name = format!("{name}.{part}");
        let weight = checkpoint.tensor(&name)?;
        if weight.data().len() == features {
            Ok(Weight::vector(weight.data()))
        } else {
            Err(Error::new(format!(
                "tensor `{name}` has dimensions {:?}, but {features} numbers are needed",
                weight.dims()
            ))
            .with_kind(ErrorKind::Weights))
        }
    };
    let ones = || Weight::vector(vec![1.0; features]);
    let norms = network.response_norms(x, EPSILON)?;
    // `weight * x * norms + bias + x`
    let factors = network.affine(norms, parameter("weight")?, ones())?;
    let x = network.mul(x, factors)?;
    network.affine(x, ones(), parameter("bias")?)
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
        // The smallest networks have convolutions of single pixels.
        Some(&[hidden, _, 1, 1]) => {
            let x = network.conv2d(&names[0], x, Conv2d::new(hidden, 1))?;
            let x = network.gelu(x)?;
            let x = network.to_tokens(x)?;
            let x = normalise_responses(network, checkpoint, &format!("{name}.mlp.grn"), x)?;
            let x = network.to_map(x, size)?;
            let x = network.conv2d(&names[1], x, Conv2d::new(channels, 1))?;
            return shortcut(network, checkpoint, name, x, input);
        }
        Some(dims) => return Err(unfit(&names[0], dims)),
        None => EXPANSION * channels,
    };
    let x = network.to_tokens(x)?;
    let x = network.linear(&names[0], x, hidden)?;
    let x = network.gelu(x)?;
    let x = normalise_responses(network, checkpoint, &format!("{name}.mlp.grn"), x)?;
    let x = network.linear(&names[1], x, channels)?;
    let x = network.to_map(x, size)?;
    shortcut(network, checkpoint, name, x, input)
}

/// The end of a layer: its result, scaled where that is trained, and its operand.
fn shortcut(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    x: Value,
    input: Value,
) -> Result<Value> {
    let scale = format!("{name}.gamma");
    let x = if checkpoint.has(&scale) {
        transformer::layer_scale(network, &scale, x)?
    } else {
        x
    };
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

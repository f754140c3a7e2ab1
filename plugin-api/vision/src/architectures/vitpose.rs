//! ViTPose: a vision transformer that tells where a person's points are, and how it was trained on several datasets.
//!
//! Source: Xu et al., "ViTPose: Simple Vision Transformer Baselines for Human Pose Estimation" (2022), and of the experts
//! "ViTPose++: Vision Transformer for Generic Body Pose Estimation" (2022); names and defaults: those of transformers'
//! `VitPoseConfig` and `VitPoseBackboneConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    transformer::{self, Projections},
};
use crate::{
    checkpoint::Checkpoint,
    repository::{Repository, class_names},
};
use modelzoo_candle::network::{Conv2d, ConvTranspose2d, Interpolation, NetworkBuilder, Parameters, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Zeros around a picture before it is cut into patches.
const AROUND: usize = 2;
/// Channels of the classic head.
const CLASSIC: usize = 256;
/// The dataset whose expert is asked where there are several: COCO is the first one.
const DATASET: usize = 0;

struct VitPose {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    activation: Activation,
    bias: bool,
    epsilon: f32,
    experts: Option<Experts>,
    head: Head,
    points: usize,
}

/// Some of the features behind each layer come of a linear layer for each dataset.
#[derive(Clone, Copy, Debug)]
struct Experts {
    features: usize,
}

#[derive(Clone, Copy, Debug)]
enum Head {
    /// An enlargement by this factor, and a convolution.
    Simple(usize),
    /// Two transposed convolutions, and a convolution of single pixels.
    Classic,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let section = config.section_or_empty("backbone_config")?;
    if let Some(other) = section.text("model_type")?
        && other != "vitpose_backbone"
    {
        return Err(section.unsupported("model_type", "vitpose_backbone"));
    }
    transformer::three_channels(&section, "num_channels")?;
    let features = section.count("hidden_size", 768)?;
    let ratio = transformer::hidden_ratio(&section, 4.0)?;
    let experts = if section.count("num_experts", 1)? > 1 {
        let part = section.count("part_features", 256)?;
        if part >= features {
            return Err(section.wrong("part_features", "a number below `hidden_size`"));
        }
        Some(Experts { features: part })
    } else {
        None
    };
    let layers = section.count("num_hidden_layers", 12)?;
    check_last(&section, layers)?;
    let head = if config.flag("use_simple_decoder", true)? {
        Head::Simple(config.count("scale_factor", 4)?)
    } else {
        Head::Classic
    };
    Ok(Box::new(VitPose {
        image: section.size("image_size", [256, 192])?,
        patch: section.size("patch_size", [16; 2])?,
        features,
        hidden: ((features as f64 * ratio) as usize).max(1),
        layers,
        heads: transformer::heads(&section, "num_attention_heads", 12, features)?,
        activation: Activation::of(&section, "hidden_act", Activation::Gelu)?,
        bias: section.flag("qkv_bias", true)?,
        epsilon: section.epsilon("layer_norm_eps", 1e-12)? as f32,
        experts,
        head,
        points: class_names(repository)?.map_or(2, |names| names.len()),
    }))
}

/// The head sees the last layer: what another one gives would be something else.
fn check_last(section: &crate::repository::Config, layers: usize) -> Result<()> {
    let wanted = match (section.value("out_indices"), section.value("out_features")) {
        (Some(indices), _) => indices.as_array().and_then(|indices| indices.last()?.as_i64()),
        (None, Some(names)) => names
            .as_array()
            .and_then(|names| names.last()?.as_str()?.strip_prefix("stage")?.parse().ok()),
        (None, None) => Some(layers as i64),
    };
    if wanted == Some(layers as i64) || wanted == Some(-1) {
        Ok(())
    } else {
        Err(section.unsupported("out_indices", "a list that ends with the last layer"))
    }
}

impl Architecture for VitPose {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let size = network.dims(image)?;
        if size[1..] != self.image {
            return Err(Error::new(format!(
                "the network takes pictures of {} x {} pixels only, not of {} x {}",
                self.image[1], self.image[0], size[2], size[1]
            ))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("leave `image_size` unset"));
        }
        let root = "backbone.";
        let projection = Conv2d::new(self.features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch)
            .padding(AROUND);
        let name = format!("{root}embeddings.patch_embeddings.projection");
        let map = network.conv2d(&name, image, projection)?;
        let dims = network.dims(map)?;
        let grid = [dims[1], dims[2]];
        let x = network.to_tokens(map)?;
        let mut x = self.place(network, checkpoint, root, x)?;
        for layer in 0..self.layers {
            x = self.layer(network, checkpoint, &format!("{root}encoder.layer.{layer}"), x)?;
        }
        let x = network.layer_norm(&format!("{root}layernorm"), x, self.epsilon)?;
        let x = network.to_map(x, grid)?;
        let maps = self.locate(network, x)?;
        Ok(Outputs::Points { maps })
    }
}

impl VitPose {
    /// Adds the place of each patch, and that of the class token, which itself is not there.
    fn place(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        x: Value,
    ) -> Result<Value> {
        let tokens = network.dims(x)?[0];
        let name = format!("{root}embeddings.position_embeddings");
        let stored = checkpoint.parameter(&name, &[1, tokens + 1, self.features])?;
        let (class, patches) = stored.data().split_at(self.features);
        let values: Vec<f32> = patches
            .chunks_exact(self.features)
            .flat_map(|patch| patch.iter().zip(class).map(|(patch, class)| patch + class))
            .collect();
        let places = network.constant(&[tokens, self.features], values)?;
        network.add(x, places)
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.layernorm_before"), input, self.epsilon)?;
        let projections = ["query", "key", "value"].map(|part| format!("{name}.attention.attention.{part}"));
        let projections = Projections::Apart([&projections[0], &projections[1], &projections[2]]);
        let x = transformer::self_attention(network, projections, self.bias, self.heads, x)?;
        let x = network.linear(&format!("{name}.attention.output.dense"), x, self.features)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.layernorm_after"), attended, self.epsilon)?;
        let x = network.linear(&format!("{name}.mlp.fc1"), x, self.hidden)?;
        let x = self.activation.apply(network, x)?;
        let x = match self.experts {
            None => network.linear(&format!("{name}.mlp.fc2"), x, self.features)?,
            Some(experts) => {
                let shared =
                    network.linear(&format!("{name}.mlp.fc2"), x, self.features - experts.features)?;
                let expert = format!("{name}.mlp.experts.{DATASET}");
                let own = network.linear(&expert, x, experts.features)?;
                // Those of the other datasets.
                checkpoint.leave_out(&format!("{name}.mlp.experts."));
                network.cat(&[shared, own])?
            }
        };
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// A map for each point.
    fn locate(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        match self.head {
            Head::Simple(factor) => {
                let x = network.relu(x)?;
                let x = network.upsample(x, factor, Interpolation::Bilinear { align_corners: false })?;
                network.conv2d("head.conv", x, Conv2d::new(self.points, 3).padding(1))
            }
            Head::Classic => {
                let mut x = x;
                for number in [1, 2] {
                    let enlarge = ConvTranspose2d::new(CLASSIC, 4, 2).padding(1).without_bias();
                    x = network.conv_transpose2d(&format!("head.deconv{number}"), x, enlarge)?;
                    x = network.batch_norm(&format!("head.batchnorm{number}"), x)?;
                    x = network.relu(x)?;
                }
                network.conv2d("head.conv", x, Conv2d::new(self.points, 1))
            }
        }
    }
}

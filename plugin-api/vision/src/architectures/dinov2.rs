//! DINOv2, with register tokens or without.
//!
//! Sources: Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision" (2023); Darcet et al., "Vision
//! Transformers Need Registers" (2023); names and defaults: those of transformers' `Dinov2Config`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    positions::{Positions, Resampling},
    transformer::{self, Projections},
};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The settings of a DINOv2.
pub(super) struct Dinov2 {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    perceptron: Perceptron,
    layers: usize,
    heads: usize,
    bias: bool,
    epsilon: f32,
    registers: usize,
}

/// A DINOv2 with its classifier.
struct Classifier {
    /// Before the names of all tensors but the classifier's, where there is one.
    root: &'static str,
    body: Dinov2,
    classes: usize,
}

/// The two forms of a layer's second half.
#[derive(Clone, Copy, Debug)]
enum Perceptron {
    Plain {
        hidden: usize,
        activation: Activation,
    },
    /// `silu(a) * b` of one linear layer's two halves of this many features.
    Gated {
        hidden: usize,
    },
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let body = Dinov2::read(&repository.config)?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Classifier {
        root: if body.registers > 0 {
            "dinov2_with_registers."
        } else {
            "dinov2."
        },
        body,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Dinov2 {
    /// Reads the settings.
    pub(super) fn read(config: &Config) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        let has_registers = config.text("model_type")? == Some("dinov2_with_registers");
        let features = config.count("hidden_size", 768)?;
        let ratio = config.number("mlp_ratio")?.unwrap_or(4.0);
        if !(0.1..=64.0).contains(&ratio) {
            return Err(config.wrong("mlp_ratio", "a number from 0.1 to 64"));
        }
        let hidden = (features as f64 * ratio) as usize;
        let perceptron = if config.flag("use_swiglu_ffn", false)? {
            Perceptron::Gated {
                hidden: (hidden * 2 / 3).next_multiple_of(8),
            }
        } else {
            Perceptron::Plain {
                hidden,
                activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
            }
        };
        Ok(Self {
            image: config.size("image_size", [224; 2])?,
            patch: config.size("patch_size", if has_registers { [16; 2] } else { [14; 2] })?,
            features,
            perceptron,
            layers: config.count("num_hidden_layers", 12)?,
            heads: transformer::heads(config, "num_attention_heads", 12, features)?,
            bias: config.flag("qkv_bias", true)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-6)? as f32,
            registers: if has_registers {
                config.count("num_register_tokens", 4)?
            } else {
                0
            },
        })
    }
}

impl Architecture for Classifier {
    fn image_size(&self) -> [usize; 2] {
        self.body.image
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
        let root = if checkpoint.has_any(self.root) {
            self.root
        } else {
            ""
        };
        let layers = self.body.layers(network, checkpoint, root, image)?;
        // The embeddings are always there.
        let last = layers[layers.len() - 1];
        let x = network.layer_norm(&format!("{root}layernorm"), last, self.body.epsilon)?;
        let embedding = network.select_token(x, 0)?;
        let logits = if checkpoint.has("classifier.weight") {
            let tokens = network.dims(x)?[0];
            let patches: Vec<usize> = (1 + self.body.registers..tokens).collect();
            let patches = network.take_tokens(x, patches)?;
            let mean = network.mean_tokens(patches)?;
            let both = network.cat(&[embedding, mean])?;
            Some(network.linear("classifier", both, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl Dinov2 {
    /// The `[height, width]` of the pictures that it was trained on.
    pub(super) fn image_size(&self) -> [usize; 2] {
        self.image
    }

    /// Added to variances.
    pub(super) fn epsilon(&self) -> f32 {
        self.epsilon
    }

    /// The sides of a patch.
    pub(super) fn patch(&self) -> [usize; 2] {
        self.patch
    }

    /// The tokens behind the embeddings and behind each layer; `root` is before the names of all tensors.
    pub(super) fn layers(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let mut x = self.embed(network, checkpoint, root, image)?;
        let mut layers = vec![x];
        for layer in 0..self.layers {
            x = self.layer(network, &format!("{root}encoder.layer.{layer}"), x)?;
            layers.push(x);
        }
        Ok(layers)
    }

    /// The class token, the registers, and a token for each patch; all but the registers with their positions.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Value> {
        let features = self.features;
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let patches = network.conv2d(
            &format!("{root}embeddings.patch_embeddings.projection"),
            image,
            projection,
        )?;
        let patches = network.to_tokens(patches)?;
        let class = network.parameter_view(
            &format!("{root}embeddings.cls_token"),
            &[1, 1, features],
            &[1, features],
        )?;
        let x = network.cat_tokens(&[class, patches])?;
        let positions = Positions {
            name: &format!("{root}embeddings.position_embeddings"),
            features,
            prefix: 1,
            suffix: 0,
            trained: None,
            resampling: if self.registers == 0 {
                Resampling::Bicubic
            } else {
                Resampling::AntialiasedBicubic
            },
        };
        let count = 1 + grid[0] * grid[1];
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[count, features], values)?;
        let x = network.add(x, positions)?;
        if self.registers == 0 {
            return Ok(x);
        }
        let stored = [1, self.registers, features];
        let registers = network.parameter_view(
            &format!("{root}embeddings.register_tokens"),
            &stored,
            &stored[1..],
        )?;
        let class = network.take_tokens(x, [0])?;
        let patches = network.take_tokens(x, (1..count).collect::<Vec<_>>())?;
        network.cat_tokens(&[class, registers, patches])
    }

    fn layer(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.norm1"), input, self.epsilon)?;
        let projections = ["query", "key", "value"].map(|part| format!("{name}.attention.attention.{part}"));
        let projections = Projections::Apart([&projections[0], &projections[1], &projections[2]]);
        let x = transformer::self_attention(network, projections, self.bias, self.heads, x)?;
        let x = network.linear(&format!("{name}.attention.output.dense"), x, self.features)?;
        let x = transformer::layer_scale(network, &format!("{name}.layer_scale1.lambda1"), x)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.norm2"), attended, self.epsilon)?;
        let x = self.perceptron(network, name, x)?;
        let x = transformer::layer_scale(network, &format!("{name}.layer_scale2.lambda1"), x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    fn perceptron(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        match self.perceptron {
            Perceptron::Plain { hidden, activation } => {
                let names = ["fc1", "fc2"].map(|part| format!("{name}.mlp.{part}"));
                transformer::perceptron(network, [&names[0], &names[1]], hidden, activation, x)
            }
            Perceptron::Gated { hidden } => {
                let both = network.linear(&format!("{name}.mlp.weights_in"), x, 2 * hidden)?;
                let gate = network.narrow(both, 0, hidden)?;
                let gate = network.silu(gate)?;
                let up = network.narrow(both, hidden, hidden)?;
                let x = network.mul(gate, up)?;
                network.linear(&format!("{name}.mlp.weights_out"), x, self.features)
            }
        }
    }
}

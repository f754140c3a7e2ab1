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
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

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
    /// How positions become those of another grid.
    resampling: Resampling,
    windows: Option<Windows>,
}

/// Windows of the picture to which attention is confined in most layers: tokens are in their order, with a class token
/// before those of each window.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// Of a row, and of a column.
    pub(super) count: usize,
    /// The layers, counted from 0, in which tokens see those of all windows.
    pub(super) open: Vec<usize>,
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
        let ratio = transformer::hidden_ratio(config, 4.0)?;
        let hidden = ((features as f64 * ratio) as usize).max(1);
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
        let registers = if has_registers {
            config.count("num_register_tokens", 4)?
        } else {
            0
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
            registers,
            resampling: if registers == 0 {
                Resampling::Bicubic
            } else {
                Resampling::AntialiasedBicubic
            },
            windows: None,
        })
    }

    /// The same without registers and up to layer `last`, in windows, and with positions that are smoothed where there are
    /// fewer of them: RF-DETR's.
    pub(super) fn in_windows(self, windows: Windows, last: usize) -> Self {
        Self {
            layers: last,
            resampling: Resampling::AntialiasedBicubic,
            windows: Some(windows),
            ..self
        }
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
            let windows = self
                .windows
                .as_ref()
                .filter(|windows| !windows.open.contains(&layer));
            let count = windows.map_or(1, |windows| windows.count * windows.count);
            x = self.layer(network, &format!("{root}encoder.layer.{layer}"), x, count)?;
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
            resampling: self.resampling,
        };
        let count = 1 + grid[0] * grid[1];
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[count, features], values)?;
        let x = network.add(x, positions)?;
        if let Some(windows) = &self.windows {
            return network.take_tokens(x, windows.tokens(grid)?);
        }
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

    /// One layer, in which tokens see those of their own among so many windows.
    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        windows: usize,
    ) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.norm1"), input, self.epsilon)?;
        let projections = ["query", "key", "value"].map(|part| format!("{name}.attention.attention.{part}"));
        let projections = Projections::Apart([&projections[0], &projections[1], &projections[2]]);
        let projected = transformer::projected(network, projections, self.bias, x)?;
        let x = if windows == 1 {
            network.attention(projected, self.heads)?
        } else {
            let tokens = network.dims(x)?[0] / windows;
            let bias = vec![0.0; self.heads * tokens * tokens];
            let bias = Weight::new([1, self.heads, tokens, tokens], bias);
            network.window_attention(projected, self.heads, windows, bias)?
        };
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

impl Windows {
    /// The tokens of a class token and a square grid, in the order of windows.
    fn tokens(&self, grid: [usize; 2]) -> Result<Vec<usize>> {
        let side = self.side(grid)?;
        let mut tokens = Vec::with_capacity(self.count * self.count + grid[0] * grid[1]);
        for window in 0..self.count * self.count {
            tokens.push(0);
            let first = [window / self.count * side, window % self.count * side];
            for row in first[0]..first[0] + side {
                tokens.extend((first[1]..first[1] + side).map(|column| 1 + row * grid[1] + column));
            }
        }
        Ok(tokens)
    }

    /// Where the patches of a square grid are in [`Windows::tokens`], row by row.
    pub(super) fn patches(&self, grid: [usize; 2]) -> Result<Vec<usize>> {
        let side = self.side(grid)?;
        let place = |row: usize, column: usize| {
            let window = row / side * self.count + column / side;
            window * (1 + side * side) + 1 + row % side * side + column % side
        };
        Ok((0..grid[0])
            .flat_map(|row| (0..grid[1]).map(move |column| place(row, column)))
            .collect())
    }

    /// How many rows and columns of a grid a window has.
    fn side(&self, grid: [usize; 2]) -> Result<usize> {
        if grid[0] != grid[1] || !grid[0].is_multiple_of(self.count) {
            return Err(Error::new(format!(
                "pictures of {} x {} patches cannot be cut into {2} x {2} equal windows",
                grid[1], grid[0], self.count
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        Ok(grid[0] / self.count)
    }
}

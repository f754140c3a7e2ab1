//! The vision transformer of SAM: most of its layers see windows, and where tokens are counts by rows and by columns.
//!
//! Source: Li et al., "Exploring Plain Vision Transformer Backbones for Object Detection" (2022).

use super::{places, relative::Relative, side};
use crate::{
    architectures::{
        activation::Activation,
        transformer::{self, Projections},
        windows::Windows,
    },
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Before the names of all tensors.
const ROOT: &str = "vision_encoder.";
/// Added to variances where maps are normalised.
const EPSILON: f32 = 1e-6;

pub(super) struct VitEncoder {
    side: usize,
    grid: usize,
    patch: usize,
    features: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    activation: Activation,
    epsilon: f32,
    has_bias: bool,
    has_positions: bool,
    is_relative: bool,
    /// Rows and columns of windows; 0 where all layers see the whole picture.
    window: usize,
    /// The layers that see the whole picture.
    global: Vec<usize>,
    outputs: usize,
}

impl VitEncoder {
    pub(super) fn read(config: &Config) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        let features = config.count("hidden_size", 768)?;
        let (side, patch) = (side(config, "image_size")?, config.count("patch_size", 16)?);
        if !side.is_multiple_of(patch) {
            return Err(config.unsupported("patch_size", "a divisor of `image_size`"));
        }
        let ratio = transformer::hidden_ratio(config, 4.0)?;
        let hidden = ((features as f64 * ratio) as usize).max(1);
        Ok(Self {
            side,
            grid: side / patch,
            patch,
            features,
            hidden: config.count("mlp_dim", hidden)?,
            layers: config.count("num_hidden_layers", 12)?,
            heads: transformer::heads(config, "num_attention_heads", 12, features)?,
            activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-6)? as f32,
            has_bias: config.flag("qkv_bias", true)?,
            has_positions: config.flag("use_abs_pos", true)?,
            is_relative: config.flag("use_rel_pos", true)?,
            window: config.count_or_none("window_size", 14)?,
            global: places(config, "global_attn_indexes", &[2, 5, 8, 11])?,
            outputs: config.count("output_channels", 256)?,
        })
    }

    /// Rows and columns of pictures.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// Rows and columns of the features of pictures.
    pub(super) fn grid(&self) -> usize {
        self.grid
    }

    /// Features of each place.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Features of the places of a picture, a map.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Value> {
        let projection = Conv2d::new(self.features, self.patch).stride(self.patch);
        let x = network.conv2d(&format!("{ROOT}patch_embed.projection"), image, projection)?;
        let mut x = network.to_tokens(x)?;
        let grid = [self.grid; 2];
        if self.has_positions {
            let tokens = [self.grid * self.grid, self.features];
            let stored = [1, self.grid, self.grid, self.features];
            let positions = network.parameter_view(&format!("{ROOT}pos_embed"), &stored, &tokens)?;
            x = network.add(x, positions)?;
        }
        let whole = Part {
            windows: None,
            relative: Relative::new(network, 1, grid, self.heads)?,
        };
        let parts = match self.window {
            0 => None,
            side => {
                let windows = Windows::new(grid, side, false)?;
                Some(Part {
                    relative: Relative::new(network, windows.count(), [side; 2], self.heads)?,
                    windows: Some(windows),
                })
            }
        };
        for layer in 0..self.layers {
            let part = match &parts {
                Some(parts) if !self.global.contains(&layer) => parts,
                _ => &whole,
            };
            x = self.layer(network, checkpoint, &format!("{ROOT}layers.{layer}"), x, part)?;
        }
        let x = network.to_map(x, grid)?;
        let neck = |layer: &str| format!("{ROOT}neck.{layer}");
        let first = Conv2d::new(self.outputs, 1).without_bias();
        let x = network.conv2d(&neck("conv1"), x, first)?;
        let x = network.layer_norm(&neck("layer_norm1"), x, EPSILON)?;
        let second = Conv2d::new(self.outputs, 3).padding(1).without_bias();
        let x = network.conv2d(&neck("conv2"), x, second)?;
        network.layer_norm(&neck("layer_norm2"), x, EPSILON)
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
        part: &Part,
    ) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.layer_norm1"), input, self.epsilon)?;
        let x = match part.windows {
            Some(windows) => windows.cut(network, x)?,
            None => x,
        };
        let fused = format!("{name}.attn.qkv");
        let operands = transformer::projected(network, Projections::Fused(&fused), self.has_bias, x)?;
        let x = if self.is_relative {
            let tables = ["rel_pos_h", "rel_pos_w"].map(|table| format!("{name}.attn.{table}"));
            part.relative.attend(network, checkpoint, &tables, operands)?
        } else {
            part.relative.attend_anywhere(network, operands)?
        };
        let x = network.linear(&format!("{name}.attn.proj"), x, self.features)?;
        let x = match part.windows {
            Some(windows) => windows.join(network, x)?,
            None => x,
        };
        let attended = network.add(x, input)?;
        let perceptron = (["lin1", "lin2"], self.hidden, self.activation);
        transformer::second_half(network, name, perceptron, self.epsilon, attended)
    }
}

/// What the tokens of a layer see.
struct Part {
    /// How the grid is cut; `None` where all is seen.
    windows: Option<Windows>,
    relative: Relative,
}

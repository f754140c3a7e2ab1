//! The mask decoder: tokens of a prompt and features of a picture look at each other, and become masks.

use super::prompts::PromptEncoder;
use crate::{
    architectures::{activation::Activation, transformer},
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{ConvTranspose2d, NetworkBuilder, Parameters, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// By what the features of attention within the layers of SAM are divided, whatever the configuration says.
const LAYERS_REDUCTION: usize = 2;
/// Before the names of all tensors.
const ROOT: &str = "mask_decoder.";
/// Added to variances where maps are normalised.
const MAPS_EPSILON: f32 = 1e-6;
/// The same of tokens, where the configuration does not say it.
const EPSILON: f32 = 1e-5;

/// Which of the masks of a prompt is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// The first one, which is for prompts that leave no doubt.
    First,
    /// The first one where it is stable, or else the best one of the others. It is stable where the pixels above a threshold
    /// are at least such a part of those above minus that threshold: `[threshold, part]`.
    FirstWhereStable([f32; 2]),
}

/// Describes the decoder for one prompt of one picture.
#[derive(Clone, Debug)]
pub(crate) struct MaskDecoder {
    /// Rows and columns of the features.
    grid: usize,
    /// Rows and columns of the picture.
    side: usize,
    features: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    /// Attention to and from the picture has so many times fewer features: within layers, and behind them.
    reductions: [usize; 2],
    masks: usize,
    scores: Perceptron,
    activation: Activation,
    epsilon: f32,
    is_second: bool,
    choice: Choice,
}

/// How many layers a perceptron has, and how wide those within it are.
#[derive(Clone, Copy, Debug)]
struct Perceptron {
    depth: usize,
    hidden: usize,
}

impl MaskDecoder {
    /// That of SAM.
    pub(super) fn first(repository: &Repository, grid: usize, side: usize) -> Result<Self> {
        let config = repository.config.section_or_empty("mask_decoder_config")?;
        let activation = Activation::of(&config, "hidden_act", Activation::Relu)?;
        let epsilon = config.epsilon("layer_norm_eps", 1e-6)? as f32;
        Self::read(&config, [grid, side], activation, epsilon)
    }

    /// That of SAM 2.
    pub(super) fn second(repository: &Repository, grid: usize, side: usize) -> Result<Self> {
        let config = repository.config.section_or_empty("mask_decoder_config")?;
        let number =
            |key: &str, default: f64| -> Result<f32> { Ok(config.number(key)?.unwrap_or(default) as f32) };
        let stable = [
            number("dynamic_multimask_stability_delta", 0.05)?,
            number("dynamic_multimask_stability_thresh", 0.98)?,
        ];
        let is_dynamic = config.flag("dynamic_multimask_via_stability", true)?;
        let decoder = Self::read(&config, [grid, side], Activation::Relu, EPSILON)?;
        Ok(Self {
            is_second: true,
            choice: if is_dynamic {
                Choice::FirstWhereStable(stable)
            } else {
                Choice::First
            },
            reductions: [decoder.reductions[1]; 2],
            ..decoder
        })
    }

    fn read(config: &Config, [grid, side]: [usize; 2], activation: Activation, epsilon: f32) -> Result<Self> {
        let features = config.count("hidden_size", 256)?;
        if !features.is_multiple_of(8) {
            return Err(config.unsupported("hidden_size", "a multiple of 8"));
        }
        let reduction = config.count("attention_downsample_rate", 2)?;
        if !features.is_multiple_of(reduction) {
            return Err(config.wrong("attention_downsample_rate", "a divisor of `hidden_size`"));
        }
        let heads = transformer::heads(config, "num_attention_heads", 8, features / reduction)?;
        if !(features / LAYERS_REDUCTION).is_multiple_of(heads) {
            return Err(config.wrong("num_attention_heads", "a divisor of half of `hidden_size`"));
        }
        let scores = Perceptron {
            depth: config.count("iou_head_depth", 3)?,
            hidden: config.count("iou_head_hidden_dim", 256)?,
        };
        if !(2..=64).contains(&scores.depth) {
            return Err(config.unsupported("iou_head_depth", "a number from 2 to 64"));
        }
        Ok(Self {
            grid,
            side,
            features,
            hidden: config.count("mlp_dim", 2048)?,
            layers: config.count("num_hidden_layers", 2)?,
            heads,
            reductions: [LAYERS_REDUCTION, reduction],
            masks: config.count("num_multimask_outputs", 3)? + 1,
            scores,
            activation,
            epsilon,
            is_second: false,
            choice: Choice::First,
        })
    }

    /// Features of each place of a picture, and of each token.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Which mask is taken where only one is asked for.
    pub(crate) fn choice(&self) -> Choice {
        self.choice
    }

    /// What makes tokens of prompts.
    ///
    /// # Errors
    /// When the checkpoint has not what is needed.
    pub(crate) fn prompt_encoder(&self, checkpoint: &Checkpoint) -> Result<PromptEncoder> {
        PromptEncoder::new(checkpoint, self.features, self.side, self.is_second)
    }

    /// The maps that the decoder takes of a picture, `[features, height, width]`, the smallest one first.
    pub(crate) fn maps(&self) -> Vec<[usize; 3]> {
        let map = |times: usize, fewer: usize| [self.features / fewer, self.grid * times, self.grid * times];
        if self.is_second {
            vec![map(1, 1), map(2, 4), map(4, 8)]
        } else {
            vec![map(1, 1)]
        }
    }

    /// Describes the network for a picture's maps and the tokens of a prompt: tokens `[masks, features]`, a map
    /// `[features, height, width]` whose products with them are the masks' logits, and one token of the masks' scores.
    ///
    /// # Errors
    /// When the checkpoint has not what is needed.
    pub(crate) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        maps: &[Value],
        prompt: Value,
    ) -> Result<[Value; 3]> {
        let features = self.features;
        let no_mask = checkpoint.parameter("prompt_encoder.no_mask_embed.weight", &[1, features])?;
        let ones = Weight::vector(vec![1.0; features]);
        let map = network.affine(maps[0], ones, Weight::vector(no_mask.data()))?;
        let keys = network.to_tokens(map)?;
        let places = PromptEncoder::places(checkpoint, features, self.grid)?;
        let places = network.constant(&[self.grid * self.grid, features], places)?;
        let mut tokens = Vec::new();
        let stored = |name: &str| format!("{ROOT}{name}.weight");
        if self.is_second {
            tokens.push(network.parameter(&stored("obj_score_token"), &[1, features])?);
        }
        let score = tokens.len();
        tokens.push(network.parameter(&stored("iou_token"), &[1, features])?);
        tokens.push(network.parameter(&stored("mask_tokens"), &[self.masks, features])?);
        tokens.push(prompt);
        let tokens = network.cat_tokens(&tokens)?;
        let [tokens, keys] = self.look(network, tokens, [keys, places])?;
        let embeddings = (0..self.masks)
            .map(|mask| {
                let token = network.take_tokens(tokens, vec![score + 1 + mask])?;
                let name = format!("{ROOT}output_hypernetworks_mlps.{mask}");
                let widths = Perceptron {
                    depth: 3,
                    hidden: features,
                };
                perceptron(network, &name, widths, features / 8, token)
            })
            .collect::<Result<Vec<Value>>>()?;
        let embeddings = network.cat_tokens(&embeddings)?;
        let score = network.take_tokens(tokens, vec![score])?;
        let name = format!("{ROOT}iou_prediction_head");
        let mut scores = perceptron(network, &name, self.scores, self.masks, score)?;
        if self.is_second {
            scores = network.sigmoid(scores)?;
        }
        let pixels = self.enlarge(network, keys, &maps[1..])?;
        Ok([embeddings, pixels, scores])
    }

    /// What tokens and features have become when they have looked at each other.
    fn look(
        &self,
        network: &mut NetworkBuilder<'_>,
        prompt: Value,
        [mut keys, places]: [Value; 2],
    ) -> Result<[Value; 2]> {
        let mut queries = prompt;
        for layer in 0..self.layers {
            let name = format!("{ROOT}transformer.layers.{layer}");
            let part = |part: &str| format!("{name}.{part}");
            queries = if layer == 0 {
                self.attend(network, &part("self_attn"), [queries; 3], 1)?
            } else {
                let placed = network.add(queries, prompt)?;
                let x = self.attend(network, &part("self_attn"), [placed, placed, queries], 1)?;
                network.add(queries, x)?
            };
            queries = network.layer_norm(&part("layer_norm1"), queries, self.epsilon)?;
            let (placed, placed_keys) = (network.add(queries, prompt)?, network.add(keys, places)?);
            let operands = [placed, placed_keys, keys];
            let x = self.attend(
                network,
                &part("cross_attn_token_to_image"),
                operands,
                self.reductions[0],
            )?;
            let x = network.add(queries, x)?;
            queries = network.layer_norm(&part("layer_norm2"), x, self.epsilon)?;
            let names = if self.is_second {
                ["mlp.proj_in", "mlp.proj_out"]
            } else {
                ["mlp.lin1", "mlp.lin2"]
            };
            let names = names.map(part);
            let names = [names[0].as_str(), names[1].as_str()];
            let x = transformer::perceptron(network, names, self.hidden, self.activation, queries)?;
            let x = network.add(queries, x)?;
            queries = network.layer_norm(&part("layer_norm3"), x, self.epsilon)?;
            let placed = network.add(queries, prompt)?;
            let operands = [placed_keys, placed, queries];
            let x = self.attend(
                network,
                &part("cross_attn_image_to_token"),
                operands,
                self.reductions[0],
            )?;
            let x = network.add(keys, x)?;
            keys = network.layer_norm(&part("layer_norm4"), x, self.epsilon)?;
        }
        let (placed, placed_keys) = (network.add(queries, prompt)?, network.add(keys, places)?);
        let name = format!("{ROOT}transformer.final_attn_token_to_image");
        let x = self.attend(network, &name, [placed, placed_keys, keys], self.reductions[1])?;
        let x = network.add(queries, x)?;
        let name = format!("{ROOT}transformer.layer_norm_final_attn");
        let queries = network.layer_norm(&name, x, EPSILON)?;
        Ok([queries, keys])
    }

    /// Attention of projected queries, keys and values, with so many times fewer features.
    fn attend(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        [queries, keys, values]: [Value; 3],
        reduction: usize,
    ) -> Result<Value> {
        let inner = self.features / reduction;
        let projected = [
            network.linear(&format!("{name}.q_proj"), queries, inner)?,
            network.linear(&format!("{name}.k_proj"), keys, inner)?,
            network.linear(&format!("{name}.v_proj"), values, inner)?,
        ];
        let x = network.attention(projected, self.heads)?;
        let output = if self.is_second { "o_proj" } else { "out_proj" };
        network.linear(&format!("{name}.{output}"), x, self.features)
    }

    /// Features of places as a map of four times as many rows and columns, with an eighth of the features; finer maps of the
    /// picture are added where there are some.
    fn enlarge(&self, network: &mut NetworkBuilder<'_>, places: Value, finer: &[Value]) -> Result<Value> {
        let x = network.to_map(places, [self.grid; 2])?;
        let first = ConvTranspose2d::new(self.features / 4, 2, 2);
        let mut x = network.conv_transpose2d(&format!("{ROOT}upscale_conv1"), x, first)?;
        if let Some(&map) = finer.first() {
            x = network.add(x, map)?;
        }
        let x = network.layer_norm(&format!("{ROOT}upscale_layer_norm"), x, MAPS_EPSILON)?;
        let x = network.gelu(x)?;
        let second = ConvTranspose2d::new(self.features / 8, 2, 2);
        let mut x = network.conv_transpose2d(&format!("{ROOT}upscale_conv2"), x, second)?;
        if let Some(&map) = finer.get(1) {
            x = network.add(x, map)?;
        }
        network.gelu(x)
    }
}

/// Linear layers with `max(x, 0)` between them: `proj_in`, those of `layers`, `proj_out`.
fn perceptron(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    widths: Perceptron,
    outputs: usize,
    x: Value,
) -> Result<Value> {
    let x = network.linear(&format!("{name}.proj_in"), x, widths.hidden)?;
    let mut x = network.relu(x)?;
    for layer in 0..widths.depth - 2 {
        x = network.linear(&format!("{name}.layers.{layer}"), x, widths.hidden)?;
        x = network.relu(x)?;
    }
    network.linear(&format!("{name}.proj_out"), x, outputs)
}

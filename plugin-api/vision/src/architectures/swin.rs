//! The Swin transformer: attention within windows, which are shifted in every other layer.
//!
//! Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3;
//! names and defaults: those of transformers' `SwinConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    transformer::{self, linear},
    windows::{self, Windows},
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

struct Swin {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    depths: Vec<usize>,
    heads: Vec<usize>,
    window: usize,
    hidden_ratio: f64,
    activation: Activation,
    bias: bool,
    epsilon: f32,
    classes: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    if config.flag("use_absolute_embeddings", false)? {
        return Err(config.unsupported("use_absolute_embeddings", "false"));
    }
    let features = config.count("embed_dim", 96)?;
    let depths = config.counts("depths", &[2, 2, 6, 2])?;
    let heads = config.counts("num_heads", &[3, 6, 12, 24])?;
    if depths.len() != heads.len() || depths.len() > 8 {
        return Err(config.wrong(
            "depths",
            &format!("a list of {} numbers, as `num_heads` has,", heads.len()),
        ));
    }
    if heads
        .iter()
        .enumerate()
        .any(|(stage, heads)| (features << stage) % heads != 0)
    {
        return Err(config.wrong("num_heads", "a list of divisors of the stages' features"));
    }
    let hidden_ratio = config.number("mlp_ratio")?.unwrap_or(4.0);
    if !(0.1..=64.0).contains(&hidden_ratio) {
        return Err(config.wrong("mlp_ratio", "a number from 0.1 to 64"));
    }
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Swin {
        image: config.size("image_size", [224; 2])?,
        patch: config.size("patch_size", [4; 2])?,
        features,
        depths,
        heads,
        window: config.count("window_size", 7)?,
        hidden_ratio,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        bias: config.flag("qkv_bias", true)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for Swin {
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
        let root = if checkpoint.has_any("swin.") { "swin." } else { "" };
        let size = network.dims(image)?;
        let mut grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(self.features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let x = network.conv2d(
            &format!("{root}embeddings.patch_embeddings.projection"),
            image,
            projection,
        )?;
        let x = network.to_tokens(x)?;
        let mut x = network.layer_norm(&format!("{root}embeddings.norm"), x, 1e-5)?;
        for (stage, &depth) in self.depths.iter().enumerate() {
            let name = format!("{root}encoder.layers.{stage}");
            for block in 0..depth {
                let windows = Windows::new(grid, self.window, block % 2 == 1)?;
                x = self.block(
                    network,
                    checkpoint,
                    &format!("{name}.blocks.{block}"),
                    x,
                    &windows,
                    self.heads[stage],
                )?;
            }
            if stage + 1 < self.depths.len() {
                x = windows::merge(network, &format!("{name}.downsample"), x, grid)?;
                grid = windows::halved(grid);
            }
            network.alias(&name, x)?;
        }
        let x = network.layer_norm(&format!("{root}layernorm"), x, self.epsilon)?;
        let embedding = network.mean_tokens(x)?;
        let logits = if checkpoint.has("classifier.weight") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl Swin {
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
        windows: &Windows,
        heads: usize,
    ) -> Result<Value> {
        let features = network.channels(input)?;
        let x = network.layer_norm(&format!("{name}.layernorm_before"), input, self.epsilon)?;
        let x = windows.cut(network, x)?;
        let mut projected = [x; 3];
        for (part, value) in ["query", "key", "value"].into_iter().zip(&mut projected) {
            *value = linear(
                network,
                &format!("{name}.attention.self.{part}"),
                x,
                features,
                self.bias,
            )?;
        }
        let table = format!("{name}.attention.self.relative_position_bias_table");
        let bias = windows.trained_bias(checkpoint, &table, heads)?;
        let x = network.window_attention(projected, heads, windows.count(), bias)?;
        let x = network.linear(&format!("{name}.attention.output.dense"), x, features)?;
        let x = windows.join(network, x)?;
        let attended = network.add(input, x)?;
        let x = network.layer_norm(&format!("{name}.layernorm_after"), attended, self.epsilon)?;
        let hidden = (features as f64 * self.hidden_ratio) as usize;
        let dense = ["intermediate", "output"].map(|part| format!("{name}.{part}.dense"));
        let x = transformer::perceptron(network, [&dense[0], &dense[1]], hidden, self.activation, x)?;
        network.add(attended, x)
    }
}

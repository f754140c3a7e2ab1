//! EoMT: a vision transformer that sees queries beside patches in its last layers, so that each becomes a mask.
//!
//! Source: Kerssies et al., "Your ViT is Secretly an Image Segmentation Model" (2025); names and defaults: those of
//! transformers' `EomtConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    transformer::{self, Projections},
};
use crate::{
    checkpoint::Checkpoint,
    repository::{Repository, class_names},
};
use modelzoo_candle::network::{Conv2d, ConvTranspose2d, NetworkBuilder, Parameters, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Added to variances where maps are normalised.
const EPSILON: f32 = 1e-6;

struct Eomt {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    hidden: usize,
    is_gated: bool,
    layers: usize,
    /// So many of the last layers see the queries.
    last: usize,
    heads: usize,
    activation: Activation,
    epsilon: f32,
    registers: usize,
    queries: usize,
    enlargements: usize,
    classes: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let features = config.count("hidden_size", 1024)?;
    let ratio = transformer::hidden_ratio(config, 4.0)?;
    let is_gated = config.flag("use_swiglu_ffn", false)?;
    let hidden = ((features as f64 * ratio) as usize).max(1);
    let (layers, last) = (
        config.count("num_hidden_layers", 24)?,
        config.count("num_blocks", 4)?,
    );
    if last > layers {
        return Err(config.wrong("num_blocks", "a number of at most `num_hidden_layers`"));
    }
    let enlargements = config.count_or_none("num_upscale_blocks", 2)?;
    if enlargements > 4 {
        return Err(config.unsupported("num_upscale_blocks", "a number of at most 4"));
    }
    Ok(Box::new(Eomt {
        image: config.size("image_size", [640; 2])?,
        patch: config.size("patch_size", [16; 2])?,
        features,
        hidden: if is_gated {
            (hidden * 2 / 3).next_multiple_of(8)
        } else {
            hidden
        },
        is_gated,
        layers,
        last,
        heads: transformer::heads(config, "num_attention_heads", 16, features)?,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-6)? as f32,
        registers: config.count_or_none("num_register_tokens", 4)?,
        queries: config.count("num_queries", 200)?,
        enlargements,
        classes: class_names(repository)?.map_or(2, |names| names.len()),
    }))
}

impl Architecture for Eomt {
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
        self.check(network, checkpoint, image)?;
        let (mut x, grid) = self.embed(network, image)?;
        let queries = network.parameter("query.weight", &[self.queries, self.features])?;
        for layer in 0..self.layers {
            if layer + self.last == self.layers {
                x = network.cat_tokens(&[queries, x])?;
            }
            x = self.layer(network, checkpoint, &format!("layers.{layer}"), x)?;
        }
        let x = network.layer_norm("layernorm", x, self.epsilon)?;
        let queries = network.take_tokens(x, (0..self.queries).collect::<Vec<_>>())?;
        let first = self.queries + 1 + self.registers;
        let patches = network.take_tokens(x, (first..first + grid[0] * grid[1]).collect::<Vec<_>>())?;
        let logits = network.linear("class_predictor", queries, self.classes + 1)?;
        let queries = self.judge(network, queries)?;
        let map = network.to_map(patches, grid)?;
        let features = self.enlarge(network, map)?;
        checkpoint.leave_out("criterion.");
        Ok(Outputs::Masks {
            logits,
            queries,
            features,
        })
    }
}

impl Eomt {
    /// The network has positions for one size, and was trained to do without masks of what its queries see.
    fn check(&self, network: &NetworkBuilder<'_>, checkpoint: &Checkpoint, image: Value) -> Result<()> {
        let size = network.dims(image)?;
        if size[1..] != self.image {
            return Err(Error::new(format!(
                "the network takes pictures of {} x {} pixels only, not of {} x {}",
                self.image[1], self.image[0], size[2], size[1]
            ))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("leave `image_size` unset"));
        }
        if checkpoint.has("attn_mask_probs") {
            let masked = checkpoint.parameter("attn_mask_probs", &[self.last])?;
            if masked.data().iter().any(|&share| share > 0.0) {
                return Err(Error::new(
                    "the network was not trained to the end: its queries see parts of the picture only, which is not known here",
                )
                .with_kind(ErrorKind::Unsupported));
            }
        }
        Ok(())
    }

    /// The class token, the registers, and a token for each patch with its position.
    fn embed(&self, network: &mut NetworkBuilder<'_>, image: Value) -> Result<(Value, [usize; 2])> {
        let features = self.features;
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let patches = network.conv2d("embeddings.patch_embeddings.projection", image, projection)?;
        let patches = network.to_tokens(patches)?;
        let positions = network.parameter(
            "embeddings.position_embeddings.weight",
            &[grid[0] * grid[1], features],
        )?;
        let patches = network.add(patches, positions)?;
        let class = network.parameter_view("embeddings.cls_token", &[1, 1, features], &[1, features])?;
        let mut tokens = vec![class];
        if self.registers > 0 {
            let stored = [1, self.registers, features];
            tokens.push(network.parameter_view("embeddings.register_tokens", &stored, &stored[1..])?);
        }
        tokens.push(patches);
        Ok((network.cat_tokens(&tokens)?, grid))
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.norm1"), input, self.epsilon)?;
        let projections = ["q_proj", "k_proj", "v_proj"].map(|part| format!("{name}.attention.{part}"));
        let projections = Projections::Apart([&projections[0], &projections[1], &projections[2]]);
        let x = transformer::self_attention(network, projections, true, self.heads, x)?;
        let x = network.linear(&format!("{name}.attention.out_proj"), x, self.features)?;
        let x = transformer::layer_scale(network, &format!("{name}.layer_scale1.lambda1"), x)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.norm2"), attended, self.epsilon)?;
        let x = self.perceptron(network, checkpoint, &format!("{name}.mlp"), x)?;
        let x = transformer::layer_scale(network, &format!("{name}.layer_scale2.lambda1"), x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    fn perceptron(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        x: Value,
    ) -> Result<Value> {
        if !self.is_gated {
            let names = ["fc1", "fc2"].map(|part| format!("{name}.{part}"));
            return transformer::perceptron(network, [&names[0], &names[1]], self.hidden, self.activation, x);
        }
        // Older files have both halves as one layer.
        let fused = format!("{name}.weights_in");
        let (gate, up, last) = if checkpoint.has(&format!("{fused}.weight")) {
            let both = network.linear(&fused, x, 2 * self.hidden)?;
            (
                network.narrow(both, 0, self.hidden)?,
                network.narrow(both, self.hidden, self.hidden)?,
                "weights_out",
            )
        } else {
            (
                network.linear(&format!("{name}.gate_proj"), x, self.hidden)?,
                network.linear(&format!("{name}.up_proj"), x, self.hidden)?,
                "down_proj",
            )
        };
        let gate = network.silu(gate)?;
        let x = network.mul(gate, up)?;
        network.linear(&format!("{name}.{last}"), x, self.features)
    }

    /// What the features of a pixel are compared with.
    fn judge(&self, network: &mut NetworkBuilder<'_>, queries: Value) -> Result<Value> {
        let x = network.linear("mask_head.fc1", queries, self.features)?;
        let x = self.activation.apply(network, x)?;
        let x = network.linear("mask_head.fc2", x, self.features)?;
        let x = self.activation.apply(network, x)?;
        network.linear("mask_head.fc3", x, self.features)
    }

    fn enlarge(&self, network: &mut NetworkBuilder<'_>, map: Value) -> Result<Value> {
        let mut x = map;
        for block in 0..self.enlargements {
            let name = format!("upscale_block.block.{block}");
            let larger = ConvTranspose2d::new(self.features, 2, 2);
            x = network.conv_transpose2d(&format!("{name}.conv1"), x, larger)?;
            x = self.activation.apply(network, x)?;
            let around = Conv2d::new(self.features, 3)
                .padding(1)
                .groups(self.features)
                .without_bias();
            x = network.conv2d(&format!("{name}.conv2"), x, around)?;
            let dims = network.dims(x)?;
            x = network.to_tokens(x)?;
            x = network.layer_norm(&format!("{name}.layernorm2d"), x, EPSILON)?;
            x = network.to_map(x, [dims[1], dims[2]])?;
        }
        Ok(x)
    }
}

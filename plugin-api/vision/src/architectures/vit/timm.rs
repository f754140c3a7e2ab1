//! As timm publishes it. Sizes, and what a variant has besides, are read off the tensors; heads are those of the name.

use super::attention_pool;
use crate::{
    architectures::{
        Architecture, Outputs,
        positions::{Positions, Resampling},
        transformer::{self, Projections},
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The heads of each size that is a part of a name.
const HEADS: [(&str, usize); 12] = [
    ("_tiny_", 3),
    ("_little_", 5),
    ("_small_", 6),
    ("_medium_", 8),
    ("_base_", 12),
    ("_betwixt_", 10),
    ("_large_", 16),
    ("_huge_", 16),
    ("_giant_", 16),
    ("_gigantic_", 16),
    ("_so150m_", 16),
    ("_so400m_", 16),
];

/// Parts of the names of variants that compute something else: parallel layers, hybrids, relative positions.
const OTHERS: [&str; 9] = [
    "_plus", "relpos", "parallel", "_r26_", "_r50_", "_resnet", "_so150m2", "_rope", "_dinov3",
];

/// What becomes of the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pool {
    /// The class token's is taken.
    Token,
    /// The mean of those of the patches.
    Mean,
    /// What a trained query finds among them.
    Attention,
}

/// What is known without the tensors.
struct Vit {
    image: [usize; 2],
    heads: usize,
    pool: Pool,
    quick_gelu: bool,
    epsilon: f32,
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    if OTHERS.iter().any(|other| name.contains(other)) {
        return Err(config.unsupported("architecture", "a plain vision transformer"));
    }
    let arguments = config.section_or_empty("model_args")?;
    let heads = HEADS
        .iter()
        .find(|(part, _)| name.contains(part))
        .map(|&(_, heads)| heads);
    let heads = match arguments.count_of("num_heads")?.or(heads) {
        Some(heads) => heads,
        None => {
            return Err(config.unsupported(
                "architecture",
                "a size that is known, such as tiny, small or base,",
            ));
        }
    };
    let usual = match name {
        name if name.contains("_gap_") => "avg",
        name if name.contains("_siglip_") => "map",
        _ => "token",
    };
    let pool = arguments
        .text("global_pool")?
        .or(config.text("global_pool")?)
        .unwrap_or(usual);
    let pool = match pool {
        "token" => Pool::Token,
        "avg" => Pool::Mean,
        "map" => Pool::Attention,
        _ => return Err(config.unsupported("global_pool", "\"token\", \"avg\" or \"map\"")),
    };
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Vit {
        image: arguments.size("img_size", [height, width])?,
        heads,
        pool,
        quick_gelu: name.contains("quickgelu"),
        // CLIP's towers have torch's default.
        epsilon: if name.contains("_clip_") { 1e-5 } else { 1e-6 },
        classes: names.map_or(0, |names| names.len()),
    }))
}

impl Architecture for Vit {
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
        let (mut x, prefix) = self.embed(network, checkpoint, image)?;
        if checkpoint.has("norm_pre.weight") {
            x = network.layer_norm("norm_pre", x, self.epsilon)?;
        }
        let mut layer = 0;
        while checkpoint.has(&format!("blocks.{layer}.norm1.weight")) {
            x = self.layer(network, checkpoint, &format!("blocks.{layer}"), x)?;
            layer += 1;
        }
        if checkpoint.has("norm.weight") {
            x = network.layer_norm("norm", x, self.epsilon)?;
        }
        let mut pooled = match self.pool {
            Pool::Token => network.select_token(x, 0)?,
            Pool::Mean => {
                let tokens = network.dims(x)?[0];
                let patches = network.take_tokens(x, (prefix..tokens).collect::<Vec<_>>())?;
                network.mean_tokens(patches)?
            }
            Pool::Attention => attention_pool::pool(network, checkpoint, x, self.heads)?,
        };
        if checkpoint.has("fc_norm.weight") {
            pooled = network.layer_norm("fc_norm", pooled, self.epsilon)?;
        }
        let logits = if checkpoint.has("head.weight") {
            Some(self.classify(network, checkpoint, pooled, x)?)
        } else {
            None
        };
        Ok(Outputs::Picture {
            embedding: if checkpoint.has("head_dist.weight") {
                // timm's features before its two heads are the mean of what the heads take.
                let distilled = network.select_token(x, 1)?;
                mean_of(network, pooled, distilled)?
            } else {
                pooled
            },
            logits,
        })
    }
}

impl Vit {
    /// The tokens with their positions, and how many of them are before those of the patches.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<(Value, usize)> {
        let [features, _, height, width] = patch_weight(checkpoint)?;
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], [height, width])?;
        let projection = Conv2d::new(features, height)
            .kernel([height, width])
            .strides([height, width]);
        let projection = if checkpoint.has("patch_embed.proj.bias") {
            projection
        } else {
            projection.without_bias()
        };
        let patches = network.conv2d("patch_embed.proj", image, projection)?;
        let patches = network.to_tokens(patches)?;
        let mut before = Vec::new();
        for name in ["cls_token", "dist_token", "reg_token"] {
            if let Some(dims) = checkpoint.dims(name) {
                let count = dims.get(1).copied().unwrap_or(1);
                before.push((
                    count,
                    network.parameter_view(name, &[1, count, features], &[count, features])?,
                ));
            }
        }
        let prefix: usize = before.iter().map(|(count, _)| count).sum();
        let trained = transformer::grid(self.image, [height, width])?;
        let stored = checkpoint.dims("pos_embed").and_then(|dims| dims.get(1).copied());
        // Some variants have positions for patches only.
        let has_prefix = stored != Some(trained[0] * trained[1]);
        let positions = Positions {
            name: "pos_embed",
            features,
            prefix: if has_prefix { prefix } else { 0 },
            suffix: 0,
            trained: Some(trained),
            resampling: Resampling::AntialiasedBicubic,
        };
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[positions.prefix + grid[0] * grid[1], features], values)?;
        let mut tokens: Vec<Value> = before.into_iter().map(|(_, value)| value).collect();
        let x = if has_prefix {
            tokens.push(patches);
            let x = network.cat_tokens(&tokens)?;
            network.add(x, positions)?
        } else {
            tokens.push(network.add(patches, positions)?);
            network.cat_tokens(&tokens)?
        };
        Ok((x, prefix))
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let features = network.channels(input)?;
        if checkpoint.has(&format!("{name}.attn.q_norm.weight")) {
            return Err(unfit(
                &format!("{name}.attn.q_norm"),
                "normalised queries are not known",
            ));
        }
        if !features.is_multiple_of(self.heads) {
            return Err(unfit(
                name,
                &format!("{features} features are not divisible into {} heads", self.heads),
            ));
        }
        let scaled = |network: &mut NetworkBuilder<'_>, part: &str, x: Value| {
            let scale = format!("{name}.{part}.gamma");
            if checkpoint.has(&scale) {
                transformer::layer_scale(network, &scale, x)
            } else {
                Ok(x)
            }
        };
        let x = network.layer_norm(&format!("{name}.norm1"), input, self.epsilon)?;
        let fused = format!("{name}.attn.qkv");
        let bias = checkpoint.has(&format!("{fused}.bias"));
        let x = transformer::self_attention(network, Projections::Fused(&fused), bias, self.heads, x)?;
        let x = network.linear(&format!("{name}.attn.proj"), x, features)?;
        let x = scaled(network, "ls1", x)?;
        let attended = network.add(input, x)?;
        let x = network.layer_norm(&format!("{name}.norm2"), attended, self.epsilon)?;
        let x = self.perceptron(network, checkpoint, name, x)?;
        let x = scaled(network, "ls2", x)?;
        let x = network.add(attended, x)?;
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
        let features = network.channels(x)?;
        let names = ["fc1", "fc2"].map(|part| format!("{name}.mlp.{part}"));
        let hidden = match checkpoint.dims(&format!("{}.weight", names[0])).as_deref() {
            Some(&[hidden, _]) => hidden,
            Some(_) => return Err(unfit(&names[0], "two dimensions are needed")),
            None => return network.linear(&names[0], x, 1),
        };
        let x = network.linear(&names[0], x, hidden)?;
        let x = if self.quick_gelu {
            network.quick_gelu(x)?
        } else {
            network.gelu(x)?
        };
        // Both halves of a gated layer would be one of these.
        let inner = checkpoint
            .dims(&format!("{}.weight", names[1]))
            .and_then(|dims| dims.get(1).copied());
        if inner.is_some_and(|inner| inner != hidden) {
            return Err(unfit(&names[1], "a gated perceptron is not known"));
        }
        network.linear(&names[1], x, features)
    }

    /// The logits; with a distillation token, the mean of those of both tokens.
    fn classify(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        pooled: Value,
        tokens: Value,
    ) -> Result<Value> {
        let logits = network.linear("head", pooled, self.classes)?;
        if !checkpoint.has("head_dist.weight") {
            return Ok(logits);
        }
        let distilled = network.select_token(tokens, 1)?;
        let from_teacher = network.linear("head_dist", distilled, self.classes)?;
        mean_of(network, logits, from_teacher)
    }
}

fn mean_of(network: &mut NetworkBuilder<'_>, a: Value, b: Value) -> Result<Value> {
    let sum = network.add(a, b)?;
    let features = network.channels(sum)?;
    let halves = network.constant(&[features], vec![0.5; features])?;
    network.mul(sum, halves)
}

fn patch_weight(checkpoint: &Checkpoint) -> Result<[usize; 4]> {
    let name = "patch_embed.proj.weight";
    let Some(dims) = checkpoint.dims(name) else {
        // Says that it is missing.
        return checkpoint.tensor(name).map(|_| [0; 4]);
    };
    match *dims {
        [features, 3, height, width] if height > 0 && width > 0 => Ok([features, 3, height, width]),
        _ => Err(unfit(
            "patch_embed.proj",
            &format!("dimensions {dims:?} are not those of patches of pictures"),
        )),
    }
}

fn unfit(name: &str, problem: &str) -> Error {
    Error::new(format!(
        "`{name}` is not that of a plain vision transformer: {problem}"
    ))
    .with_kind(ErrorKind::Weights)
}

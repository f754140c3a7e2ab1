//! SegFormer: a pyramid of transformers, and a decoder of linear layers.
//!
//! Source: Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers" (2021),
//! section 3; names and defaults: those of transformers' `SegformerConfig`.

mod decoder;

use super::{Architecture, Outputs, activation::Activation, transformer};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use decoder::Decoder;
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Added to variances: torch's default.
const EPSILON: f32 = 1e-5;

struct Segformer {
    stages: Vec<Stage>,
    activation: Activation,
    decoder: Decoder,
    classes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Stage {
    patch: usize,
    stride: usize,
    features: usize,
    depth: usize,
    heads: usize,
    /// Keys and values are made of so many times fewer rows and columns.
    reduction: usize,
    hidden: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let classes = crate::repository::class_names(repository)?.map_or(2, |names| names.len());
    Ok(Box::new(Segformer {
        stages: stages(config)?,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        decoder: Decoder {
            features: config.count("decoder_hidden_size", 256)?,
            classes,
        },
        classes,
    }))
}

fn stages(config: &Config) -> Result<Vec<Stage>> {
    let count = config.count("num_encoder_blocks", 4)?;
    let list = |key: &str, default: &[usize]| -> Result<Vec<usize>> {
        let values = config.counts(key, default)?;
        if values.len() == count {
            Ok(values)
        } else {
            Err(config.wrong(
                key,
                &format!("a list of {count} numbers, one for each encoder block,"),
            ))
        }
    };
    let features = list("hidden_sizes", &[32, 64, 160, 256])?;
    let heads = list("num_attention_heads", &[1, 2, 5, 8])?;
    if features
        .iter()
        .zip(&heads)
        .any(|(features, heads)| features % heads != 0)
    {
        return Err(config.wrong("num_attention_heads", "a list of divisors of `hidden_sizes`"));
    }
    let (patches, strides) = (
        list("patch_sizes", &[7, 3, 3, 3])?,
        list("strides", &[4, 2, 2, 2])?,
    );
    let (depths, reductions) = (list("depths", &[2, 2, 2, 2])?, list("sr_ratios", &[8, 4, 2, 1])?);
    let ratios = list("mlp_ratios", &[4, 4, 4, 4])?;
    Ok((0..count)
        .map(|stage| Stage {
            patch: patches[stage],
            stride: strides[stage],
            features: features[stage],
            depth: depths[stage],
            heads: heads[stage],
            reduction: reductions[stage],
            hidden: features[stage].saturating_mul(ratios[stage]),
        })
        .collect())
}

impl Architecture for Segformer {
    fn image_size(&self) -> [usize; 2] {
        [512; 2]
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
        let root = if checkpoint.has_any("segformer.") {
            "segformer."
        } else {
            ""
        };
        let mut maps = Vec::new();
        let mut x = image;
        for (index, stage) in self.stages.iter().enumerate() {
            x = self.stage(network, &format!("{root}encoder"), index, stage, x)?;
            maps.push(x);
        }
        if checkpoint.has_any("decode_head.") {
            return Ok(Outputs::Segmentation {
                logits: self.decoder.describe(network, checkpoint, &maps)?,
            });
        }
        let tokens = network.to_tokens(x)?;
        let embedding = network.mean_tokens(tokens)?;
        let logits = if checkpoint.has("classifier.weight") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl Segformer {
    fn stage(
        &self,
        network: &mut NetworkBuilder<'_>,
        encoder: &str,
        index: usize,
        stage: &Stage,
        x: Value,
    ) -> Result<Value> {
        let patches = Conv2d::new(stage.features, stage.patch)
            .stride(stage.stride)
            .padding(stage.patch / 2);
        let map = network.conv2d(&format!("{encoder}.patch_embeddings.{index}.proj"), x, patches)?;
        let dims = network.dims(map)?;
        let size = [dims[1], dims[2]];
        let x = network.to_tokens(map)?;
        let mut x = network.layer_norm(
            &format!("{encoder}.patch_embeddings.{index}.layer_norm"),
            x,
            EPSILON,
        )?;
        for layer in 0..stage.depth {
            let name = format!("{encoder}.block.{index}.{layer}");
            let normalised = network.layer_norm(&format!("{name}.layer_norm_1"), x, EPSILON)?;
            let attended = attend(network, &format!("{name}.attention"), stage, size, normalised)?;
            x = network.add(attended, x)?;
            let normalised = network.layer_norm(&format!("{name}.layer_norm_2"), x, EPSILON)?;
            let mixed = self.mix(network, &format!("{name}.mlp"), stage, size, normalised)?;
            x = network.add(mixed, x)?;
        }
        let x = network.layer_norm(&format!("{encoder}.layer_norm.{index}"), x, EPSILON)?;
        network.to_map(x, size)
    }

    /// A perceptron that sees the neighbours of each token.
    fn mix(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        stage: &Stage,
        size: [usize; 2],
        x: Value,
    ) -> Result<Value> {
        let x = network.linear(&format!("{name}.dense1"), x, stage.hidden)?;
        let map = network.to_map(x, size)?;
        let neighbours = Conv2d::new(stage.hidden, 3).padding(1).groups(stage.hidden);
        let map = network.conv2d(&format!("{name}.dwconv.dwconv"), map, neighbours)?;
        // Published after the next one, which changes no number: here the convolution takes it in.
        let map = self.activation.apply(network, map)?;
        let x = network.to_tokens(map)?;
        network.linear(&format!("{name}.dense2"), x, stage.features)
    }
}

/// Attention of all tokens to a reduced map of them.
fn attend(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    stage: &Stage,
    size: [usize; 2],
    x: Value,
) -> Result<Value> {
    let queries = network.linear(&format!("{name}.self.query"), x, stage.features)?;
    let mut reduced = x;
    if stage.reduction > 1 {
        let map = network.to_map(x, size)?;
        let reduction = Conv2d::new(stage.features, stage.reduction).stride(stage.reduction);
        let map = network.conv2d(&format!("{name}.self.sr"), map, reduction)?;
        let tokens = network.to_tokens(map)?;
        reduced = network.layer_norm(&format!("{name}.self.layer_norm"), tokens, EPSILON)?;
    }
    let keys = network.linear(&format!("{name}.self.key"), reduced, stage.features)?;
    let values = network.linear(&format!("{name}.self.value"), reduced, stage.features)?;
    let x = network.attention([queries, keys, values], stage.heads)?;
    network.linear(&format!("{name}.output.dense"), x, stage.features)
}

//! The decoder: queries look at each other and at a few points around their boxes, and move these from layer to layer.

use super::queries::Selected;
use crate::{
    architectures::{Outputs, activation::Activation, transformer},
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{DeformableAttention, Level, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The largest logit of a coordinate that a layer moves: that of 1e-5, as published.
pub(in crate::architectures) const LIMIT: f32 = 11.512_925;

#[derive(Debug)]
pub(super) struct Decoder {
    layers: usize,
    features: usize,
    heads: usize,
    hidden: usize,
    activation: Activation,
    points: Points,
    classes: usize,
    epsilon: f32,
}

/// The points that queries look at.
#[derive(Debug)]
pub(in crate::architectures) struct Points {
    /// Of each head in each map.
    counts: Vec<usize>,
    scale: f32,
}

impl Points {
    /// Reads the settings.
    pub(in crate::architectures) fn read(config: &Config) -> Result<Self> {
        let levels = config.count("num_feature_levels", 3)?;
        if config.count("decoder_n_levels", levels)? != levels {
            return Err(config.wrong("decoder_n_levels", &format!("{levels}, the number of maps,")));
        }
        if config
            .text("decoder_method")?
            .is_some_and(|method| method != "default")
        {
            return Err(config.unsupported("decoder_method", "\"default\""));
        }
        let key = "decoder_n_points";
        let counts = if config.value(key).is_some_and(serde_json::Value::is_array) {
            config.counts(key, &[])?
        } else {
            vec![config.count(key, 4)?; levels]
        };
        if counts.len() != levels {
            return Err(config.wrong(key, &format!("a number, or a list of {levels} numbers,")));
        }
        Ok(Self {
            counts,
            scale: config.number("decoder_offset_scale")?.unwrap_or(0.5) as f32,
        })
    }

    /// So many points of each head in one map.
    pub(in crate::architectures) fn of_one_map(count: usize) -> Self {
        Self {
            counts: vec![count],
            scale: 0.5,
        }
    }

    /// Attention of queries at their places to points of values; offsets and weights are layers of `name`.
    pub(in crate::architectures) fn attend(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        operands: [Value; 3],
        sizes: &[[usize; 2]],
        heads: usize,
    ) -> Result<Value> {
        let [queries, values, boxes] = operands;
        let points = heads * self.counts.iter().sum::<usize>();
        let offsets = network.linear(&format!("{name}.sampling_offsets"), queries, 2 * points)?;
        let scores = network.linear(&format!("{name}.attention_weights"), queries, points)?;
        let levels = sizes.iter().zip(&self.counts);
        let attention = DeformableAttention {
            heads,
            levels: levels.map(|(&size, &points)| Level { size, points }).collect(),
            scale: self.scale,
        };
        network.deformable_attention([values, offsets, scores, boxes], attention)
    }
}

impl Decoder {
    pub(super) fn read(config: &Config, classes: usize) -> Result<Self> {
        let features = config.count("d_model", 256)?;
        Ok(Self {
            layers: config.count("decoder_layers", 6)?,
            features,
            heads: transformer::heads(config, "decoder_attention_heads", 8, features)?,
            hidden: config.count("decoder_ffn_dim", 1024)?,
            activation: Activation::of(config, "decoder_activation_function", Activation::Relu)?,
            points: Points::read(config)?,
            classes,
            epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
        })
    }

    /// Describes the decoder. `checkpoint` says where the heads are.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        selected: Selected,
    ) -> Result<Outputs> {
        let heads = head_root(checkpoint);
        let Selected {
            mut objects,
            mut boxes,
            ..
        } = selected;
        for layer in 0..self.layers {
            let name = format!("model.decoder.layers.{layer}");
            checkpoint.leave_out(&format!("{name}.encoder_attn.n_points_scale"));
            let places = network.sigmoid(boxes)?;
            let embedding = box_embedding(network, layer, places, self.features)?;
            objects = self.layer(network, &name, [objects, embedding, places], &selected)?;
            let moved =
                transformer::deep_perceptron(network, &format!("{heads}bbox_embed.{layer}"), 4, objects)?;
            let from = network.clamp(boxes, LIMIT)?;
            boxes = network.add(moved, from)?;
            // Those of other layers are for training.
            checkpoint.leave_out(&format!("{heads}class_embed.{layer}."));
        }
        let last = self.layers - 1;
        Ok(Outputs::Objects {
            logits: network.linear(&format!("{heads}class_embed.{last}"), objects, self.classes)?,
            boxes: network.sigmoid(boxes)?,
            are_exclusive: false,
        })
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        [input, embedding, places]: [Value; 3],
        selected: &Selected,
    ) -> Result<Value> {
        let placed = network.add(input, embedding)?;
        let x = transformer::projected_attention(
            network,
            &format!("{name}.self_attn"),
            [placed, placed, input],
            self.heads,
        )?;
        let x = network.add(input, x)?;
        let objects = network.layer_norm(&format!("{name}.self_attn_layer_norm"), x, self.epsilon)?;
        let placed = network.add(objects, embedding)?;
        let attention = format!("{name}.encoder_attn");
        let values = network.linear(&format!("{attention}.value_proj"), selected.memory, self.features)?;
        let operands = [placed, values, places];
        let x = self
            .points
            .attend(network, &attention, operands, &selected.sizes, self.heads)?;
        let x = network.linear(&format!("{attention}.output_proj"), x, self.features)?;
        let x = network.add(objects, x)?;
        let x = network.layer_norm(&format!("{name}.encoder_attn_layer_norm"), x, self.epsilon)?;
        let layers = (self.hidden, self.activation);
        transformer::normed_perceptron(network, name, layers, self.epsilon, x)
    }
}

/// Before the names of the layers for classes and boxes: files have them within the decoder, or beside it.
pub(in crate::architectures) fn head_root(checkpoint: &Checkpoint) -> &'static str {
    if checkpoint.has_any("model.decoder.bbox_embed.") {
        "model.decoder."
    } else {
        ""
    }
}

/// What tells a query where its box is; all layers share its weights.
pub(in crate::architectures) fn box_embedding(
    network: &mut NetworkBuilder<'_>,
    layer: usize,
    places: Value,
    features: usize,
) -> Result<Value> {
    let head = "model.decoder.query_pos_head.layers";
    let name = |part: usize| format!("{head}.{part} of layer {layer}");
    let x = network.linear_of(&name(0), places, &format!("{head}.0"), 2 * features)?;
    let x = network.relu(x)?;
    network.linear_of(&name(1), x, &format!("{head}.1"), features)
}

//! The decoder: each layer refines where the sides of the boxes are likely to be.

use crate::{
    architectures::{
        Outputs,
        activation::Activation,
        rt_detr::{LIMIT, Points, Selected, box_embedding, head_root},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{NetworkBuilder, Parameters, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The largest number in what tells a query where its box is.
const EMBEDDING_LIMIT: f32 = 10.0;
/// Added to the variances of a gate's normalisation: torch's default.
const GATE_EPSILON: f32 = 1e-5;
/// The sides of a box: left, top, right, bottom.
const SIDES: usize = 4;

#[derive(Debug)]
pub(super) struct Decoder {
    /// Layers up to the one whose result counts; those behind it are for training.
    layers: usize,
    features: usize,
    heads: usize,
    hidden: usize,
    activation: Activation,
    points: Points,
    classes: usize,
    /// Distances that a side may have, without the first.
    bins: usize,
    /// The likeliest of them that say how sure a box is.
    likeliest: usize,
    quality_layers: usize,
    quality_hidden: usize,
    epsilon: f32,
}

impl Decoder {
    pub(super) fn read(config: &Config, classes: usize) -> Result<Self> {
        let features = config.count("d_model", 256)?;
        let layers = config.count("decoder_layers", 6)?;
        let bins = config.count("max_num_bins", 32)?;
        if bins < 4 || bins % 2 != 0 {
            return Err(config.wrong("max_num_bins", "an even number of at least 4"));
        }
        let likeliest = config.count("top_prob_values", 4)?;
        if likeliest > bins + 1 {
            return Err(config.wrong("top_prob_values", &format!("a number up to {}", bins + 1)));
        }
        Ok(Self {
            layers: counting_layers(config, layers)?,
            features,
            heads: transformer::heads(config, "decoder_attention_heads", 8, features)?,
            hidden: config.count("decoder_ffn_dim", 1024)?,
            activation: Activation::of(config, "decoder_activation_function", Activation::Relu)?,
            points: Points::read(config)?,
            classes,
            bins,
            likeliest,
            quality_layers: config.count("lqe_layers", 2)?,
            quality_hidden: config.count("lqe_hidden_dim", 64)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
        })
    }

    /// Describes the decoder. `checkpoint` says where the heads are and which distances there are.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        selected: Selected,
    ) -> Result<Outputs> {
        let heads = head_root(checkpoint);
        let distances = Distances::read(checkpoint, self.bins)?;
        let mut objects = selected.objects;
        let mut boxes = network.sigmoid(selected.boxes)?;
        let mut initial = boxes;
        let mut sides = None;
        for layer in 0..self.layers {
            let embedding = box_embedding(network, layer, boxes, self.features)?;
            let embedding = network.clamp(embedding, EMBEDDING_LIMIT)?;
            let before = objects;
            let name = format!("model.decoder.layers.{layer}");
            objects = self.layer(network, &name, [objects, embedding, boxes], &selected)?;
            if layer == 0 {
                let name = "model.decoder.pre_bbox_head";
                let moved = transformer::deep_perceptron(network, name, SIDES, objects)?;
                let from = network.clamp(selected.boxes, LIMIT)?;
                let moved = network.add(moved, from)?;
                initial = network.sigmoid(moved)?;
            }
            let seen = match sides {
                Some(_) => network.add(objects, before)?,
                None => objects,
            };
            let name = format!("{heads}bbox_embed.{layer}");
            let logits = SIDES * (self.bins + 1);
            let refined = transformer::deep_perceptron(network, &name, logits, seen)?;
            let refined = match sides {
                Some(sides) => network.add(refined, sides)?,
                None => refined,
            };
            sides = Some(refined);
            let likely = self.likely(network, refined)?;
            boxes = distances.boxes(network, initial, &likely)?;
        }
        let last = self.layers - 1;
        let logits = network.linear(&format!("{heads}class_embed.{last}"), objects, self.classes)?;
        let logits = match sides {
            Some(sides) => {
                let quality = self.quality(network, last, sides)?;
                network.add(logits, quality)?
            }
            None => logits,
        };
        // What is for training: other layers, their heads, and how offsets are scaled.
        for prefix in ["layers.", "lqe_layers."] {
            checkpoint.leave_out(&format!("model.decoder.{prefix}"));
        }
        for prefix in ["class_embed.", "bbox_embed."] {
            checkpoint.leave_out(&format!("{heads}{prefix}"));
        }
        Ok(Outputs::Objects {
            logits,
            boxes,
            are_exclusive: false,
        })
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        [input, embedding, boxes]: [Value; 3],
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
        let operands = [placed, selected.memory, boxes];
        let attention = format!("{name}.encoder_attn");
        let found = self
            .points
            .attend(network, &attention, operands, &selected.sizes, self.heads)?;
        let both = network.cat(&[objects, found])?;
        let gates = network.linear(&format!("{name}.gateway.gate"), both, 2 * self.features)?;
        let gates = network.sigmoid(gates)?;
        let both = network.mul(gates, both)?;
        let [objects, found] = network.halves(both)?;
        let x = network.add(objects, found)?;
        let x = network.layer_norm(&format!("{name}.gateway.norm"), x, GATE_EPSILON)?;
        let layers = (self.hidden, self.activation);
        transformer::normed_perceptron(network, name, layers, self.epsilon, x)
    }

    /// How likely each distance of each side is.
    fn likely(&self, network: &mut NetworkBuilder<'_>, sides: Value) -> Result<Vec<Value>> {
        let count = self.bins + 1;
        (0..SIDES)
            .map(|side| {
                let logits = network.narrow(sides, side * count, count)?;
                network.softmax(logits)
            })
            .collect()
    }

    /// A logit that says how sure a box is: of how pointed the distributions of its sides are.
    fn quality(&self, network: &mut NetworkBuilder<'_>, layer: usize, sides: Value) -> Result<Value> {
        let likely = self.likely(network, sides)?;
        let largest: Vec<Value> = likely
            .into_iter()
            .map(|likely| network.top_features(likely, self.likeliest))
            .collect::<Result<_>>()?;
        let largest = network.cat(&largest)?;
        // Those of a side, and their mean behind them.
        let (from, to) = (self.likeliest, self.likeliest + 1);
        let mut weight = vec![0.0; SIDES * to * SIDES * from];
        for side in 0..SIDES {
            for index in 0..to {
                let row = &mut weight[(side * to + index) * SIDES * from..][side * from..][..from];
                if index < from {
                    row[index] = 1.0;
                } else {
                    row.fill(1.0 / from as f32);
                }
            }
        }
        let mut x = network.project(largest, Weight::new([SIDES * to, SIDES * from], weight))?;
        for index in 0..self.quality_layers {
            let name = format!("model.decoder.lqe_layers.{layer}.reg_conf.layers.{index}");
            if index + 1 < self.quality_layers {
                x = network.linear(&name, x, self.quality_hidden)?;
                x = network.relu(x)?;
            } else {
                x = network.linear(&name, x, 1)?;
            }
        }
        // The same for all classes.
        network.project(x, Weight::new([self.classes, 1], vec![1.0; self.classes]))
    }
}

/// The layers up to the one that `eval_idx` names, counted from the end where it is negative.
fn counting_layers(config: &Config, layers: usize) -> Result<usize> {
    let index = config.number("eval_idx")?.unwrap_or(-1.0);
    let index = if index < 0.0 { index + layers as f64 } else { index };
    if index.fract() == 0.0 && (0.0..layers as f64).contains(&index) {
        Ok(index as usize + 1)
    } else {
        Err(config.wrong("eval_idx", &format!("the index of one of {layers} layers")))
    }
}

/// The distances between a box's first place and its sides.
#[derive(Debug)]
struct Distances {
    /// By their index; the unit is the box's own size, divided by `scale`.
    values: Vec<f64>,
    scale: f64,
}

impl Distances {
    /// What the weights say.
    fn read(checkpoint: &Checkpoint, bins: usize) -> Result<Self> {
        let number = |name: &str| -> Result<f64> {
            let value = checkpoint.parameter(name, &[1])?.data()[0];
            if value.is_finite() && value != 0.0 {
                Ok(f64::from(value.abs()))
            } else {
                Err(Error::new(format!(
                    "tensor `{name}` is {value}, but a number other than 0 is needed"
                ))
                .with_kind(ErrorKind::Weights))
            }
        };
        let scale = number("model.decoder.reg_scale")?;
        let bound = number("model.decoder.up")? * scale;
        // Near the middle they are close together.
        let step = (bound + 1.0).powf(2.0 / (bins as f64 - 2.0));
        let half = bins / 2;
        let right = (1..half).map(|index| step.powi(index as i32) - 1.0);
        let right: Vec<f64> = right.chain([2.0 * bound]).collect();
        let left = right.iter().rev().map(|value| -value);
        Ok(Self {
            values: left.chain([0.0]).chain(right.iter().copied()).collect(),
            scale,
        })
    }

    /// The boxes whose sides are at the mean of the likely distances from those of `boxes`.
    fn boxes(&self, network: &mut NetworkBuilder<'_>, boxes: Value, likely: &[Value]) -> Result<Value> {
        // By how much of its width or height a unit of the distance of each side moves a box's x, y, width and height.
        const MOVES: [[f64; SIDES]; 4] = [
            [-0.5, 0.0, 0.5, 0.0],
            [0.0, -0.5, 0.0, 0.5],
            [1.0, 0.0, 1.0, 0.0],
            [0.0, 1.0, 0.0, 1.0],
        ];
        let weights = MOVES.iter().flat_map(|moves| {
            moves
                .iter()
                .flat_map(|part| self.values.iter().map(move |value| part * value / self.scale))
        });
        let weights: Vec<f32> = weights.map(|weight| weight as f32).collect();
        let all = network.cat(likely)?;
        let shares = network.project(all, Weight::new([4, SIDES * self.values.len()], weights))?;
        let size = network.narrow(boxes, 2, 2)?;
        let size = network.cat(&[size, size])?;
        let moves = network.mul(shares, size)?;
        network.add(boxes, moves)
    }
}

//! Queries that start from the likeliest places of a map, and look at each other and at a few points around their boxes.

use crate::{
    architectures::{activation::Activation, rt_detr::Points, transformer},
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The side of what is looked for at each place, in parts of the picture.
const SIDE: f32 = 0.05;
/// Places nearer to a side of the picture are none.
const MARGIN: f32 = 0.01;
/// The slowest of the sines that tell where a box is, in parts of the fastest one.
const TEMPERATURE: f64 = 10_000.0;
/// Added to variances.
const EPSILON: f32 = 1e-5;
/// The numbers of a box: centre, width and height in parts of the picture.
const BOX: usize = 4;
/// Before the names of most tensors.
const ROOT: &str = "transformer";

#[derive(Debug)]
pub(super) struct Decoder {
    queries: usize,
    layers: usize,
    features: usize,
    /// Of the attention of queries to each other, and to the map.
    heads: [usize; 2],
    hidden: usize,
    activation: Activation,
    points: Points,
    classes: usize,
}

/// What is known of objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Tokens `[queries, features]`.
    pub(super) objects: Value,
    /// Tokens `[queries, classes]`.
    pub(super) logits: Value,
    /// Centre, width and height in parts of the picture: tokens `[queries, 4]`.
    pub(super) boxes: Value,
}

impl Decoder {
    pub(super) fn read(config: &Config, classes: usize) -> Result<Self> {
        let features = config.count("d_model", 256)?;
        if features % 4 != 0 {
            return Err(config.wrong("d_model", "a multiple of 4"));
        }
        if config.count("num_feature_levels", 1)? != 1 {
            return Err(config.unsupported("num_feature_levels", "1"));
        }
        Ok(Self {
            queries: config.count("num_queries", 300)?,
            layers: config.count("decoder_layers", 3)?,
            features,
            heads: [
                transformer::heads(config, "decoder_self_attention_heads", 8, features)?,
                transformer::heads(config, "decoder_cross_attention_heads", 16, features)?,
            ],
            hidden: config.count("decoder_ffn_dim", 2048)?,
            activation: Activation::of(config, "decoder_activation_function", Activation::Relu)?,
            points: Points::of_one_map(config.count("decoder_n_points", 4)?),
            classes,
        })
    }

    /// Describes the objects in a map `[features, rows, columns]`.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        map: Value,
    ) -> Result<Found> {
        // Further groups of queries are for training.
        for name in [
            "enc_out_bbox_embed.",
            "enc_out_class_embed.",
            "enc_output.",
            "enc_output_norm.",
        ] {
            checkpoint.leave_out(&format!("{ROOT}.{name}"));
        }
        let dims = network.dims(map)?;
        let grid = [dims[1], dims[2]];
        let memory = network.to_tokens(map)?;
        let start = self.start(network, memory, grid)?;
        let learned = self.first_rows(network, checkpoint, "refpoint_embed.weight", BOX)?;
        let boxes = refined(network, start, learned)?;
        let mut objects = self.first_rows(network, checkpoint, "query_feat.weight", self.features)?;
        let place = self.place(network, boxes)?;
        for layer in 0..self.layers {
            let name = format!("{ROOT}.decoder.layers.{layer}");
            objects = self.layer(network, &name, [objects, place, boxes, memory], grid)?;
        }
        let objects = network.layer_norm(&format!("{ROOT}.decoder.norm"), objects, EPSILON)?;
        let moved = transformer::deep_perceptron(network, "bbox_embed", BOX, objects)?;
        Ok(Found {
            objects,
            logits: network.linear("class_embed", objects, self.classes)?,
            boxes: refined(network, boxes, moved)?,
        })
    }

    /// The boxes of the places that look most like objects, `[queries, 4]`.
    fn start(&self, network: &mut NetworkBuilder<'_>, memory: Value, grid: [usize; 2]) -> Result<Value> {
        let places = places(grid);
        if places.len() < self.queries {
            return Err(Error::new(format!(
                "the picture is too small: its map has {} places, and {} are to become queries",
                places.len(),
                self.queries
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        let inner: Vec<usize> = places.iter().map(|(index, _)| *index).collect();
        let anchors = places.iter().flat_map(|(_, anchor)| *anchor).collect();
        let x = network.take_tokens(memory, inner)?;
        let x = network.linear(&format!("{ROOT}.enc_output.0"), x, self.features)?;
        let x = network.layer_norm(&format!("{ROOT}.enc_output_norm.0"), x, EPSILON)?;
        let scores = network.linear(&format!("{ROOT}.enc_out_class_embed.0"), x, self.classes)?;
        let anchors = network.constant(&[places.len(), BOX], anchors)?;
        let both = network.cat(&[x, anchors])?;
        let chosen = network.top_tokens(both, scores, self.queries)?;
        let x = network.narrow(chosen, 0, self.features)?;
        let anchors = network.narrow(chosen, self.features, BOX)?;
        let moved = transformer::deep_perceptron(network, &format!("{ROOT}.enc_out_bbox_embed.0"), BOX, x)?;
        refined(network, anchors, moved)
    }

    /// What is learned of each query; there are several groups of them, of which one is used.
    fn first_rows(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        columns: usize,
    ) -> Result<Value> {
        let weight = checkpoint.tensor(name)?;
        match *weight.dims() {
            [rows, found] if found == columns && rows >= self.queries => {
                let values = weight.data()[..self.queries * columns].to_vec();
                network.constant(&[self.queries, columns], values)
            }
            _ => Err(Error::new(format!(
                "tensor `{name}` has dimensions {:?}, but the network needs [{} or more, {columns}]",
                weight.dims(),
                self.queries
            ))
            .with_kind(ErrorKind::Weights)),
        }
    }

    /// What tells queries where their boxes are: sines of several wavelengths, and a perceptron.
    fn place(&self, network: &mut NetworkBuilder<'_>, boxes: Value) -> Result<Value> {
        let (weight, shift) = wavelengths(self.features / 2);
        let angles = network.project(boxes, weight)?;
        let ones = Weight::vector(vec![1.0; BOX * self.features / 2]);
        let angles = network.affine(angles, ones, shift)?;
        let x = network.sin(angles)?;
        let name = format!("{ROOT}.decoder.ref_point_head.layers");
        let x = network.linear(&format!("{name}.0"), x, self.features)?;
        let x = network.relu(x)?;
        network.linear(&format!("{name}.1"), x, self.features)
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        [input, place, boxes, memory]: [Value; 4],
        grid: [usize; 2],
    ) -> Result<Value> {
        let placed = network.add(input, place)?;
        let attention = format!("{name}.self_attn");
        let x = network.multihead_attention(&attention, [placed, placed, input], self.heads[0])?;
        let x = network.add(input, x)?;
        let objects = network.layer_norm(&format!("{name}.norm1"), x, EPSILON)?;

        let placed = network.add(objects, place)?;
        let attention = format!("{name}.cross_attn");
        let values = network.linear(&format!("{attention}.value_proj"), memory, self.features)?;
        let operands = [placed, values, boxes];
        let x = self
            .points
            .attend(network, &attention, operands, &[grid], self.heads[1])?;
        let x = network.linear(&format!("{attention}.output_proj"), x, self.features)?;
        let x = network.add(objects, x)?;
        let objects = network.layer_norm(&format!("{name}.norm2"), x, EPSILON)?;

        let names = ["linear1", "linear2"].map(|part| format!("{name}.{part}"));
        let names = [names[0].as_str(), names[1].as_str()];
        let x = transformer::perceptron(network, names, self.hidden, self.activation, objects)?;
        let x = network.add(objects, x)?;
        network.layer_norm(&format!("{name}.norm3"), x, EPSILON)
    }
}

/// Boxes that are moved by parts of their sides, and whose sides grow by an exponent.
fn refined(network: &mut NetworkBuilder<'_>, boxes: Value, moved: Value) -> Result<Value> {
    let sides = network.narrow(boxes, 2, 2)?;
    let center = network.narrow(boxes, 0, 2)?;
    let steps = network.narrow(moved, 0, 2)?;
    let steps = network.mul(steps, sides)?;
    let center = network.add(steps, center)?;
    let growth = network.narrow(moved, 2, 2)?;
    let growth = network.exp(growth)?;
    let sides = network.mul(growth, sides)?;
    network.cat(&[center, sides])
}

/// The places of a map that are not too near to a side, each with its box.
fn places([rows, columns]: [usize; 2]) -> Vec<(usize, [f32; BOX])> {
    let mut places = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let center = [
                (column as f32 + 0.5) / columns as f32,
                (row as f32 + 0.5) / rows as f32,
            ];
            if center.iter().all(|&part| part > MARGIN && part < 1.0 - MARGIN) {
                places.push((row * columns + column, [center[0], center[1], SIDE, SIDE]));
            }
        }
    }
    places
}

/// The weights and shifts of a layer that makes angles of boxes, `count` for each of their numbers; the second number
/// comes first, and every other angle is a quarter turn ahead, so that its sine is the angle's cosine.
fn wavelengths(count: usize) -> (Weight, Weight) {
    let mut weight = vec![0.0; BOX * count * BOX];
    let mut shift = vec![0.0; BOX * count];
    for (part, number) in [1, 0, 2, 3].into_iter().enumerate() {
        for place in 0..count {
            let exponent = (place / 2 * 2) as f64 / count as f64;
            let angle = part * count + place;
            weight[angle * BOX + number] = (std::f64::consts::TAU / TEMPERATURE.powf(exponent)) as f32;
            if place % 2 == 1 {
                shift[angle] = std::f32::consts::FRAC_PI_2;
            }
        }
    }
    (Weight::new([BOX * count, BOX], weight), Weight::vector(shift))
}

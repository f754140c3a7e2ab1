//! DETR: a transformer that makes objects of the last map of a ResNet; and Table Transformer, the same for tables, which
//! normalises before each part of a layer instead of behind it.
//!
//! Source: Carion et al., "End-to-End Object Detection with Transformers" (2020), section 3.2 and figure 10; names and
//! defaults: those of transformers' `DetrConfig` and `TableTransformerConfig`.

use super::{Architecture, Outputs, activation::Activation, resnet, transformer};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;
use std::f64::consts::TAU;

/// Before the names of the backbone's tensors.
const BACKBONE: &str = "model.backbone.conv_encoder.model.";
/// Added to variances: torch's default.
const EPSILON: f32 = 1e-5;
/// The base of the wavelengths of sine embeddings.
const TEMPERATURE: f64 = 10_000.0;

struct Detr {
    /// Whether what a part of a layer reads is normalised, and not its sum with the result.
    norms_first: bool,
    /// A backbone in the form of transformers; one in timm's form is described by its tensors.
    backbone: Option<resnet::ResNet>,
    features: usize,
    layers: [usize; 2],
    heads: [usize; 2],
    hidden: [usize; 2],
    activation: Activation,
    queries: usize,
    classes: usize,
}

/// The places of the encoder's and the decoder's settings.
const ENCODER: usize = 0;
const DECODER: usize = 1;

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let features = config.count("d_model", 256)?;
    if features % 4 != 0 {
        return Err(config.wrong("d_model", "a multiple of 4"));
    }
    if config
        .text("position_embedding_type")?
        .is_some_and(|kind| kind != "sine")
    {
        return Err(config.unsupported("position_embedding_type", "\"sine\""));
    }
    if config.flag("dilation", false)? {
        return Err(config.unsupported("dilation", "false"));
    }
    let backbone = match config.section("backbone_config")? {
        Some(section) if section.text("model_type")? == Some("resnet") => {
            Some(resnet::ResNet::read(&section)?)
        }
        _ => None,
    };
    let pair = |keys: [&str; 2], default: usize| -> Result<[usize; 2]> {
        Ok([config.count(keys[0], default)?, config.count(keys[1], default)?])
    };
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Detr {
        norms_first: config.text("model_type")? == Some("table-transformer"),
        backbone,
        features,
        layers: pair(["encoder_layers", "decoder_layers"], 6)?,
        heads: [
            transformer::heads(config, "encoder_attention_heads", 8, features)?,
            transformer::heads(config, "decoder_attention_heads", 8, features)?,
        ],
        hidden: pair(["encoder_ffn_dim", "decoder_ffn_dim"], 2048)?,
        activation: Activation::of(config, "activation_function", Activation::Relu)?,
        queries: config.count("num_queries", 100)?,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for Detr {
    fn image_size(&self) -> [usize; 2] {
        [800; 2]
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
        let size = network.dims(image)?;
        self.describe_within(network, checkpoint, image, [size[1], size[2]])
    }

    fn describe_within(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
        filled: [usize; 2],
    ) -> Result<Outputs> {
        // The published files of the first models hold timm's backbone, whatever their configuration says.
        let map = match &self.backbone {
            Some(backbone) if !checkpoint.has(&format!("{BACKBONE}conv1.weight")) => {
                backbone.features(network, BACKBONE, image)?
            }
            _ => resnet::Described::new(checkpoint).features(network, BACKBONE, image)?,
        };
        let map = network.conv2d("model.input_projection", map, Conv2d::new(self.features, 1))?;
        let (mut memory, grid) = seen(network, map, image, filled)?;
        let places = network.constant(
            &[grid[0] * grid[1], self.features],
            sine_positions(grid, self.features),
        )?;
        for layer in 0..self.layers[ENCODER] {
            let name = format!("model.encoder.layers.{layer}");
            let norm = format!("{name}.self_attn_layer_norm");
            let x = self.norm(network, &norm, memory, true)?;
            let placed = network.add(x, places)?;
            let x = transformer::projected_attention(
                network,
                &format!("{name}.self_attn"),
                [placed, placed, x],
                self.heads[ENCODER],
            )?;
            let x = network.add(memory, x)?;
            let x = self.norm(network, &norm, x, false)?;
            memory = self.perceptron(network, &name, x, ENCODER)?;
        }
        let memory = self.norm(network, "model.encoder.layernorm", memory, true)?;
        let objects = self.decode(network, memory, places)?;
        Ok(Outputs::Objects {
            logits: network.linear("class_labels_classifier", objects, self.classes + 1)?,
            boxes: transformer::box_head(network, objects)?,
            are_exclusive: true,
        })
    }
}

impl Detr {
    fn decode(&self, network: &mut NetworkBuilder<'_>, memory: Value, places: Value) -> Result<Value> {
        let shape = [self.queries, self.features];
        let queries = network.parameter("model.query_position_embeddings.weight", &shape)?;
        let mut objects = network.constant(&shape, vec![0.0; self.queries * self.features])?;
        let keys = network.add(memory, places)?;
        for layer in 0..self.layers[DECODER] {
            let name = format!("model.decoder.layers.{layer}");
            let norm = format!("{name}.self_attn_layer_norm");
            let x = self.norm(network, &norm, objects, true)?;
            let placed = network.add(x, queries)?;
            let x = transformer::projected_attention(
                network,
                &format!("{name}.self_attn"),
                [placed, placed, x],
                self.heads[DECODER],
            )?;
            let x = network.add(objects, x)?;
            let objects_seen = self.norm(network, &norm, x, false)?;
            let norm = format!("{name}.encoder_attn_layer_norm");
            let x = self.norm(network, &norm, objects_seen, true)?;
            let placed = network.add(x, queries)?;
            let x = transformer::projected_attention(
                network,
                &format!("{name}.encoder_attn"),
                [placed, keys, memory],
                self.heads[DECODER],
            )?;
            let x = network.add(objects_seen, x)?;
            let x = self.norm(network, &norm, x, false)?;
            objects = self.perceptron(network, &name, x, DECODER)?;
        }
        network.layer_norm("model.decoder.layernorm", objects, EPSILON)
    }

    /// A normalisation before a part of a layer, or behind it, where the network has it there.
    fn norm(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, is_before: bool) -> Result<Value> {
        if self.norms_first == is_before {
            network.layer_norm(name, x, EPSILON)
        } else {
            Ok(x)
        }
    }

    fn perceptron(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        part: usize,
    ) -> Result<Value> {
        let layers = (self.hidden[part], self.activation);
        if !self.norms_first {
            return transformer::normed_perceptron(network, name, layers, EPSILON, input);
        }
        let names = ["fc1", "fc2"].map(|layer| format!("{name}.{layer}"));
        let x = network.layer_norm(&format!("{name}.final_layer_norm"), input, EPSILON)?;
        let x = transformer::perceptron(network, [&names[0], &names[1]], layers.0, layers.1, x)?;
        network.add(input, x)
    }
}

/// The tokens of a map that come from what is filled of the picture, and their rows and columns. A token is seen where the pixel
/// is that torch's `interpolate` takes for it.
fn seen(
    network: &mut NetworkBuilder<'_>,
    map: Value,
    image: Value,
    filled: [usize; 2],
) -> Result<(Value, [usize; 2])> {
    let (dims, size) = (network.dims(map)?, network.dims(image)?);
    let width = dims[2];
    let [rows, columns] = [0, 1].map(|axis| {
        let (places, pixels) = (dims[1 + axis], size[1 + axis]);
        let is_seen = |place: &usize| place * pixels / places < filled[axis];
        (0..places).take_while(is_seen).count()
    });
    let tokens = network.to_tokens(map)?;
    if [rows, columns] == dims[1..] {
        return Ok((tokens, [rows, columns]));
    }
    let indices: Vec<usize> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| row * width + column))
        .collect();
    Ok((network.take_tokens(tokens, indices)?, [rows, columns]))
}

/// Sines and cosines of rows and columns, each in one half of the features: `[rows * columns, features]`.
fn sine_positions([rows, columns]: [usize; 2], features: usize) -> Vec<f32> {
    let half = features / 2;
    let wave = |place: usize, length: usize| -> Vec<f32> {
        let angle = (place + 1) as f64 / (length as f64 + 1e-6) * TAU;
        (0..half)
            .map(|feature| {
                let angle = angle / TEMPERATURE.powf((2 * (feature / 2)) as f64 / half as f64);
                (if feature % 2 == 0 {
                    angle.sin()
                } else {
                    angle.cos()
                }) as f32
            })
            .collect()
    };
    (0..rows * columns)
        .flat_map(|place| [wave(place / columns, rows), wave(place % columns, columns)].concat())
        .collect()
}

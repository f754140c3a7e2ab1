//! BEiT: a vision transformer that adds a trained bias of two patches' distance to the scores of its attention.
//!
//! Sources: Bao et al., "BEiT: BERT Pre-Training of Image Transformers" (2021), section 2; Peng et al., "BEiT v2" (2022);
//! names and defaults: those of transformers' `BeitConfig`, and of timm's `Beit`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    layers::Layers,
    positions::{self, Positions, Resampling},
    transformer,
};
use crate::{
    checkpoint::Checkpoint,
    repository::{self, Config, Repository},
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Rows and columns of what is behind the distances in a table: class token to patch, patch to class token, and to itself.
const BEHIND: usize = 3;

/// The most patches; published networks have 1600 at most, and the biases grow with the square.
const MOST_PATCHES: usize = 48 * 48;

/// More layers than any network has.
const MOST_LAYERS: usize = 1000;

pub(super) struct Beit {
    names: &'static Names,
    image: [usize; 2],
    /// Read off the tables of biases where it is not given.
    heads: Option<usize>,
    activation: Activation,
    epsilon: f32,
    /// Whether biases of distances are found between the trained ones for pictures of other sizes.
    resizes_distances: bool,
    classes: usize,
}

/// Rows and columns of patches.
#[derive(Clone, Copy, Debug)]
struct Grids {
    grid: [usize; 2],
    /// Those of the pictures that it was trained on.
    trained: [usize; 2],
}

/// What the layers are called.
struct Names {
    /// Before the names of all tensors but the classifier's, where there is one.
    root: &'static str,
    patches: &'static str,
    class_token: &'static str,
    positions: &'static str,
    /// A layer's number follows.
    layers: &'static str,
    shared_table: &'static str,
    /// Within a layer.
    norms: [&'static str; 2],
    attention: &'static str,
    table: &'static str,
    projection: &'static str,
    perceptron: [&'static str; 2],
    scales: [&'static str; 2],
    /// Of all tokens, where the class token is the embedding.
    norm: &'static str,
    /// Of the patches' mean, where that is the embedding.
    norm_of_mean: &'static str,
    classifier: &'static str,
}

const TRANSFORMERS: Names = Names {
    root: "beit.",
    patches: "embeddings.patch_embeddings.projection",
    class_token: "embeddings.cls_token",
    positions: "embeddings.position_embeddings",
    layers: "encoder.layer",
    shared_table: "encoder.relative_position_bias.relative_position_bias_table",
    norms: ["layernorm_before", "layernorm_after"],
    attention: "attention.attention",
    table: "attention.attention.relative_position_bias.relative_position_bias_table",
    projection: "attention.output.dense",
    perceptron: ["intermediate.dense", "output.dense"],
    scales: ["lambda_1", "lambda_2"],
    norm: "layernorm",
    norm_of_mean: "pooler.layernorm",
    classifier: "classifier",
};

const TIMM: Names = Names {
    root: "",
    patches: "patch_embed.proj",
    class_token: "cls_token",
    positions: "pos_embed",
    layers: "blocks",
    shared_table: "rel_pos_bias.relative_position_bias_table",
    norms: ["norm1", "norm2"],
    attention: "attn",
    table: "attn.relative_position_bias_table",
    projection: "attn.proj",
    perceptron: ["mlp.fc1", "mlp.fc2"],
    scales: ["gamma_1", "gamma_2"],
    norm: "norm",
    norm_of_mean: "fc_norm",
    classifier: "head",
};

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let names = repository::class_names(repository)?;
    Ok(Box::new(Beit {
        classes: names.map_or(2, |names| names.len()),
        ..Beit::read(&repository.config)?
    }))
}

pub(super) fn timm(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let arguments = config.section_or_empty("model_args")?;
    let names = repository::class_names(repository)?;
    Ok(Box::new(Beit {
        names: &TIMM,
        image: arguments.size("img_size", [height, width])?,
        heads: None,
        activation: Activation::Gelu,
        epsilon: 1e-6,
        resizes_distances: false,
        classes: names.map_or(0, |names| names.len()),
    }))
}

impl Architecture for Beit {
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
        let names = self.names;
        let root = if checkpoint.has_any(names.root) {
            names.root
        } else {
            ""
        };
        if checkpoint.has_any(&format!("{root}decode_head.")) || checkpoint.has_any("decode_head.") {
            return Err(Error::unsupported(
                "BEiT as a segmenter is not known, only as a classifier",
            ));
        }
        let tokens = self.layers(network, checkpoint, root, image)?;
        let layers = Layers::new(checkpoint);
        // The embeddings are always there.
        let x = tokens[tokens.len() - 1];
        let norm_of_mean = format!("{root}{}", names.norm_of_mean);
        let embedding = if layers.has(&norm_of_mean) {
            let tokens = network.dims(x)?[0];
            let patches = network.take_tokens(x, (1..tokens).collect::<Vec<_>>())?;
            let mean = network.mean_tokens(patches)?;
            network.layer_norm(&norm_of_mean, mean, self.epsilon)?
        } else {
            let x = network.layer_norm(&format!("{root}{}", names.norm), x, self.epsilon)?;
            network.select_token(x, 0)?
        };
        let logits = if layers.has(names.classifier) {
            Some(network.linear(names.classifier, embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl Beit {
    /// One of transformers without classes.
    pub(super) fn read(config: &Config) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        let features = config.count("hidden_size", 768)?;
        Ok(Self {
            names: &TRANSFORMERS,
            image: config.size("image_size", [224; 2])?,
            heads: Some(transformer::heads(config, "num_attention_heads", 12, features)?),
            activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-12)? as f32,
            resizes_distances: true,
            classes: 0,
        })
    }

    /// The `[height, width]` of the pictures that it was trained on.
    pub(super) fn image_size(&self) -> [usize; 2] {
        self.image
    }

    /// The tokens behind the embeddings and behind each layer; `root` is before the names of all tensors.
    pub(super) fn layers(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let names = self.names;
        let layers = Layers::new(checkpoint);
        let (mut x, grids) = self.embed(network, layers, root, image)?;
        let shared = self.biases(checkpoint, &format!("{root}{}", names.shared_table), grids)?;
        let mut tokens = vec![x];
        for layer in 0..MOST_LAYERS {
            let name = format!("{root}{}.{layer}", names.layers);
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            x = self.layer(network, layers, &name, x, grids, shared.as_ref())?;
            tokens.push(x);
        }
        Ok(tokens)
    }

    /// The class token and a token for each patch, with the grid of the patches and the trained one.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        root: &str,
        image: Value,
    ) -> Result<(Value, Grids)> {
        let patches = format!("{root}{}", self.names.patches);
        let dims = layers.dims::<4>(&patches)?;
        let [features, _, height, width] = dims;
        if height == 0 || width == 0 {
            return Err(super::layers::unfit(&patches, &dims));
        }
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], [height, width])?;
        let trained = transformer::grid(self.image, [height, width])?;
        if grid != trained && !(self.resizes_distances && trained[0] == trained[1]) {
            return Err(Error::unsupported(format!(
                "this BEiT takes pictures of {} x {} pixels only, as its distances were trained",
                self.image[1], self.image[0]
            )));
        }
        let count = grid[0].saturating_mul(grid[1]);
        if count > MOST_PATCHES {
            return Err(Error::unsupported(format!(
                "{count} patches are more than the {MOST_PATCHES} whose distances are known"
            )));
        }
        let projection = Conv2d::new(features, height)
            .kernel([height, width])
            .strides([height, width]);
        let x = network.conv2d(&patches, image, projection)?;
        let x = network.to_tokens(x)?;
        let class = format!("{root}{}", self.names.class_token);
        let class = network.parameter_view(&class, &[1, 1, features], &[1, features])?;
        let x = network.cat_tokens(&[class, x])?;
        let name = format!("{root}{}", self.names.positions);
        if !layers.checkpoint.has(&name) {
            return Ok((x, Grids { grid, trained }));
        }
        let positions = Positions {
            name: &name,
            features,
            prefix: 1,
            suffix: 0,
            trained: Some(trained),
            resampling: Resampling::Bicubic,
        };
        let values = positions.values(layers.checkpoint, grid)?;
        let positions = network.constant(&[1 + count, features], values)?;
        Ok((network.add(x, positions)?, Grids { grid, trained }))
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        input: Value,
        grids: Grids,
        shared: Option<&Weight>,
    ) -> Result<Value> {
        let names = self.names;
        let features = network.channels(input)?;
        let [before, after] = names.norms.map(|norm| format!("{name}.{norm}"));
        let scaled = |network: &mut NetworkBuilder<'_>, scale: &str, x: Value| {
            let scale = format!("{name}.{scale}");
            if layers.checkpoint.has(&scale) {
                transformer::layer_scale(network, &scale, x)
            } else {
                Ok(x)
            }
        };
        let own = self.biases(layers.checkpoint, &format!("{name}.{}", names.table), grids)?;
        let bias = match (own, shared) {
            (Some(own), Some(shared)) => Some(sum(&own, shared)),
            (own, shared) => own.or_else(|| shared.cloned()),
        };
        let x = network.layer_norm(&before, input, self.epsilon)?;
        let attention = format!("{name}.{}", names.attention);
        let operands = transformer::projections(network, layers.checkpoint, &attention, x)?;
        let heads = self
            .heads
            .or(bias.as_ref().map(|bias| bias.dims()[1]))
            .unwrap_or(12);
        if !features.is_multiple_of(heads) {
            return Err(Error::new(format!(
                "{features} features of `{attention}` cannot be divided into {heads} heads"
            ))
            .with_kind(ErrorKind::Weights));
        }
        let x = match bias {
            Some(bias) => network.window_attention(operands, heads, 1, bias)?,
            None => network.attention(operands, heads)?,
        };
        let x = network.linear(&format!("{name}.{}", names.projection), x, features)?;
        let x = scaled(network, names.scales[0], x)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&after, attended, self.epsilon)?;
        let dense = names.perceptron.map(|layer| format!("{name}.{layer}"));
        let [hidden, _] = layers.dims(&dense[0])?;
        let x = transformer::perceptron(network, [&dense[0], &dense[1]], hidden, self.activation, x)?;
        let x = scaled(network, names.scales[1], x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// What a table adds to the scores, `[1, heads, tokens, tokens]`; `None` where there is no such table.
    fn biases(
        &self,
        checkpoint: &Checkpoint,
        name: &str,
        Grids { grid, trained }: Grids,
    ) -> Result<Option<Weight>> {
        if !checkpoint.has(name) {
            return Ok(None);
        }
        let table = checkpoint.tensor(name)?;
        let [reach, trained_reach] = [grid, trained].map(|grid| grid.map(|side| 2 * side - 1));
        let distances = trained_reach[0] * trained_reach[1];
        let heads = match *table.dims() {
            [found, heads]
                if found == distances + BEHIND && heads > 0 && self.heads.is_none_or(|own| own == heads) =>
            {
                heads
            }
            ref dims => {
                let heads = self
                    .heads
                    .map_or_else(|| "heads".to_owned(), |heads| heads.to_string());
                return Err(Error::new(format!(
                    "tensor `{name}` has dimensions {dims:?}, but the network needs [{}, {heads}]",
                    distances + BEHIND
                ))
                .with_kind(ErrorKind::Weights));
            }
        };
        let (between, behind) = table.data().split_at(distances * heads);
        let between = positions::bilinear(between, trained_reach, reach, heads);
        let [rows, columns] = grid;
        let tokens = 1 + rows * columns;
        let mut values = Vec::with_capacity(heads * tokens * tokens);
        for head in 0..heads {
            for query in 0..tokens {
                for key in 0..tokens {
                    let (table, index) = match (query, key) {
                        (0, 0) => (behind, 2),
                        (_, 0) => (behind, 1),
                        (0, _) => (behind, 0),
                        _ => {
                            let [query, key] = [query - 1, key - 1];
                            let row = query / columns + rows - 1 - key / columns;
                            let column = query % columns + columns - 1 - key % columns;
                            (between.as_slice(), row * reach[1] + column)
                        }
                    };
                    values.push(table[index * heads + head]);
                }
            }
        }
        Ok(Some(Weight::new([1, heads, tokens, tokens], values)))
    }
}

fn sum(left: &Weight, right: &Weight) -> Weight {
    let sums: Vec<f32> = left.data().iter().zip(right.data()).map(|(a, b)| a + b).collect();
    Weight::new(left.dims(), sums)
}

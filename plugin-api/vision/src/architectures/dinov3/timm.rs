//! As timm publishes it. Sizes, biases and kinds of perceptrons are read off the tensors.

use super::rotation::Heads;
use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        layers::{Layers, Steps, unfit},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Rotation, Value};
use modelzoo_plugin_api::Result;

/// Added to variances.
const EPSILON: f32 = 1e-5;
/// The wavelengths of the rotations are powers of it.
const BASE: f64 = 100.0;
/// Features of a head; those of the largest network are twice as many.
const HEAD: usize = 64;
/// A part of the name of the largest network.
const LARGEST: &str = "_7b_";
/// More layers than any network has.
const MOST_LAYERS: usize = 1000;
/// The name of the layer that makes patches tokens.
const PATCHES: &str = "patch_embed.proj";

/// What is known without the tensors.
struct Dinov3 {
    image: [usize; 2],
    head: usize,
    pools_mean: bool,
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    if !name.contains("_dinov3") {
        return Err(config.unsupported(
            "architecture",
            "DINOv3, where it is a transformer with rotations,",
        ));
    }
    let arguments = config.section_or_empty("model_args")?;
    let pool = arguments
        .text("global_pool")?
        .or(config.text("global_pool")?)
        .unwrap_or("avg");
    let pools_mean = match pool {
        "avg" => true,
        "token" => false,
        _ => return Err(config.unsupported("global_pool", "\"token\" or \"avg\"")),
    };
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 256, 256])?;
    let head = if name.contains(LARGEST) { 2 * HEAD } else { HEAD };
    let features = arguments.count_of("embed_dim")?;
    let heads = arguments.count_of("num_heads")?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Dinov3 {
        image: [height, width],
        head: match (features, heads) {
            (Some(features), Some(heads)) => features / heads,
            _ => head,
        },
        pools_mean,
        classes: names.map_or(0, |names| names.len()),
    }))
}

impl Architecture for Dinov3 {
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
        let described = Described {
            layers: Layers::new(checkpoint),
        };
        let [features, _, height, width] = described.layers.dims::<4>(PATCHES)?;
        if height != width || height == 0 || features < self.head || self.head < 4 {
            return Err(unfit(PATCHES, &[features, height, width]));
        }
        if !features.is_multiple_of(self.head) || !self.head.is_multiple_of(4) {
            return Err(unfit(PATCHES, &[features]));
        }
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], [height, width])?;
        let steps = Steps::of(height).padding(0);
        let patches = described.layers.convolve(network, PATCHES, image, steps)?;
        let mut tokens = Vec::new();
        let mut before = 0;
        for name in ["cls_token", "reg_token"] {
            let dims = checkpoint.dims(name).unwrap_or_default();
            if let &[1, count, _] = dims.as_slice()
                && count > 0
            {
                tokens.push(network.parameter_view(name, &[1, count, features], &[count, features])?);
                before += count;
            }
        }
        tokens.push(network.to_tokens(patches)?);
        let mut x = network.cat_tokens(&tokens)?;
        let heads = Heads {
            count: features / self.head,
            features: self.head,
            base: BASE,
        };
        let rotation = heads.rotation(before, grid);
        for layer in 0..MOST_LAYERS {
            let name = format!("blocks.{layer}");
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            x = described.layer(network, &name, x, (heads.count, &rotation))?;
        }
        let x = network.layer_norm("norm", x, EPSILON)?;
        let embedding = if self.pools_mean {
            let end = before + grid[0] * grid[1];
            let patches = network.take_tokens(x, (before..end).collect::<Vec<_>>())?;
            network.mean_tokens(patches)?
        } else {
            network.select_token(x, 0)?
        };
        let logits = if checkpoint.has("head.weight") {
            Some(network.linear("head", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

/// The tensors of a network, by which it is described.
struct Described<'a> {
    layers: Layers<'a>,
}

impl Described<'_> {
    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        (heads, rotation): (usize, &Rotation),
    ) -> Result<Value> {
        let checkpoint = self.layers.checkpoint;
        let x = network.layer_norm(&format!("{name}.norm1"), input, EPSILON)?;
        let attention = format!("{name}.attn");
        let [queries, keys, values] = transformer::projections(network, checkpoint, &attention, x)?;
        let queries = network.rotate(queries, rotation.clone())?;
        let keys = network.rotate(keys, rotation.clone())?;
        let x = network.attention([queries, keys, values], heads)?;
        let x = self.layers.linear(network, &format!("{attention}.proj"), x)?;
        let x = transformer::layer_scale(network, &format!("{name}.gamma_1"), x)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.norm2"), attended, EPSILON)?;
        let x = self.perceptron(network, &format!("{name}.mlp"), x)?;
        let x = transformer::layer_scale(network, &format!("{name}.gamma_2"), x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// Two linear layers, the first of which may have a second one as its gate.
    fn perceptron(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let gate = format!("{name}.fc1_g");
        let x = if self.layers.has(&gate) {
            let gate = self.layers.linear(network, &gate, x)?;
            let gate = Activation::Silu.apply(network, gate)?;
            let x = self.layers.linear(network, &format!("{name}.fc1_x"), x)?;
            network.mul(gate, x)?
        } else {
            let x = self.layers.linear(network, &format!("{name}.fc1"), x)?;
            Activation::Gelu.apply(network, x)?
        };
        self.layers.linear(network, &format!("{name}.fc2"), x)
    }
}

//! The vision transformer.
//!
//! Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.1 and table 1.

use super::{Layers, MOST_LAYERS, Steps, classes};
use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        layers::unfit,
        positions::{Positions, Resampling},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

const EPSILON: f32 = 1e-6;

struct Vit {
    heads: usize,
    image: usize,
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    Ok(Box::new(Vit {
        heads: if name.starts_with("vit_b") { 12 } else { 16 },
        image: config
            .section_or_empty("entrypoint_args")?
            .count("image_size", 224)?,
        classes: classes(repository)?,
    }))
}

impl Architecture for Vit {
    fn image_size(&self) -> [usize; 2] {
        [self.image; 2]
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
        let layers = Layers::new(checkpoint);
        let mut x = embed(network, layers, image)?;
        for layer in 0..MOST_LAYERS {
            let name = format!("encoder.layers.encoder_layer_{layer}");
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            x = self.layer(network, layers, &name, x)?;
        }
        let x = network.layer_norm("encoder.ln", x, EPSILON)?;
        let embedding = network.select_token(x, 0)?;
        Ok(Outputs::Picture {
            embedding,
            logits: Some(network.linear("heads.head", embedding, self.classes)?),
        })
    }
}

impl Vit {
    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        input: Value,
    ) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.ln_1"), input, EPSILON)?;
        let x = network.self_attention(&format!("{name}.self_attention"), x, self.heads)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.ln_2"), attended, EPSILON)?;
        let new = ["0", "3"];
        // Files of the first version name the linear layers.
        let old = ["linear_1", "linear_2"];
        let is_old = layers.has(&format!("{name}.mlp.linear_1"));
        let names = if is_old { old } else { new }.map(|part| format!("{name}.mlp.{part}"));
        let [hidden, _] = layers.dims(&names[0])?;
        let x = transformer::perceptron(network, [&names[0], &names[1]], hidden, Activation::Gelu, x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }
}

/// The tokens of the class and of the patches, with their positions.
fn embed(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, image: Value) -> Result<Value> {
    let dims = layers.dims("conv_proj")?;
    let [features, _, height, width] = dims;
    if height != width || height == 0 {
        return Err(unfit("conv_proj", &dims));
    }
    let size = network.dims(image)?;
    let grid = transformer::grid([size[1], size[2]], [height; 2])?;
    let patches = layers.convolve(network, "conv_proj", image, Steps::of(height).padding(0))?;
    let patches = network.to_tokens(patches)?;
    let class = network.parameter_view("class_token", &[1, 1, features], &[1, features])?;
    let x = network.cat_tokens(&[class, patches])?;
    let positions = Positions {
        name: "encoder.pos_embedding",
        features,
        prefix: 1,
        suffix: 0,
        trained: None,
        resampling: Resampling::Bicubic,
    };
    let values = positions.values(layers.checkpoint, grid)?;
    let positions = network.constant(&[1 + grid[0] * grid[1], features], values)?;
    network.add(x, positions)
}
